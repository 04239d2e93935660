"""Frames of any nastiness, and some arguments that cannot work, for the sktime forecaster."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.fuzz.rule import WrongAnswer, check_finite, ending_of
from samovar_forecast import SAMoVARForecaster

SIZES = (1.0, 1e-300, 1e-12, 1e9, 1e140, 1e160, 1e307)


def nasty_frame(draw: random.Random) -> pd.DataFrame:
    """Return a frame with some of the things that frames of users hold."""
    n_time, n_series = draw.choice([1, 2, 3, 7, 20, 45, 45, 45]), draw.choice([1, 1, 2, 3])
    rng = np.random.default_rng(draw.randrange(2**32))
    kind = draw.choice(["walk", "noise", "constant", "counts", "jump", "zeros"])
    noise = rng.normal(size=(n_time, n_series))
    values = {
        "walk": noise.cumsum(axis=0),
        "noise": noise,
        "constant": np.full_like(noise, 3.7),
        "counts": np.floor(np.abs(3 * noise)),
        "jump": noise + 1e6 * (np.arange(n_time)[:, None] > n_time / 2),
        "zeros": np.zeros_like(noise),
    }[kind] * draw.choice(SIZES if draw.random() < 0.3 else SIZES[:1])
    if draw.random() < 0.25:
        values[rng.random(values.shape) < draw.choice([0.05, 0.05, 0.5, 1.0])] = np.nan
    if draw.random() < 0.05:
        values.flat[draw.randrange(values.size)] = draw.choice([np.inf, -np.inf])
    index: pd.Index = draw.choice(
        [
            lambda: pd.RangeIndex(n_time),
            lambda: pd.RangeIndex(5, 5 + n_time),
            lambda: pd.date_range("2024-03-20", periods=n_time, freq="h", tz="Europe/Paris"),
            lambda: pd.date_range("2024-01-31", periods=n_time, freq="ME"),
            lambda: pd.period_range("2020Q1", periods=n_time, freq="Q"),
            lambda: pd.timedelta_range("0h", periods=n_time, freq="15min"),
            *[lambda: pd.RangeIndex(n_time)] * 6,
            lambda: pd.DatetimeIndex(sorted(rng.integers(0, 2**60, n_time))),
            lambda: pd.Index(rng.permutation(n_time)),
        ]
    )()
    usual = [list("abc"), [0, 1, 2], ["=1", "", "<b>"]]
    names = draw.choice([*usual, *usual, [True, False, "x"], ["a", "a", "b"], ["x", 1, None]])
    frame = pd.DataFrame(values, index, names[:n_series])
    if draw.random() < 0.1:
        frame = frame.astype(draw.choice(["float32", "object", "Float64"]))
    return frame


def nasty_arguments(draw: random.Random) -> dict[str, Any]:
    """Return arguments of the constructor, most of them left out."""
    choices: dict[str, list[Any]] = {
        "linear": [True, False, None, "no", np.True_],
        "n_layers": [1, 0, 10**12, 2.5],
        "batch_size": [16, np.int64(8), "x"],
        "validation_fraction": [0.0, 0.2, 1.0, "x", np.float32(0.3)],
        "quantiles": [None, (0.1, 0.9), [], [0.9, 0.1], "x"],
        "past_covariates": [None, [], "x", 5],
        "checkpoint": [None, None, 5, "nowhere.zip"],
        "random_state": [0, None, np.int64(3), "x"],
    }
    chosen = [name for name in choices if draw.random() < 0.06]
    return {
        "pretrained": draw.random() < 0.2,
        **{name: draw.choice(choices[name]) for name in chosen},
    }


def run_frame(seed: int) -> str:
    """Return how the fit and the forecasts of a frame end."""
    draw = random.Random(seed)
    y, arguments = nasty_frame(draw), nasty_arguments(draw)
    steps, alpha = draw.choice([[1], [1, 2, 3], [7]]), draw.choice([[0.1, 0.9], [0.5]])
    if draw.random() < 0.2:
        steps = draw.choice([[-1, 1], [], [0], [10**9], "x", [1.5]])
    if draw.random() < 0.1:
        alpha = draw.choice([[], [2.0], "x"])

    def call() -> None:
        forecaster = SAMoVARForecaster(**arguments).fit(y, fh=steps)
        point = forecaster.predict()
        levels = forecaster.predict_quantiles(alpha=alpha)
        check_finite(point, "the forecast")
        check_finite(levels, "the quantiles")
        if len(point) != len(forecaster.fh) or not point.index.equals(levels.index):
            raise WrongAnswer("another index")

    return ending_of(call, y, arguments)
