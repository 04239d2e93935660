"""Figures of responses and decompositions show what the results hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from samovar_forecast.dynamics.bands import seed_ensemble
from samovar_forecast.dynamics.decompositions import fevd
from samovar_forecast.dynamics.responses import irf
from samovar_forecast.exceptions import ConfigurationError, MissingPackageError
from samovar_forecast.plots import plot_decomposition, plot_responses, save_figure
from tests.builders.plots import HISTORIES, NAMES, SIGMA, step, texts, words


def test_a_grid_of_responses_has_a_panel_for_each_pair_with_its_band(tmp_path):
    result = seed_ensemble(
        lambda one: irf(one, HISTORIES, 6, names=NAMES),
        [lambda w: step(w, 0.9), lambda w: step(w, 1.0), lambda w: step(w, 1.1)],
    )
    axes = plot_responses(replace(result, bands="local"), units={"prices": "percent"})
    assert axes.shape == (2, 2)
    np.testing.assert_allclose(axes[0, 1].lines[0].get_ydata(), result.estimate[:, 0, 1])
    assert len(axes[0, 1].collections) == 1  # the band
    for expected in ("shock to output", "prices (percent)", "after the shock", "90% local bands"):
        assert expected in words(axes)
    assert save_figure(axes, tmp_path / "responses.svg").stat().st_size > 1000


def test_a_rise_and_a_fall_are_drawn_over_one_another_under_their_names():
    both = {name: irf(step, HISTORIES, 4, size=size) for name, size in (("rise", 2), ("fall", -2))}
    axes = plot_responses(both, impulses=["y2"], responses=["y1"])
    assert axes.shape == (1, 1)
    assert [line.get_label() for line in axes[0, 0].lines[:2]] == ["rise", "fall"]
    assert "shock of 2 units" in texts(axes)  # the legend tells which of them falls
    fall = plot_responses(irf(step, HISTORIES, 4, size=-1.0))
    assert "shock of \N{MINUS SIGN}1 unit," in texts(fall)
    assert "rise" in texts(axes)


def test_shares_stack_to_one_hundred():
    axes = plot_decomposition(fevd(step, HISTORIES, 5, sigma_u=SIGMA, names=NAMES))
    tops = np.array([bar.get_y() + bar.get_height() for bar in axes[0].patches]).reshape(2, 5)
    np.testing.assert_allclose(tops[1], 100.0)
    assert "percent of the error variance" in texts(axes)


def test_a_single_period_is_a_point_and_its_band_a_bar():
    result = irf(step, HISTORIES, 0, names=NAMES)
    drawn = replace(result, draws=np.stack([result.estimate + off for off in (-1, 0, 1)]))
    ax = plot_responses(drawn)[0, 0]
    assert ax.lines[0].get_marker() == "o"
    assert ax.collections[0].get_linewidth()[0] > 0
    shares = fevd(step, HISTORIES, 1, sigma_u=SIGMA, names=NAMES)
    ax = plot_decomposition(replace(shares, draws=np.stack([shares.estimate] * 3)))[0]
    assert {line.get_marker() for line in ax.lines} == {"o"}
    longer = plot_responses(irf(step, HISTORIES, 3))[0, 0]
    assert longer.lines[0].get_marker() == "None"


def test_names_are_no_formulas_and_none_falls_out_of_the_legend():
    names = ("_gap", r"US$ $\frac$")
    shares = plot_decomposition(fevd(step, HISTORIES, 3, sigma_u=SIGMA, names=names))
    figure = shares[0].figure
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == [" _gap", r"US\$ \$\frac\$"]
    figure.canvas.draw()
    units = {"_gap": "$ per $"}
    plot_responses(irf(step, HISTORIES, 2, names=names), units=units)[0, 0].figure.canvas.draw()


def test_a_series_that_is_not_there_is_refused():
    with pytest.raises(ConfigurationError, match="no such series"):
        plot_responses(irf(step, HISTORIES, 2), impulses=["output"])
    with pytest.raises(ConfigurationError, match="nothing to draw"):
        plot_responses(irf(step, HISTORIES, 2), impulses=[])
    assert plot_responses(irf(step, HISTORIES, 2), impulses="y2").shape == (2, 1)


def test_units_stand_at_responses_and_shocks_or_are_those_of_the_response():
    plain = irf(step, HISTORIES, 2, names=NAMES)
    assert "units of the response" in texts(plot_responses(plain))
    axes = plot_responses(replace(plain, size=-2.0), units={"output": "EUR", "prices": "percent"})
    assert "shock to output\n(\N{MINUS SIGN}2 EUR)" in texts(axes)
    assert "Responses to a shock of \N{MINUS SIGN}2 units" in texts(axes)
    assert "units of the response" not in texts(axes)
    orthogonal = irf(step, HISTORIES, 2, names=NAMES, orth=True, sigma_u=SIGMA)
    assert "EUR)" not in plot_responses(orthogonal, units={"output": "EUR"})[0, 0].get_title()
    for wrong, found in (("percent", "'percent'"), ({"zz": "EUR"}, "'zz'")):
        with pytest.raises(ConfigurationError, match=found):
            plot_responses(plain, units=wrong)


def test_without_matplotlib_the_figure_says_how_to_get_it(uninstall):
    uninstall("matplotlib")
    with pytest.raises(MissingPackageError, match=r"samovar_forecast\[plots\]"):
        plot_responses(irf(step, HISTORIES, 2))
