"""The largest root of a long VAR, without its companion matrix."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.dynamics.roots import companion_radius
from tests.builders.linear_network import companion


def test_roots_of_a_long_var_are_found_without_its_companion_matrix() -> None:
    rng = np.random.default_rng(0)
    coefs = rng.normal(size=(150, 3, 3)) * 0.03 * np.exp(-np.arange(150) / 30)[:, None, None]
    wanted = np.abs(np.linalg.eigvals(companion(coefs))).max()
    assert companion_radius(coefs) == pytest.approx(wanted, rel=1e-3)
