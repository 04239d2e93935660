"""The metrics: numbers known from elsewhere, and a metric of the user's own in every table."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sktime.performance_metrics.forecasting import (
    mean_absolute_error,
    mean_absolute_scaled_error,
    mean_squared_error,
    mean_squared_scaled_error,
)

from samovar_forecast.comparison import GuardedVAR, RepeatSeason
from samovar_forecast.comparison.metrics import (
    LEVELS,
    METRICS,
    Metric,
    Unit,
    absolute_error,
    crps,
    register_metric,
)
from samovar_forecast.exceptions import ConfigurationError
from tests.builders.comparison import compare, forecasts_of, simulated_var


def test_scores_are_those_of_sktimes_metrics_on_standardised_series(comparison):
    y = comparison.y
    first = y.iloc[: comparison.n_first]
    expected = {"MSE": [], "MAE": [], "MASE": []}
    for origin in comparison.origins:
        of_origin = forecasts_of(comparison, "VAR", origin)
        wide = of_origin.pivot(index="time", columns="series", values="y_pred")[y.columns]
        truth = y.loc[wide.index]
        arrays = truth.to_numpy(), wide.to_numpy()
        scaled = [(frame - first.mean()) / first.std() for frame in (truth, wide)]
        expected["MSE"].append(mean_squared_error(*scaled))
        expected["MAE"].append(mean_absolute_error(*scaled))
        # By series: sktime's own average would divide the mean error by the mean scale.
        by_series = mean_absolute_scaled_error(
            *arrays, y_train=first.to_numpy(), sp=4, multioutput="raw_values"
        )
        expected["MASE"].append(by_series.mean())
    means = {metric: np.mean(values) for metric, values in expected.items()}
    assert comparison.season == 4
    assert comparison.scores().loc["VAR", list(means)].to_dict() == pytest.approx(means, rel=1e-12)


def test_rmsse_is_sktimes_at_one_origin():
    found = compare(simulated_var(), 4, {"VAR": GuardedVAR()}, n_origins=1, season=4)
    wide = found.forecasts.pivot(index="time", columns="series", values="y_pred")[found.y.columns]
    expected = mean_squared_scaled_error(
        found.y.loc[wide.index].to_numpy(),
        wide.to_numpy(),
        y_train=found.y.iloc[: found.n_first].to_numpy(),
        sp=4,
        multioutput="raw_values",
        square_root=True,
    )
    assert found.scores().loc["VAR", "RMSSE"] == pytest.approx(expected.mean(), rel=1e-12)
    by_series = found.scores("series").loc["VAR", "RMSSE"]
    np.testing.assert_allclose(by_series, expected)


def test_the_crps_of_normal_quantiles_is_that_of_the_normal_distribution():
    truth = np.linspace(-1.5, 1.5, 7)
    quantiles = np.tile(norm.ppf(LEVELS), (7, 1))
    # Gneiting and Raftery (2007), eq. 5.
    exact = truth * (2 * norm.cdf(truth) - 1) + 2 * norm.pdf(truth) - 1 / np.sqrt(np.pi)
    np.testing.assert_allclose(crps(truth, quantiles), exact, rtol=0.03)
    sharp = np.zeros((7, len(LEVELS)))
    np.testing.assert_allclose(crps(truth, sharp), np.abs(truth) * 0.95)


def test_the_units_of_a_series_do_not_change_the_scores(comparison):
    factors = pd.Series({"a": 1e6, "b": 1e-3, "c": 7.0})
    other = compare(simulated_var() * factors, 6, {"VAR": GuardedVAR()}, n_origins=8)
    np.testing.assert_allclose(other.scores().loc["VAR"], comparison.scores().loc["VAR"], rtol=1e-6)


# ---------------------------------------------------------------- a metric of the user's own

HITS = Metric(
    "Hits",
    Unit(axis="share of forecasts", words="the share of forecasts within a deviation of the truth"),
    loss=lambda forecasts: (absolute_error(forecasts) < 1).astype(float),
    lower_is_better=False,
)


@pytest.fixture
def hits():
    yield register_metric(HITS)
    del METRICS[HITS.name]


def test_a_metric_that_is_registered_stands_in_leaderboard_text_report_and_figures(hits):
    pytest.importorskip("jinja2", reason="the report is an extra")
    from matplotlib import pyplot as plt

    from samovar_forecast import plots
    from samovar_forecast.report import render_report

    models = {"VAR": GuardedVAR(), "Naive": RepeatSeason()}
    found = compare(simulated_var(), 4, models, n_origins=6, season=1)
    expected = (found.errors["MAE"] < 1).groupby(found.errors["model"]).mean()
    overall = found.leaderboard()["Hits", "all"]
    assert overall.to_dict() == pytest.approx(expected.to_dict())
    assert overall["VAR"] > overall["Naive"]

    lines = str(found).splitlines()
    head = next(i for i, line in enumerate(lines) if " Hits " in line and "---" in line)
    of_var, of_naive = (
        next(line for line in lines[head:] if line.startswith(name)) for name in models
    )
    assert of_var.endswith(f"{overall['VAR']:.3f}*")
    assert of_naive.endswith(f"{overall['Naive']:.3f}")
    words = " ".join(str(found).split())
    assert "; Hits is the share of forecasts within a deviation of the truth." in words
    assert "Lower is better (higher for Hits)" in words

    page = render_report(found)
    assert '<th scope="col">Hits</th>' in page
    assert '<th colspan="4" scope="colgroup">Hits</th>' in page
    assert f'<td class="number best">{overall["VAR"]:.3f}</td>' in page
    assert "Hits is the share of forecasts within a deviation of the truth." in page

    ax = plots.plot_errors_by_step(found, "Hits")
    assert ax.get_ylabel() == "Hits (share of forecasts)"
    drawn = {line.get_label(): line.get_ydata() for line in ax.get_lines()}
    np.testing.assert_array_equal(drawn["VAR"], found.scores("step")["Hits"]["VAR"])
    plt.close("all")


def test_a_comparison_that_was_made_before_can_be_given_a_metric(comparison):
    assert "Hits" not in comparison.scores()
    scored = dataclasses.replace(comparison, metrics=[*comparison.metrics, HITS])
    assert scored.scores()["Hits"].between(0, 1).all()
    pd.testing.assert_frame_equal(scored.scores()[list(METRICS)], comparison.scores())


@pytest.mark.parametrize("name", ["MSE", "squared_scaled", "step"])
def test_a_name_that_is_taken_is_refused(name):
    with pytest.raises(ConfigurationError, match=f"metric is taken; found: '{name}'"):
        register_metric(HITS._replace(name=name))
    assert len(METRICS) == 5
