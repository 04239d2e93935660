"""The average of members, read as a VAR: all that people ask, from the first rows on."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.linear.forecast import LinearForecast
from samovar_forecast.linear.linear_map import LinearMap
from tests.builders.dynamics import network_of
from tests.builders.members import (
    COVARIATES,
    SCALER,
    average_var,
    double_forecast,
    linear_forecast,
    pretrained,
    seasonal_frame,
)
from tests.builders.steps import COEFS, INTERCEPT


@pytest.fixture(scope="module")
def average() -> DynamicVAR:
    """Return the average of a linear forecast and the pretrained network."""
    return average_var()


def test_the_forecast_is_the_weighted_average_of_the_members_forecasts(average) -> None:
    window = SCALER.forward(seasonal_frame().to_numpy())[None]
    share = average.shares["pretrained"].to_numpy()
    linear = linear_forecast()(window, None)[0]
    wanted = (1 - share) * linear + share * double_forecast(window, 6, 12)[0]
    assert np.allclose(average.forecast().to_numpy(), wanted * SCALER.scale + SCALER.location)


def test_coefficients_and_intercept_give_the_forecast_back_at_every_origin(average) -> None:
    assert len(average.origins) == 60 - 7  # from the eighth row on
    for origin in (average.origins[0], average.origins[20], average.origins[-1]):
        local = average.at(origin, horizon=3)
        rows = np.nan_to_num(local.target)[::-1]
        rebuilt = local.intercept + np.einsum("lck,lk->c", local.coefs, rows)
        assert np.allclose(rebuilt, local.forecast)
        assert np.allclose(local.forecast, average.forecast(origin).loc[3])


def test_an_early_origin_is_read_as_if_the_history_ended_there(average) -> None:
    early = average_var(n_rows=21)
    origin = early.origins[-1]
    got, wanted = average.at(origin), early.at(origin)
    assert np.allclose(got.forecast, wanted.forecast)
    assert np.allclose(got.coefs[:21], wanted.coefs)
    assert np.all(got.coefs[21:] == 0)


def test_the_sums_are_one_as_far_as_the_pretrained_network_has_a_share(average) -> None:
    alone = average_var(share=1.0)
    assert not average.unit_roots_by_construction
    unit = SCALER.scale[:, None, None] / SCALER.scale
    linear = linear_forecast().map
    sums = linear.own[0].sum(-1) * np.eye(3) + (linear.cross[0] * unit).sum(1)
    share = average.shares["pretrained"].to_numpy()[0][:, None]
    wanted = (1 - share) * sums + share * np.eye(3)
    assert np.allclose(average.coefs.sum(0), wanted)
    assert alone.shares["pretrained"].iloc[0].eq(1.0).all()


def test_the_pretrained_network_alone_has_unit_roots_by_construction() -> None:
    shares = {"pretrained": np.ones((4, 3))}
    reading = DynamicVAR.from_members(
        {"pretrained": (pretrained(), 12)}, shares, seasonal_frame(40), scaler=SCALER
    )
    assert reading.unit_roots_by_construction
    assert reading.at().identities().hold(1e-9)
    assert reading.at().transient().shape == (39, 3, 3)


def test_a_linear_forecast_alone_is_its_own_var() -> None:
    lags = COEFS.transpose(1, 0, 2)[None]
    linear = LinearForecast(LinearMap.of(cross=lags, intercept=INTERCEPT[None]), {})
    y = np.random.default_rng(0).normal(size=(30, 3))
    reading = DynamicVAR.from_members({"linear": linear}, {"linear": np.ones((1, 3))}, y)
    assert np.array_equal(reading.coefs, COEFS)
    assert np.allclose(reading.intercept, INTERCEPT)
    assert reading.order == len(COEFS)
    assert len(reading.origins) == 30


@pytest.mark.parametrize("beside", [(), ("linear",)])
def test_a_trained_network_with_all_the_share_is_read_to_the_bit(beside: tuple[str, ...]) -> None:
    network, y = network_of(), seasonal_frame(40)
    alone = DynamicVAR.from_network(network, y, scaler=SCALER)
    members = {"trained": network} | {name: linear_forecast(4) for name in beside}
    shares = {name: np.full((4, 3), float(name == "trained")) for name in members}
    reading = DynamicVAR.from_members(members, shares, y, scaler=SCALER)
    assert np.array_equal(reading.coefs, alone.coefs)
    assert np.array_equal(reading.forecast(), alone.forecast())
    assert np.array_equal(reading.resid, alone.resid)
    assert np.array_equal(reading.irf(3).values, alone.irf(3).values)
    assert reading.origins.equals(alone.origins)
    assert reading.unit_roots_by_construction
    wanted = alone.tokens.influence_paths("load").table
    assert reading.tokens.influence_paths("load").table.equals(wanted)


def test_covariates_reach_every_member() -> None:
    rng = np.random.default_rng(3)
    y, known = seasonal_frame(40), COVARIATES.inverse(rng.normal(size=(48, 2)), np.zeros(2))
    members = {
        "linear": linear_forecast(4, effect=True),
        "pretrained": (pretrained(), 12, linear_forecast(effect=True).effect),
        "trained": network_of(n_past_covariates=1, n_future_covariates=2),
    }
    shares = {name: np.full((4, 3), 1 / 3) for name in members}
    past = rng.normal(size=(40, 1))
    options = {"scaler": SCALER, "future_scaler": COVARIATES}
    reading = DynamicVAR.from_members(
        members, shares, y, past_covariates=past, future_covariates=known, **options
    )
    local = reading.at(y.index[30], horizon=2)
    assert local.future_effects.shape == (44, 3, 2)  # four rows ahead, the second is forecast
    total = local.intercept + sum(
        np.einsum(f"{axes}->c", np.nan_to_num(part))
        for axes, part in (
            ("lck", local.coefs * local.target[::-1, None]),
            ("lcp", local.past_effects * local.past_covariates[::-1, None]),
            ("tcf", local.future_effects * local.future_covariates[:, None]),
        )
    )
    assert np.allclose(total, local.forecast)
    assert np.allclose(reading.attribution(y.index[30], 2).total(), local.forecast)
    moved = known.copy()
    moved[32] += 1e-4
    other = DynamicVAR.from_members(
        members, shares, y, past_covariates=past, future_covariates=moved, **options
    )
    change = (other.at(y.index[30], horizon=2).forecast - local.forecast) / 1e-4
    assert np.allclose(local.future_effects[-3].sum(-1), change, rtol=1e-3)


def test_a_multiplier_is_what_a_change_of_a_covariate_does_to_the_forecast() -> None:
    rng = np.random.default_rng(3)
    y, known = seasonal_frame(40), COVARIATES.inverse(rng.normal(size=(46, 2)), np.zeros(2))
    past = rng.normal(size=(40, 1))
    members = {
        "linear": linear_forecast(6, effect=True),
        "pretrained": (pretrained(), 12, linear_forecast(effect=True).effect),
    }
    shares = {name: np.full((6, 3), 0.5) for name in members}

    def read(future):
        return DynamicVAR.from_members(
            members,
            shares,
            y,
            scaler=SCALER,
            past_covariates=past,
            future_covariates=future,
            future_scaler=COVARIATES,
        )

    reading = read(known)
    found = reading.dynamic_multipliers()
    assert found.values.shape == (1, 6, 3, 3)
    assert found.impulses == ("past1", "future1", "future2")
    moved = known.copy()
    moved[40, 1] += 1e-3
    change = (read(moved).forecast() - reading.forecast()).to_numpy() / 1e-3
    assert np.allclose(found.values[0, :, :, 2], change, rtol=1e-4, atol=1e-8)
    assert (found.values[0, 0, :, 0] == 0).all()  # known up to the origin alone
    assert np.allclose(found.values[0, 1, :, 0], reading.at(part="dynamics").past_effects[0, :, 0])
    assert np.array_equal(reading.coefs_exog, found.values[0, 0])
    lasting = found.cumulative().values[0, 2, 0, 1]
    assert np.isclose(lasting, found.values[0, :3, 0, 1].sum())
    assert set(found.to_frame()["impulse"]) == set(found.impulses)
    assert len(found.by_origin()) == 6 * 9
    with pytest.raises(ConfigurationError, match="no such step"):
        reading.dynamic_multipliers(6)


def test_without_covariates_there_is_no_multiplier(average) -> None:
    with pytest.raises(ConfigurationError, match="no covariate that could change"):
        average.dynamic_multipliers()


def test_answers_of_the_trained_network_say_how_to_get_it(average) -> None:
    for ask in (lambda: average.tokens, lambda: average.config):
        with pytest.raises(ConfigurationError, match="train=True"):
            ask()
    with pytest.raises(DataError, match="no forecast can be made"):
        average.at(seasonal_frame().index[3])


def test_news_of_an_average_are_shared_out_over_what_changed() -> None:
    moved = average_var(n_rows=30, context_length=24).news(seasonal_frame(31))
    parts = moved.by_source()
    np.testing.assert_allclose(parts.sum(axis=1), moved.revision, rtol=1e-9)
    # Parts of different signs cancel, so what the forecast jumps by is held to the size of all.
    size = parts.drop(columns=("rounding", "")).abs().sum(axis=1)
    assert np.all(np.abs(moved.unexplained) <= 0.1 * size)


def test_what_people_ask_of_a_var_is_answered(average) -> None:
    origin = average.origins[-1]
    assert average.irf(3, orth=True).values.shape == (1, 4, 3, 3)
    assert average.fevd(3).values.shape[-1] == 3
    assert average.simulate(2, 3, random_state=0).shape == (2, 3, 3)
    assert isinstance(average.is_stable(), bool)
    assert average.to_statsmodels().k_ar == 60
    assert average.coefficient_paths([1], origins=[origin]).values.shape == (1, 9)


def test_the_summary_says_the_share_of_each_member(average) -> None:
    text = str(average.summary())
    assert "share of linear" in text
    assert "40.0% at step 1, 44.2% at step 6" in text
    assert "order (lags read)" in text
    assert "heads of" not in text


def test_news_are_shared_out_where_a_forecast_reads_all_rows() -> None:
    older = average_var(n_rows=30)
    frame = seasonal_frame(31)
    frame.iloc[20, 1] += 0.1
    moved = older.news(frame)
    assert set(moved.table["status"]) == {"new", "revised"}
    labels = set(moved.table["label"])
    assert labels == {frame.index[20], frame.index[30]}
    parts = moved.by_source()
    np.testing.assert_allclose(parts.sum(axis=1), moved.revision, rtol=1e-9)


def test_what_is_no_origin_step_or_lag_is_refused_by_name(average) -> None:
    last = average.origins[-1]
    for ask, what in (
        (lambda: average.persistence([]), "no origin was asked for"),
        (lambda: average.persistence(slice("foo", None)), "no time"),
        (lambda: average.persistence(slice(3.5, None)), "no slice of the times"),
        (lambda: average.at(horizon=2.0), "no such step"),
        (lambda: average.coefficient_paths(1.0, [last]), "no such lag"),
        (lambda: average.coefficient_paths([], [last]), "no such lag"),
        (lambda: average.irf(2, bands="local", level=90), "between 0 and 1"),
        (lambda: average.irf(2, bands="local", n_draws=20.0), "bands want draws"),
        (lambda: average.to_statsmodels(max_order=3.0), "no number of lags"),
    ):
        with pytest.raises((ConfigurationError, DataError), match=what):
            ask()
    one = average.coefficient_paths(np.int64(1), (last,)).values
    assert np.array_equal(one, average.coefficient_paths(1, [last]).values)
    assert average.at(last.to_timestamp()) is average.at(last)
