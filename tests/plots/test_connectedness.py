"""Figures of connectedness, spillovers and causality show what the results hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.dynamics.causality import predictive_causality
from samovar_forecast.dynamics.connectedness import Connectedness, connectedness
from samovar_forecast.plots import plot_causality, plot_connectedness, plot_spillovers
from tests.builders.plots import HISTORIES, NAMES, SIGMA, step, texts, words


def test_connectedness_is_drawn_over_the_dates_of_its_origins():
    dates = pd.period_range("2001Q1", periods=8, freq="Q")
    result = connectedness(step, HISTORIES, 4, sigma_u=SIGMA, names=NAMES, origins=dates)
    axes = plot_connectedness(result)
    np.testing.assert_allclose(axes[0].lines[0].get_ydata(), result.total)
    assert axes[0].lines[0].get_xdata()[0] == np.datetime64("2001-01-01")
    drawn = replace(result, draws=np.stack([result.values] * 3), bands="bootstrap", level=0.8)
    axes = plot_connectedness(drawn)
    assert "80% bootstrap band of the total" in words(axes)
    assert axes[0].get_ylim()[0] == 0
    low, high = axes[1].get_ylim()
    assert low < 0 < high


def test_a_single_origin_is_a_point_and_names_are_shown_as_they_are():
    names = ("_gap", "US$ $x_")
    result = connectedness(step, HISTORIES[:1], 4, sigma_u=SIGMA, names=names)
    axes = plot_connectedness(replace(result, draws=np.stack([result.values] * 3)))
    assert {line.get_marker() for line in (axes[0].lines[0], *axes[1].lines[1:])} == {"o"}
    assert axes[0].collections[0].get_linewidth()[0] > 0
    legend = [text.get_text() for text in axes[0].figure.legends[0].get_texts()]
    assert legend == [" _gap", r"US\$ \$x_"]
    for drawn in (axes[0], plot_spillovers(result)):
        drawn.figure.canvas.draw()


def test_the_network_points_from_the_giver_to_the_receiver():
    result = connectedness(step, HISTORIES, 4, sigma_u=SIGMA, names=NAMES)
    ax = plot_spillovers(result)
    assert len(ax.patches) == 1  # one pair, one arrow
    giver = result.net.mean().idxmax()
    assert f"{giver}\n+" in texts(ax)


@pytest.mark.parametrize("n_series", [2, 3, 6, 9])
def test_no_label_lies_under_a_node(n_series):
    rng = np.random.default_rng(n_series)
    shares = rng.dirichlet(np.ones(n_series), size=(1, n_series))
    names = tuple(f"series {n}" for n in range(n_series))
    ax = plot_spillovers(Connectedness(shares, names, ("now",), 4))
    figure = ax.get_figure()
    figure.canvas.draw()
    nodes = [dots for dots in ax.collections if len(dots.get_offsets()) == 1]
    assert len(nodes) == n_series
    for label in ax.texts:
        box = label.get_window_extent()
        for node in nodes:
            center = ax.transData.transform(node.get_offsets()[0])
            nearest = np.clip(center, [box.x0, box.y0], [box.x1, box.y1])
            radius = np.sqrt(node.get_sizes()[0]) / 2 * figure.dpi / 72  # marks: points across
            assert np.hypot(*(nearest - center)) >= radius


def test_only_significant_pairs_are_framed():
    rng = np.random.default_rng(0)
    cause, noise = rng.normal(size=(2, 100))
    actual = pd.DataFrame({"output": cause + noise, "prices": cause}, columns=list(NAMES))

    def learner(names):
        full = np.column_stack([cause, 0 * cause])
        return full if len(names) == 2 else np.zeros((100, 1))

    ax = plot_causality(predictive_causality(learner, actual))
    assert len(ax.patches) == 1
    frame = ax.patches[0]
    assert (round(frame.get_x() + 0.46), round(frame.get_y() + 0.46)) == (1, 0)


@pytest.mark.parametrize("n_series", [2, 3, 7])
def test_no_label_of_a_network_lies_on_a_node(n_series):
    names = tuple(f"a long name {number}" for number in range(n_series))
    values = np.random.default_rng(0).dirichlet(np.ones(n_series), size=(1, n_series))
    ax = plot_spillovers(Connectedness(values, names, ("now",), 4))
    figure = ax.get_figure()
    figure.canvas.draw()
    nodes = [marks for marks in ax.collections if len(marks.get_offsets())]
    for label in ax.texts:
        box = label.get_window_extent()
        for node in nodes:
            (place,) = ax.transData.transform(node.get_offsets())
            nearest = np.clip(place, [box.x0, box.y0], [box.x1, box.y1])
            radius = np.sqrt(node.get_sizes()[0]) / 2 * figure.dpi / 72
            assert np.hypot(*(nearest - place)) > radius
