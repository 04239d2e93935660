"""Comparisons and processes that the tests of plots share, and what they read off a figure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from samovar_forecast.comparison import Comparison, GuardedVAR, RepeatSeason, compare
from tests.builders.comparison import Fails

NAMES = ("output", "prices")
MATRIX = np.array([[0.6, 0.3], [0.0, 0.5]])
SIGMA = np.array([[1.0, 0.3], [0.3, 1.0]])
HISTORIES = np.zeros((8, 3, 2))


def step(windows, factor=1.0):
    """Return the next rows of a VAR(1)."""
    return factor * windows[:, -1] @ MATRIX.T


def texts(axes):
    """Return every text of the figure that some Axes stand on."""
    figure = np.ravel(axes)[0].get_figure(root=True)
    return " | ".join(text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text")))


def words(axes):
    """Return the same in one line: a long title takes as many lines as its figure asks for."""
    return " ".join(texts(axes).split())


def plain_comparison() -> Comparison:
    """Two models that forecast four series, and a model that fails."""
    rng = np.random.default_rng(0)
    y = pd.DataFrame(
        rng.normal(size=(60, 4)).cumsum(axis=0),
        columns=["load", "wind", "sun", "price"],
        index=pd.period_range("2010-01", periods=60, freq="M"),
    )
    models = {"VAR": GuardedVAR(when_refused="ridge"), "Naive": RepeatSeason(), "Failing": Fails()}
    return compare(y, 5, models, n_origins=4, season=1, classical=False)


def awkward_comparison() -> Comparison:
    """Two models and four series with names that matplotlib would take for something else."""
    rng = np.random.default_rng(0)
    names = ["load", "$wind$", "_sun", "x_{price"]
    y = pd.DataFrame(
        rng.normal(size=(60, 4)).cumsum(axis=0),
        columns=names,
        index=pd.period_range("2010-01", periods=60, freq="M"),
    )
    models = {"VAR": GuardedVAR(when_refused="ridge"), "Naive $5": RepeatSeason()}
    return compare(y, 5, models, n_origins=4, season=1, classical=False)


def points_of(ax) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the horizontal and vertical data of each line, by its label."""
    return {line.get_label(): line.get_data() for line in ax.get_lines()}


def lines_of(ax) -> dict[str, np.ndarray]:
    """Return the vertical data of each line, by its label."""
    return {line.get_label(): line.get_ydata() for line in ax.get_lines()}
