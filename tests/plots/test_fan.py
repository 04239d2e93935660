"""The fan opens at the last known value, wider the larger the coverage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast import plots
from samovar_forecast.exceptions import ConfigurationError
from tests.builders.plots import lines_of


@pytest.fixture
def frames():
    past = pd.period_range("2000-01", periods=40, freq="M")
    ahead = pd.period_range("2003-05", periods=3, freq="M")
    y = pd.DataFrame({"load": np.arange(40.0), "wind": np.arange(40.0) ** 2}, past)
    forecast = pd.DataFrame({"load": [40.0, 41.0, 42.0], "wind": [1600.0, 1681.0, 1764.0]}, ahead)
    columns = pd.MultiIndex.from_product([["load", "wind"], [0.5, 0.8], ["lower", "upper"]])
    around = np.tile([-1.0, 1.0, -2.0, 2.0], 2)
    values = np.repeat(forecast.to_numpy(), 4, axis=1) + around
    return y, forecast, pd.DataFrame(values, ahead, columns)


def test_each_panel_continues_its_series_inside_two_intervals(frames):
    y, forecast, intervals = frames
    axes = plots.plot_fan(y, forecast, intervals, n_history=10, units={"load": "MW"}, label="ours")
    assert [ax.get_title(loc="left") for ax in axes] == ["load", "wind"]
    assert axes[0].get_ylabel() == "MW"
    for ax, name in zip(axes, y, strict=True):
        lines = lines_of(ax)
        np.testing.assert_array_equal(lines["observed"], y[name].iloc[-10:])
        np.testing.assert_array_equal(lines["ours"], [y[name].iloc[-1], *forecast[name]])
    inner, outer = (band.get_paths()[0].get_extents().height for band in axes[0].collections)
    assert inner < outer
    labels = [text.get_text() for text in axes[0].get_figure().legends[0].get_texts()]
    assert labels == ["ours", "50 % interval", "80 % interval", "observed"]
    assert "2003-04" in axes[0].get_figure().get_suptitle()


def test_a_dollar_in_a_title_is_no_formula(frames, tmp_path):
    axes = plots.plot_fan(*frames, title=r"Costs $\frac{1$")
    assert plots.save_figure(axes, tmp_path / "fan.png").stat().st_size > 1000


def test_without_a_last_value_the_fan_begins_at_the_first_step(frames):
    y, forecast, intervals = frames
    y.iloc[-1, 0] = np.nan
    (ax,) = plots.plot_fan(y, forecast, intervals, series=["load"])
    np.testing.assert_array_equal(lines_of(ax)["forecast"], forecast["load"])


def test_units_of_no_series_and_no_rows_of_history_are_refused(frames):
    with pytest.raises(ConfigurationError, match="units of a series; found: 'Load'"):
        plots.plot_fan(*frames, units={"Load": "MW"})
    for wrong in (0, -3, 2.5):
        with pytest.raises(ConfigurationError, match="n_history; found"):
            plots.plot_fan(*frames, n_history=wrong)
    (ax,) = plots.plot_fan(*frames, series=["load"], n_history=1, units={"wind": "m/s"})
    np.testing.assert_array_equal(lines_of(ax)["observed"], [39.0])
    (observed,) = [line for line in ax.lines if line.get_label() == "observed"]
    assert observed.get_marker() == "o"


def test_a_series_without_a_forecast_is_refused(frames):
    with pytest.raises(ConfigurationError, match="'rain'"):
        plots.plot_fan(*frames, series=["rain"])
