"""Figures of responses, decompositions and spillovers show what the results hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.dynamics.bands import seed_ensemble
from samovar_forecast.dynamics.causality import predictive_causality
from samovar_forecast.dynamics.connectedness import connectedness
from samovar_forecast.dynamics.decompositions import fevd
from samovar_forecast.dynamics.responses import irf
from samovar_forecast.exceptions import ConfigurationError, MissingPackageError
from samovar_forecast.plots.layout import save_figure
from samovar_forecast.plots.responses import (
    plot_causality,
    plot_connectedness,
    plot_decomposition,
    plot_responses,
    plot_spillovers,
)

pytest.importorskip("matplotlib")

NAMES = ("output", "prices")
MATRIX = np.array([[0.6, 0.3], [0.0, 0.5]])
SIGMA = np.array([[1.0, 0.3], [0.3, 1.0]])
HISTORIES = np.zeros((8, 3, 2))


def step(windows, factor=1.0):
    return factor * windows[:, -1] @ MATRIX.T


def texts(axes):
    figure = np.ravel(axes)[0].get_figure(root=True)
    return " | ".join(text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text")))


def test_a_grid_of_responses_has_a_panel_for_each_pair_with_its_band(tmp_path):
    result = seed_ensemble(
        lambda one: irf(one, HISTORIES, 6, names=NAMES),
        [lambda w: step(w, 0.9), lambda w: step(w, 1.0), lambda w: step(w, 1.1)],
    )
    axes = plot_responses(result, units={"prices": "percent"})
    assert axes.shape == (2, 2)
    np.testing.assert_allclose(axes[0, 1].lines[0].get_ydata(), result.estimate[:, 0, 1])
    assert len(axes[0, 1].collections) == 1  # the band
    for words in ("shock to output", "prices\n(percent)", "periods after the shock", "90% bands"):
        assert words in texts(axes)
    assert save_figure(axes, tmp_path / "responses.svg").stat().st_size > 1000


def test_a_rise_and_a_fall_are_drawn_over_one_another_under_their_names():
    both = {name: irf(step, HISTORIES, 4, size=size) for name, size in (("rise", 2), ("fall", -2))}
    axes = plot_responses(both, impulses=["y2"], responses=["y1"])
    assert axes.shape == (1, 1)
    assert [line.get_label() for line in axes[0, 0].lines[:2]] == ["rise", "fall"]
    assert "shock of 2 units" in texts(axes)
    assert "rise" in texts(axes)
    _close(axes)


def test_shares_stack_to_one_hundred():
    axes = plot_decomposition(fevd(step, HISTORIES, 5, sigma_u=SIGMA, names=NAMES))
    tops = np.array([bar.get_y() + bar.get_height() for bar in axes[0].patches]).reshape(2, 5)
    np.testing.assert_allclose(tops[1], 100.0)
    assert "percent of the error variance" in texts(axes)
    _close(axes)


def test_connectedness_is_drawn_over_the_dates_of_its_origins():
    dates = pd.period_range("2001Q1", periods=8, freq="Q")
    result = connectedness(step, HISTORIES, 4, sigma_u=SIGMA, names=NAMES, origins=dates)
    axes = plot_connectedness(result)
    np.testing.assert_allclose(axes[0].lines[0].get_ydata(), result.total)
    assert axes[0].lines[0].get_xdata()[0] == np.datetime64("2001-01-01")
    _close(axes)


def test_the_network_points_from_the_giver_to_the_receiver():
    result = connectedness(step, HISTORIES, 4, sigma_u=SIGMA, names=NAMES)
    ax = plot_spillovers(result)
    assert len(ax.patches) == 1  # one pair, one arrow
    giver = result.net.mean().idxmax()
    assert f"{giver}\n+" in texts(ax)
    _close(ax)


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
    _close(ax)


def test_a_series_that_is_not_there_is_refused():
    with pytest.raises(ConfigurationError, match="no such series"):
        plot_responses(irf(step, HISTORIES, 2), impulses=["output"])


def test_without_matplotlib_the_figure_says_how_to_get_it(uninstall):
    uninstall("matplotlib")
    with pytest.raises(MissingPackageError, match=r"samovar_forecast\[plots\]"):
        plot_responses(irf(step, HISTORIES, 2))


def _close(axes):
    from matplotlib import pyplot as plt

    plt.close(np.ravel(axes)[0].get_figure(root=True))
