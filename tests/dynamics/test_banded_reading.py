"""Any answer carries bands by the same draws: what a draw is off is taken off the estimate."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.dynamics.bootstrap import resampled
from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.exceptions import ConfigurationError
from tests.builders.members import average_var


@pytest.fixture(scope="module")
def average() -> DynamicVAR:
    return average_var(n_rows=30)


def test_draws_stand_on_the_other_side_of_the_estimate(average) -> None:
    origins = list(average.origins[-2:])
    found = average.persistence(origins, bands="bootstrap", n_draws=2)
    drawn = [one.persistence(origins).values for one in resampled(average, 2, random_state=0)]
    assert np.allclose(found.draws, 2 * found.values - np.stack(drawn))
    assert np.allclose(found.values, average.persistence(origins).values)
    paths = average.coefficient_paths(
        [1, 2], origins, part="dynamics", bands="bootstrap", n_draws=2
    )
    again = [
        one.coefficient_paths([1, 2], origins, part="dynamics").values
        for one in resampled(average, 2, random_state=0)
    ]
    assert np.allclose(paths.draws, 2 * paths.values - np.stack(again))


def test_contributions_have_bands_for_the_values_that_were_observed(average) -> None:
    found = average.attribution(bands="bootstrap", n_draws=2)
    (drawn, _) = resampled(average, 2, random_state=0)
    local, values = drawn.at(), average.history.to_numpy()[::-1]
    lag, response, impulse = 2, 0, 1
    wanted = local.coefs[lag - 1, response, impulse] * values[lag - 1, impulse]
    frame = average.attribution().to_frame(average.names[response])
    rows = frame["source"].eq(average.names[impulse]) & frame["lag"].eq(lag)
    (place,) = np.flatnonzero(rows.fillna(False))
    estimate = frame["contribution"].iloc[place]
    assert np.isclose(found.draws[0, place, response], 2 * estimate - wanted)
    assert {"lower", "upper"} <= set(found.to_frame())


def test_bands_want_draws(average) -> None:
    with pytest.raises(ConfigurationError, match="bands want draws"):
        average.persistence(bands="bootstrap", n_draws=0)
