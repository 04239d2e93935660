"""How far coefficients by hand are from what window normalisation makes exact."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.dynamics.identities import Identities, identities_of

CHANNELS = np.array([[3.0, 1.0], [1.0, -1.0]])
"""Two lags of two series; the second is orthogonal to (1, 1) over the lags."""
SLOPES = np.array([[[0.75, 0.5], [0.0, 0.5]], [[0.25, 0.5], [0.0, 0.5]]])
UNIT = np.array([2.0, 1.0])


def test_coefficients_that_keep_all_three() -> None:
    slopes = SLOPES.copy()
    slopes[:, 0, 1] = (0.0, 0.0)
    found = identities_of(slopes, CHANNELS, np.array([2.5, 0.0]), UNIT)
    assert found == Identities(0.0, 0.0, 0.0)
    assert found.hold()


def test_each_departure_is_relative_to_its_size() -> None:
    found = identities_of(SLOPES, CHANNELS, np.array([3.5, 0.0]), UNIT)
    assert found.forecast == pytest.approx(1.0 / (3.5 + 3.0 + 2.0))
    assert found.sums == pytest.approx(1.0 * 1.0 / 2.0)  # of the second on the first, in units
    assert found.orthogonality == pytest.approx(0.0)
    assert not found.hold()
    crooked = SLOPES.copy()
    crooked[:, 0, 1] = (0.5, -0.5)
    found = identities_of(crooked, CHANNELS, np.array([2.5, 0.0]), UNIT)
    assert found.sums == pytest.approx(0.0)
    assert found.orthogonality == pytest.approx(1.0 / (2.5 + 3.0 + 2.0))
