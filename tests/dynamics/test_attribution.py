"""A forecast is the sum of what every observation and covariate gave to it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.dynamics.panel_reading import read_var
from tests.builders.dynamics import dynamic
from tests.builders.members import average_var, linear_forecast, seasonal_frame


@pytest.mark.parametrize("normalization", ["last_patch", "window", "none"])
@pytest.mark.parametrize("covariates", [False, True])
@pytest.mark.parametrize("part", ["dynamics", "total"])
def test_attribution_adds_up_to_the_forecast(
    normalization: str, covariates: bool, part: str
) -> None:
    model = dynamic(normalization=normalization, covariates=covariates)
    for origin in (model.origins[0], model.origins[-1]):
        for horizon in (1, 4):
            parts = model.attribution(origin, horizon, part=part)
            forecast = model.forecast(origin).loc[horizon].to_numpy()
            assert np.allclose(parts.total(), forecast, rtol=1e-9)
            assert np.allclose(parts.forecast, forecast, rtol=1e-12)
            frame = parts.to_frame("b")
            assert frame["contribution"].sum() == pytest.approx(forecast[1], rel=1e-9)
    kinds = set(parts.to_frame("a")["kind"])
    assert kinds == {"series", "level"} | (
        {"past covariate", "future covariate", "static covariate"} if covariates else set()
    )


def test_a_contribution_is_coefficient_times_deviation_at_its_time() -> None:
    var = average_var()
    origin = var.origins[20]
    frame = var.attribution(origin, 2).to_frame(var.names[1]).query("kind == 'series'")
    by_time = frame[frame["source"].eq(var.names[2])].set_index("time")
    read = var.history.loc[:origin]
    coefs = var.coefs_at(2, origin, part="dynamics")
    for back in (0, 5, 19):
        time, value = read.index[-1 - back], read.iloc[-1 - back, 2]
        wanted = coefs[back, 1, 2] * (value - read.iloc[:, 2].mean())
        assert by_time.loc[time, "contribution"] == pytest.approx(wanted)
        assert by_time.loc[time, "lag"] == back + 1


def test_the_zero_of_a_series_moves_no_contribution_but_that_of_the_level() -> None:
    y = seasonal_frame(60)
    one, other = (
        read_var(frame, horizon=2).attribution().to_frame(y.columns[0]) for frame in (y, y + 100.0)
    )
    assert list(one["source"])[-1] == "level"
    np.testing.assert_allclose(
        one["contribution"].iloc[:-1], other["contribution"].iloc[:-1], atol=1e-4
    )
    assert other["contribution"].iloc[-1] - one["contribution"].iloc[-1] == pytest.approx(100.0)


def test_times_go_on_beyond_the_history_as_its_index_does() -> None:
    for index, later in (
        (pd.period_range("2000Q1", periods=40, freq="Q"), pd.Period("2010Q1", "Q")),
        (pd.date_range("2000-01-31", periods=40, freq="ME"), pd.Timestamp("2003-05-31")),
        (pd.RangeIndex(0, 80, 2), 80),
        (pd.Index([f"row {n}" for n in range(40)]), None),
    ):
        y = seasonal_frame(40).set_axis(index)
        times = average_var_on(y).data.times_read(39)
        assert times[-1 - 4] == index[-1]
        assert times[-4] == later
        early = average_var_on(y).data.times_read(20)
        assert early[:19] == (None,) * 19
        assert early[19] == index[0]
        assert early[-1] == index[24]


def average_var_on(y: pd.DataFrame) -> DynamicVAR:
    """Return a linear forecast of four steps on a history, of which all rows are read."""
    members = {"linear": linear_forecast(4)}
    return DynamicVAR.from_members(members, {"linear": np.ones((4, 3))}, y, context_length=len(y))


def test_local_draws_share_out_the_same_forecast_and_leave_effects_ahead() -> None:
    y = seasonal_frame(60)
    rng = np.random.default_rng(3)
    var = DynamicVAR.from_members(
        {"linear": linear_forecast(6, effect=True)},
        {"linear": np.ones((6, 3))},
        y,
        past_covariates=rng.normal(size=(60, 1)),
        future_covariates=rng.normal(size=(66, 2)),
    )
    found = var.attribution(bands="local", n_draws=4, level=0.5)
    assert found.bands == "local"
    assert np.allclose(found.draws.sum(axis=1), found.forecast)
    ahead = (found.to_frame(y.columns[0])["kind"] == "future covariate").to_numpy()
    assert ahead.sum() == 2 * (var.order + 6)
    assert np.allclose(found.draws[:, ahead], found.estimate[ahead])
    assert found.draws[:, :3].std() > 0
