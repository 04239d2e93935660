"""Figures of coefficients and paths show what the results hold, and say what they show."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Arc

from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.plots.coefficients import (
    plot_attribution,
    plot_coefficient_paths,
    plot_influence_paths,
    plot_lag_profiles,
    plot_news,
)
from samovar_forecast.plots.layout import save_figure
from tests.builders.dynamics import dynamic


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    yield
    plt.close("all")


def test_lag_profiles_draw_the_coefficients_of_every_pair() -> None:
    model = dynamic(covariates=True)
    local = model.at()
    axes = plot_lag_profiles(local, responses=["b"], impulses=["a", "q"])
    assert axes.shape == (1, 2)
    assert np.allclose(axes[0, 0].lines[0].get_ydata(), local.coefs[:, 1, 0])
    assert np.allclose(axes[0, 1].lines[0].get_ydata(), local.past_effects[:, 1, 1])
    assert "2020-02-09" in axes[0, 0].get_figure()._suptitle.get_text()
    several = plot_lag_profiles({"now": local, "then": model.at("2020-01-20")}, max_lags=5)
    assert several.shape == (3, 3)
    assert [line.get_label() for line in several[0, 0].lines[:2]] == ["now", "then"]
    assert len(several[0, 0].lines[0].get_xdata()) == 5


def test_coefficient_paths_have_dates_and_bands() -> None:
    paths = dynamic().coefficient_paths([1, 2])[[("a", "a", 1), ("a", "b", 2)]]
    axes = plot_coefficient_paths(paths, lower=paths - 1, upper=paths + 1, truth=paths * 0)
    assert len(axes) == 2
    assert axes[1].get_title() == "a from b, lag 2"
    assert np.allclose(axes[0].lines[0].get_ydata(), paths["a", "a", 1])
    assert axes[0].lines[0].get_xdata()[0] == np.datetime64("2020-01-14")
    with pytest.raises(ConfigurationError, match="a lower and an upper bound"):
        plot_coefficient_paths(paths, lower=paths)
    with pytest.raises(ConfigurationError, match="no coefficient"):
        plot_coefficient_paths(paths.iloc[:, :0])


def test_influence_paths_are_arcs_that_end_in_the_forecast(tmp_path) -> None:
    paths = dynamic().tokens.influence_paths("b", step=2, top=8)
    ax = plot_influence_paths(paths, unit="EUR")
    arcs = [patch for patch in ax.patches if isinstance(patch, Arc)]
    right_ends = [arc.center[0] + arc.width / 2 for arc in arcs]
    assert max(right_ends) == 4  # beyond the last of four patches
    own = {kind == "endogenous" for kind in paths.table["from_kind"]}
    assert {arc.theta1 == 0 for arc in arcs} == own
    assert "EUR" in ax.get_legend().get_title().get_text()
    assert ax.get_xticklabels()[-1].get_text() == "forecast"
    assert save_figure(ax, tmp_path / "arcs.svg").stat().st_size > 1000


def test_an_attribution_is_drawn_by_source_and_lag() -> None:
    parts = dynamic(covariates=True, normalization="none").attribution()
    ax = plot_attribution(parts, "c", unit="MW")
    assert len(ax.get_legend().get_texts()) == 5  # three series, two past covariates
    assert np.allclose(ax.lines[2].get_ydata(), parts.series[:, 2, 2])
    assert ax.get_ylabel() == "contribution (MW)"
    assert ax.xaxis_inverted()


def test_news_lead_from_the_older_forecast_to_the_newer() -> None:
    old = dynamic(n_time=30)
    told = old.news(dynamic(n_time=31).history)
    ax = plot_news(told, "a")
    starts = [bar.get_x() for bar in ax.patches]
    ends = [bar.get_x() + bar.get_width() for bar in ax.patches]
    assert starts[0] == pytest.approx(told.old_forecast["a"])
    assert starts[1:] == pytest.approx(ends[:-1])
    assert ends[-1] == pytest.approx(told.new_forecast["a"], rel=1e-6)
    assert isinstance(told.table, pd.DataFrame)
