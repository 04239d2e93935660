"""The figure of forecasts: history, truth and every forecast at its time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast import plots
from samovar_forecast.comparison import Comparison, GuardedVAR, RepeatSeason, compare
from samovar_forecast.exceptions import ConfigurationError
from tests.builders.plots import awkward_comparison, lines_of, plain_comparison


class Seasonal(RepeatSeason):
    """A row that is not classical."""


class Other(RepeatSeason):
    """A row that is not classical."""


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return plain_comparison()


@pytest.fixture(scope="module")
def awkward() -> Comparison:
    return awkward_comparison()


def test_each_panel_shows_history_truth_and_every_forecast_of_its_series(comparison):
    axes = plots.plot_forecasts(comparison, origin=1, n_history=12, units={"load": "MW"})
    origin = comparison.origins[1]
    end = comparison.y.index.get_loc(origin) + 1
    assert [ax.get_title(loc="left") for ax in axes] == ["load", "wind", "sun", "price"]
    assert axes[0].get_ylabel() == "MW"
    for ax, series in zip(axes, comparison.y, strict=True):
        lines = lines_of(ax)
        np.testing.assert_array_equal(
            lines["observed"], comparison.y[series].iloc[end - 12 : end + 5]
        )
        for model in ("VAR", "Naive"):
            rows = comparison.forecasts
            rows = rows[(rows["model"] == model) & (rows["origin"] == origin)]
            np.testing.assert_array_equal(
                lines[model], rows.loc[rows["series"] == series, "y_pred"]
            )
        assert "Failing" not in lines


def test_some_of_the_series_can_be_drawn(comparison):
    axes = plots.plot_forecasts(comparison, series=["price", "load"])
    assert [ax.get_title(loc="left") for ax in axes] == ["price", "load"]
    with pytest.raises(ConfigurationError, match="'rain'"):
        plots.plot_forecasts(comparison, series=["rain"])


def test_forecasts_stand_at_the_time_they_are_for(comparison):
    ax = plots.plot_forecasts(comparison, origin=-1)[0]
    line = next(line for line in ax.get_lines() if line.get_label() == "VAR")
    times = pd.DatetimeIndex(line.get_xdata())
    assert times.equals(comparison.y.index[-5:].to_timestamp())
    titles = ax.get_figure().get_suptitle()
    assert str(comparison.origins[-1]) in titles


def test_what_cannot_be_drawn_is_refused_by_name(comparison):
    with pytest.raises(ConfigurationError, match="'Failing'"):
        plots.plot_forecasts(comparison, models=["Failing"])
    with pytest.raises(ConfigurationError, match="'RMSE'"):
        plots.plot_errors_by_step(comparison, "RMSE")


def test_the_interval_is_shaded_between_its_quantiles(awkward):
    axes = plots.plot_forecasts(awkward, interval_of="VAR")
    (band,) = axes[0].collections[-1].get_paths()
    rows = awkward.forecasts.query(
        "model == 'VAR' and series == 'load' and origin == @awkward.origins[-1]"
    )
    bounds = awkward.quantiles.loc[rows.index, [0.1, 0.9]].to_numpy()
    assert band.vertices[:, 1].min() == pytest.approx(bounds.min())
    assert band.vertices[:, 1].max() == pytest.approx(bounds.max())


def test_names_with_dollars_and_underscores_are_drawn_as_they_are(awkward):
    figure = plots.plot_forecasts(awkward)[0].get_figure()
    figure.canvas.draw()  # an unfinished formula would break here
    titles = [ax.get_title(loc="left").strip() for ax in figure.axes]
    assert titles == ["load", r"\$wind\$", "_sun", "x_{price"]


def test_ours_is_on_top_and_first_in_the_legend_with_at_most_four_rivals():
    rng = np.random.default_rng(0)
    y = pd.DataFrame(
        rng.normal(size=(60, 1)).cumsum(axis=0),
        columns=["load"],
        index=pd.period_range("2010-01", periods=60, freq="M"),
    )
    seasons = {f"{season} before": Seasonal(season) for season in (2, 3, 4, 6)}
    models = {"VAR": GuardedVAR(when_refused="ridge"), **seasons, "ours": Other()}
    found = compare(y, 2, models, n_origins=4, season=12, classical=True)
    (ax,) = plots.plot_forecasts(found)
    (legend,) = ax.get_figure().legends
    named = [text.get_text() for text in legend.get_texts()]
    rivals = found.scores()["MSE"].sort_values().index.drop("2 before")[:4]
    assert named == ["2 before", *rivals, "observed"]
    heights = {line.get_label(): line.get_zorder() for line in ax.get_lines()}
    assert max(heights, key=heights.get) == "2 before"
    axes = plots.plot_forecasts(found, models=["Naive", "ours"])
    named = [text.get_text() for text in axes[0].get_figure().legends[0].get_texts()]
    assert named == ["ours", "Naive", "observed"]


def test_a_comparison_draws_itself(comparison):
    axes = comparison.plot(1, series=["load"], n_history=12)
    np.testing.assert_array_equal(
        lines_of(axes[0])["VAR"],
        lines_of(plots.plot_forecasts(comparison, 1, series=["load"])[0])["VAR"],
    )
