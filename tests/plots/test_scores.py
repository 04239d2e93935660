"""The figures of scores: they show the numbers of the tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast import plots
from samovar_forecast.comparison import Comparison, GuardedVAR, RepeatSeason, compare
from samovar_forecast.exceptions import ConfigurationError
from tests.builders.plots import awkward_comparison, lines_of, plain_comparison, points_of


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return awkward_comparison()


@pytest.fixture(scope="module")
def plain() -> Comparison:
    return plain_comparison()


def test_the_errors_drawn_are_the_scores_by_step(plain):
    ax = plots.plot_errors_by_step(plain, "MASE")
    lines = lines_of(ax)
    assert set(lines) == {"VAR", "Naive"}
    np.testing.assert_array_equal(lines["VAR"], plain.scores("step")["MASE"]["VAR"])
    assert "MASE" in ax.get_ylabel()
    assert "4 origins" in ax.get_title(loc="left")


def test_errors_by_series_are_relative_to_the_best_classical_model(comparison):
    ax = plots.plot_errors_by_series(comparison)
    table = comparison.scores("series")["MSE"].unstack("model").loc[list(comparison.y)]
    best = comparison.best_classical
    other = next(model for model in comparison.models if model != best)
    shown = points_of(ax)[other.replace("$", r"\$")][0]
    np.testing.assert_allclose(shown, table[other] / table[best])
    assert next(tick.get_text() for tick in ax.get_yticklabels()) == "load"
    assert ax.get_xscale() == "log"


def test_of_many_series_those_are_drawn_on_which_models_differ_most(comparison):
    ax = plots.plot_errors_by_series(comparison, most=2)
    table = comparison.scores("series")["MSE"].unstack("model")
    ratio = table.max(axis=1) / table.min(axis=1)
    drawn = {tick.get_text().replace("\\", "").strip() for tick in ax.get_yticklabels()}
    assert drawn == set(ratio.nlargest(2).index)
    assert "the 2 of 4" in ax.get_title(loc="left")


def test_a_ratio_out_of_all_proportion_stands_at_the_edge_and_the_others_stay_apart():
    rng = np.random.default_rng(0)
    y = pd.DataFrame(rng.normal(size=(60, 2)).cumsum(axis=0), columns=["a", "stuck"])
    y.loc[30:, "stuck"] = y.loc[30, "stuck"] + 1e-6 * np.arange(30)
    found = compare(
        y, 2, {"VAR": GuardedVAR(), "Naive": RepeatSeason()}, n_origins=4, classical=False
    )
    ax = plots.plot_errors_by_series(found)
    low, high = ax.get_xlim()
    assert 0.01 < low < high < 100
    labels = [tick for tick in ax.get_xticks() if low < tick < high]
    assert 2 <= len(labels) <= 8


def test_a_constant_series_is_neither_drawn_nor_counted_among_those_left_out():
    y = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "b"])
    models = {"Naive": RepeatSeason()}
    found = compare(y.assign(flat=1.0), 2, models, n_origins=3, season=1, classical=False)
    ax = plots.plot_errors_by_series(found)
    assert ax.get_title(loc="left") == "MSE by series"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert "2 series" in plots.plot_errors_by_step(found).get_title(loc="left")


def test_errors_by_origin_are_those_of_the_table_in_their_order(comparison):
    ax = plots.plot_errors_by_origin(comparison)
    table = comparison.scores("origin")["MSE"].unstack("model")
    times, values = points_of(ax)["VAR"]
    np.testing.assert_allclose(values, table.loc[list(comparison.origins), "VAR"])
    assert (np.diff(times) > np.timedelta64(0)).all()


def test_calibration_draws_the_shares_of_the_table(comparison):
    reliability, coverage = plots.plot_calibration(comparison)
    table = comparison.calibration()
    np.testing.assert_allclose(points_of(reliability)["VAR"][1], table.loc["VAR", "below"])
    by_step = comparison.calibration("step").loc["VAR"]
    np.testing.assert_allclose(points_of(coverage)["VAR"][1], by_step["coverage", 0.8])


def test_without_intervals_there_is_no_calibration_to_draw():
    class Points(RepeatSeason):
        _tags = {"capability:pred_int": False}

    y = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), columns=["a", "b"])
    found = compare(y, 2, {"points": Points()}, n_origins=2, season=1, classical=False)
    with pytest.raises(ConfigurationError, match="no model has quantiles"):
        plots.plot_calibration(found)
