"""The figures: they show the numbers they are given, and nothing else."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from samovar_forecast import plots
from samovar_forecast.comparison import Comparison, GuardedVAR, RepeatSeason, compare
from samovar_forecast.exceptions import ConfigurationError, MissingPackageError


class Fails(RepeatSeason):
    """A forecaster that never forecasts."""

    def _learn(self, values):
        raise RuntimeError("no")


@pytest.fixture(autouse=True)
def no_figure_is_left_open():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    rng = np.random.default_rng(0)
    y = pd.DataFrame(
        rng.normal(size=(60, 4)).cumsum(axis=0),
        columns=["load", "wind", "sun", "price"],
        index=pd.period_range("2010-01", periods=60, freq="M"),
    )
    models = {"VAR": GuardedVAR(), "Naive": RepeatSeason(), "Failing": Fails()}
    return compare(y, 5, models, n_origins=4, season=1, classical=False)


def lines_of(ax) -> dict[str, np.ndarray]:
    return {line.get_label(): line.get_ydata() for line in ax.get_lines()}


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


def test_the_errors_drawn_are_the_scores_by_step(comparison):
    ax = plots.plot_errors_by_step(comparison, "MASE")
    lines = lines_of(ax)
    assert set(lines) == {"VAR", "Naive"}
    np.testing.assert_array_equal(lines["VAR"], comparison.scores("step")["MASE"]["VAR"])
    assert "MASE" in ax.get_ylabel()
    assert "4 origins" in ax.get_title(loc="left")


def test_a_model_has_one_colour_in_all_figures(comparison):
    by_step = plots.plot_errors_by_step(comparison, models=["Naive"]).get_lines()[0]
    in_time = plots.plot_forecasts(comparison, models=["Naive"])[0]
    line = next(line for line in in_time.get_lines() if line.get_label() == "Naive")
    assert by_step.get_color() == line.get_color()


def test_lag_matrices_are_drawn_effect_first_on_one_symmetric_scale():
    coefs = np.zeros((3, 2, 2))
    coefs[1, 0, 1] = -0.8  # the second series acts on the first, two steps later
    axes = plots.plot_lag_matrices(coefs, ["response", "impulse"])
    assert [ax.get_title() for ax in axes] == ["lag 1", "lag 2", "lag 3"]
    image = axes[1].get_images()[0]
    np.testing.assert_array_equal(image.get_array(), coefs[1])
    assert image.get_clim() == (-0.8, 0.8)
    assert {ax.get_images()[0].get_clim() for ax in axes} == {(-0.8, 0.8)}
    by_place = {text.get_position(): text.get_text() for text in axes[1].texts}
    assert by_place[1, 0] == "\N{MINUS SIGN}0.80"
    assert by_place[0, 1] == "0.00"
    assert axes[0].get_ylabel() == "response"
    assert axes[0].get_xlabel() == "impulse"


def test_lags_left_out_are_said_to_be():
    axes = plots.plot_lag_matrices(np.ones((5, 1, 1)), ["a"], title="VAR", max_lags=2)
    assert len(axes) == 2
    assert axes[0].get_figure().get_suptitle() == "VAR, lags 1 to 2 of 5"


@pytest.mark.parametrize("shape", [(2, 2), (1, 3, 2), (0, 2, 2)])
def test_matrices_that_do_not_fit_the_names_are_refused(shape):
    with pytest.raises(ConfigurationError, match=r"wanted: \(order, 2, 2\)"):
        plots.plot_lag_matrices(np.ones(shape), ["a", "b"])


def test_what_cannot_be_drawn_is_refused_by_name(comparison):
    with pytest.raises(ConfigurationError, match="'Failing'"):
        plots.plot_forecasts(comparison, models=["Failing"])
    with pytest.raises(ConfigurationError, match="'RMSE'"):
        plots.plot_errors_by_step(comparison, "RMSE")


def test_a_figure_of_the_users_own_is_drawn_on(comparison):
    figure = Figure()
    upper, lower = figure.subfigures(2, 1)
    axes = plots.plot_forecasts(comparison, figure=upper)
    ax = plots.plot_errors_by_step(comparison, ax=lower.subplots())
    assert axes[0].get_figure(root=True) is figure
    assert ax.get_figure(root=True) is figure
    assert plt.get_fignums() == []


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_a_saved_figure_is_written_and_closed(tmp_path, suffix):
    axes = plots.plot_lag_matrices(np.ones((1, 2, 2)), ["a", "b"])
    path = plots.save_figure(axes, tmp_path / f"lags.{suffix}")
    assert path.stat().st_size > 1000
    assert plt.get_fignums() == []


def test_without_matplotlib_the_message_says_what_to_install(uninstall):
    uninstall("matplotlib")
    with pytest.raises(MissingPackageError, match=r"matplotlib.*\[plots\]"):
        plots.plot_lag_matrices(np.ones((1, 1, 1)), ["a"])
