"""Any answer carries bands by the same draws: the loss is taken off, and what is kept widens."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.dynamics.banded_reading import LEAST_DRAWS, LEAST_KEPT, kept_share
from samovar_forecast.dynamics.bands import fewest_draws
from samovar_forecast.dynamics.bootstrap import newest_dynamics, resampled, stable_share
from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.exceptions import ConfigurationError
from tests.builders.members import average_var


@pytest.fixture(scope="module")
def average() -> DynamicVAR:
    return average_var(n_rows=30)


def test_draws_stand_around_the_estimate_less_the_loss_and_are_wider_by_what_is_kept(
    average,
) -> None:
    origins = list(average.origins[-2:])
    found = average.persistence(origins, bands="bootstrap", n_draws=4, level=0.5)
    rng = np.random.default_rng(0)
    readings = list(resampled(average, 2, random_state=rng))
    as_read = np.stack([reading.persistence(origins).values for reading in readings])
    own = newest_dynamics(average)
    lost = own - np.mean([newest_dynamics(reading) for reading in readings], axis=0)
    share = stable_share(own, lost)
    restored = np.stack(
        [
            reading.persistence(origins).values
            for reading in resampled(average, 2, random_state=rng, added=share * lost)
        ]
    )
    loss = as_read.mean(axis=0) - found.values
    kept = kept_share(as_read, restored, -share * loss)
    assert np.allclose(found.draws.mean(axis=0), found.values - loss)
    assert np.allclose(
        found.draws[0] - found.draws[1], np.sqrt(2) * (as_read[1] - as_read[0]) / kept
    )
    assert np.allclose(
        found.draws[2] - found.draws[3], np.sqrt(2) * (restored[1] - restored[0]) / kept
    )
    assert np.allclose(found.values, average.persistence(origins).values)


def test_an_answer_that_keeps_half_of_a_change_is_told_in_any_units() -> None:
    rng = np.random.default_rng(0)
    truth, change, units = rng.normal(size=6), rng.normal(size=6), 10.0 ** np.arange(6)
    as_read, restored = (
        0.5 * base + 0.01 * rng.normal(size=(50, 6)) for base in (truth, truth + change)
    )
    assert np.isclose(kept_share(as_read, restored, change), 0.5, atol=0.02)
    scaled = kept_share(as_read * units, restored * units, change * units)
    assert np.isclose(scaled, kept_share(as_read, restored, change))
    assert kept_share(as_read, as_read - change, change) == LEAST_KEPT
    assert kept_share(as_read, as_read + 3 * change, change) == 1
    assert kept_share(as_read, restored, 0 * change) == 1


def test_contributions_have_bands_for_the_values_that_were_observed(average) -> None:
    found = average.attribution(bands="bootstrap", n_draws=4, level=0.5)
    drawn = resampled(average, 2, random_state=0)
    coefs = np.mean([own.at(part="dynamics").coefs for own in drawn], axis=0)
    values = average.history.to_numpy()[::-1]
    values = values - values.mean(axis=0)
    lag, response, impulse = 2, 0, 1
    wanted = coefs[lag - 1, response, impulse] * values[lag - 1, impulse]
    frame = average.attribution().to_frame(average.names[response])
    rows = frame["source"].eq(average.names[impulse]) & frame["lag"].eq(lag)
    (place,) = np.flatnonzero(rows.fillna(False))
    estimate = frame["contribution"].iloc[place]
    assert np.isclose(found.draws[:2, place, response].mean(), 2 * estimate - wanted)
    assert {"lower", "upper"} <= set(found.to_frame())


def test_bands_want_draws(average) -> None:
    with pytest.raises(ConfigurationError, match="bands want draws"):
        average.persistence(bands="bootstrap", n_draws=1)


@pytest.mark.parametrize(
    ("bands", "n_draws", "level", "least"),
    [
        ("local", 18, 0.9, 19),
        ("bootstrap", 18, 0.9, 19),
        ("bootstrap", None, 0.99, 199),
        ("bootstrap", 3, 0.1, 4),
        ("local", 3, 0.6, 4),
    ],
)
def test_a_level_wants_a_draw_beyond_each_end_of_its_band(
    average, bands, n_draws, level, least
) -> None:
    given = {"bands": bands, "level": level}
    with pytest.raises(ConfigurationError, match=f"more draws.*wanted: n_draws={least} or more"):
        average.irf(1, n_draws=n_draws, **given)
    assert least == max(fewest_draws(level), LEAST_DRAWS[bands])
