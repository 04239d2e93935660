"""Figures of where a forecast comes from show what the results hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Arc

from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.plots import plot_attribution, plot_influence_paths, plot_news, save_figure
from tests.builders.dynamics import dynamic
from tests.builders.plots import points_of


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


def test_an_attribution_is_drawn_by_source_and_time() -> None:
    model = dynamic(covariates=True, normalization="none")
    parts = model.attribution(model.origins[-1])
    assert f"forecast of {parts.names[0]}" in plot_attribution(parts).get_title(loc="left")
    ax = plot_attribution(parts, "c", unit="MW")
    assert len(ax.get_legend().get_texts()) == 6  # three series, two past covariates, one ahead
    drawn = points_of(ax)
    ((label, (times, values)),) = [item for item in drawn.items() if item[0].startswith("c (")]
    n_drawn = len(values)
    np.testing.assert_allclose(values, parts.series[:n_drawn, 2, 2][::-1])
    assert pd.DatetimeIndex(times).equals(model.index[-n_drawn:])
    assert f"in all {parts.series[:, 2, 2].sum():+.3g}" in label
    ahead = next(at for name, (at, _) in drawn.items() if name.startswith("f ("))
    assert ahead[-1] == model.index[-1] + 4 * model.index.freq
    assert "deviations from the level\n(MW)" in ax.get_ylabel()
    assert f"from its level, {parts.from_level[2]:.4g}, to" in ax.get_title(loc="left")
    assert ax.get_xlabel() == "time of the value"


def test_without_times_an_attribution_is_drawn_by_lag() -> None:
    parts = dynamic().attribution()
    ax = plot_attribution(replace(parts, times=(None,) * len(parts.times)), max_lags=3)
    assert ax.xaxis_inverted()
    assert "units of a" in ax.get_ylabel()
    assert list(points_of(ax)[ax.get_legend().get_texts()[0].get_text()][0]) == [3, 2, 1]
    for wrong in (0, 2.5, True):
        with pytest.raises(ConfigurationError, match="max_lags"):
            plot_attribution(parts, max_lags=wrong)
    with pytest.raises(ConfigurationError, match="series to draw"):
        plot_attribution(parts, "zz")


def test_news_lead_from_the_older_forecast_to_the_newer() -> None:
    old = dynamic(n_time=30)
    told = old.news(dynamic(n_time=31).history)
    ax = plot_news(told)
    assert ax.get_xlabel() == "forecast of a (units of a)"
    starts = [bar.get_x() for bar in ax.patches]
    ends = [bar.get_x() + bar.get_width() for bar in ax.patches]
    assert starts[0] == pytest.approx(told.old_forecast["a"])
    assert starts[1:] == pytest.approx(ends[:-1])
    assert ends[-1] == pytest.approx(told.new_forecast["a"], rel=1e-6)
    with pytest.raises(ConfigurationError, match="series to draw"):
        plot_news(told, "zz")
