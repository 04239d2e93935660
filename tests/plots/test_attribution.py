"""Figures of where a forecast comes from show what the results hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Arc

from samovar_forecast.plots import plot_attribution, plot_influence_paths, plot_news, save_figure
from tests.builders.dynamics import dynamic


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
    assert f"forecast of {parts.names[0]}" in plot_attribution(parts).get_title(loc="left")
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
