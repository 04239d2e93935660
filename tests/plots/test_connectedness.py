"""Figures of connectedness, spillovers and causality show what the results hold."""

from __future__ import annotations

import numpy as np
import pandas as pd

from samovar_forecast.dynamics.causality import predictive_causality
from samovar_forecast.dynamics.connectedness import connectedness
from samovar_forecast.plots import plot_causality, plot_connectedness, plot_spillovers
from tests.builders.plots import HISTORIES, NAMES, SIGMA, step, texts


def test_connectedness_is_drawn_over_the_dates_of_its_origins():
    dates = pd.period_range("2001Q1", periods=8, freq="Q")
    result = connectedness(step, HISTORIES, 4, sigma_u=SIGMA, names=NAMES, origins=dates)
    axes = plot_connectedness(result)
    np.testing.assert_allclose(axes[0].lines[0].get_ydata(), result.total)
    assert axes[0].lines[0].get_xdata()[0] == np.datetime64("2001-01-01")


def test_the_network_points_from_the_giver_to_the_receiver():
    result = connectedness(step, HISTORIES, 4, sigma_u=SIGMA, names=NAMES)
    ax = plot_spillovers(result)
    assert len(ax.patches) == 1  # one pair, one arrow
    giver = result.net.mean().idxmax()
    assert f"{giver}\n+" in texts(ax)


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
