"""Bands by the bootstrap: the VAR draws histories, and its members are asked again."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.dynamics import bootstrap
from samovar_forecast.dynamics.bootstrap import newest_dynamics, resampled, stable_share
from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.frames.scaler import Scaler
from samovar_forecast.linear.forecast import LinearForecast
from samovar_forecast.linear.simulate import simulate_var
from tests.builders.dynamics import dynamic
from tests.builders.members import average_var, linear_var


@pytest.fixture(scope="module")
def average() -> DynamicVAR:
    return average_var(n_rows=50)


def test_the_errors_that_were_made_give_the_history_itself(average, monkeypatch) -> None:
    made = []

    def as_they_were(errors, n_draws, *_):
        made.append(errors)
        return np.broadcast_to(errors, (n_draws, *errors.shape))

    monkeypatch.setattr(bootstrap, "draw_blocks", as_they_were)
    (drawn,) = resampled(average, 1)
    assert np.allclose(drawn.history, average.history, rtol=1e-9)
    assert np.allclose(made[0], average.resid, rtol=1e-6, atol=1e-6)


def test_a_band_costs_no_training_and_holds_its_level(average) -> None:
    found = average.irf(3, bands="bootstrap", level=0.6, n_draws=5)
    assert found.draws.shape == (5, 4, 3, 3)
    lower, upper = found.band()
    assert (lower[1:] < upper[1:]).any()
    assert np.array_equal(found.band(), found.band(0.6))
    assert {"lower", "upper"} <= set(found.to_frame())
    again = average.irf(3, bands="bootstrap", level=0.6, n_draws=5)
    assert np.array_equal(found.draws, again.draws)
    assert "5 bootstrap draws" in repr(found)
    assert len(repr(found)) < 120


def test_what_is_added_is_followed_beside_the_dynamics(average) -> None:
    own = newest_dynamics(average)
    (plain,) = resampled(average, 1, random_state=0)
    (same,) = resampled(average, 1, random_state=0, added=0 * own)
    (other,) = resampled(average, 1, random_state=0, added=0.1 * own)
    assert np.array_equal(plain.history, same.history)
    assert not np.allclose(plain.history, other.history)
    local = average.at(part="dynamics")
    assert np.allclose(own[:, ::-1].swapaxes(0, 1), local.coefs[: own.shape[1]])


@pytest.mark.parametrize(
    ("slope", "added", "share"), [(0.5, 0.4, 1.0), (0.9, 0.2, 0.4), (1.0, 0.1, 0.0)]
)
def test_an_addition_is_taken_as_far_as_the_dynamics_stay_stable(slope, added, share) -> None:
    assert stable_share(np.full((1, 1, 1), slope), np.full((1, 1, 1), added)) == share


def test_bands_that_cannot_be_drawn_are_refused(average) -> None:
    with pytest.raises(ConfigurationError, match="would have to be trained again"):
        dynamic().irf(2, bands="bootstrap")
    with pytest.raises(ConfigurationError, match="no such bands"):
        average.irf(2, bands="normal")
    with pytest.raises(DataError, match="too few one-step errors"):
        average_var(n_rows=20).irf(2, bands="bootstrap")


def test_errors_are_drawn_from_times_at_which_every_series_was_observed() -> None:
    coefs, covariance = np.array([[[0.6, 0.3], [0.1, 0.5]]]), np.array([[1.0, 0.5], [0.5, 2.0]])
    y = simulate_var(coefs, 400, noise_covariance=covariance, random_state=0)
    y[np.arange(400) % 3 != 2, 1] = np.nan
    var = linear_var(coefs, y)
    drawn = resampled(var, 40, random_state=0)
    assert drawn[0].resid.index.equals(var.resid.index)
    mean = np.mean([own.sigma_u for own in drawn], axis=0)
    assert np.allclose(mean / var.sigma_u, 1, atol=0.1)
    found = var.irf(0, orth=True, bands="bootstrap")
    lower, upper = found.band()
    inside = (lower <= found.estimate) & (found.estimate <= upper)
    assert inside.all()
    # A single series each time: no error is known together with the other.
    y[np.arange(400) % 3 == 2, 0] = np.nan
    with pytest.raises(DataError, match="0 times at which every series was observed"):
        resampled(linear_var(coefs, y), 1)


def test_a_draw_has_the_covariance_that_it_was_given(average) -> None:
    given = DynamicVAR(average._map, average.data, sigma_u=np.diag([3.0, 2.0, 1.0]))
    (drawn,) = resampled(given, 1, random_state=0)
    assert np.array_equal(drawn.sigma_u, given.sigma_u)
    (drawn,) = resampled(average, 1, random_state=0)
    errors = drawn.resid.to_numpy()
    assert np.allclose(drawn.sigma_u, np.cov(errors.T, ddof=0))


def test_a_single_series_has_bands_of_its_decomposition_too(average) -> None:
    members = {"linear": average._map.parts["linear"].linear.map.of_series(slice(0, 1))}
    shares = {"linear": np.ones((6, 1))}
    alone = DynamicVAR.from_members(
        {name: LinearForecast(own, {}) for name, own in members.items()},
        shares,
        average.history.iloc[:, :1],
        scaler=Scaler(np.array([50.0]), np.array([4.0])),
    )
    found = alone.fevd(2, bands="bootstrap", n_draws=4, level=0.5)
    assert np.allclose(found.draws, 1)
