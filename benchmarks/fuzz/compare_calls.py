"""`compare`: nasty frames, and every argument, good and bad."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.fuzz.frames import nasty_frame
from benchmarks.fuzz.rule import WrongAnswer, ending_of
from samovar_forecast import SAMoVARForecaster, exceptions
from samovar_forecast.comparison import (
    GuardedAR,
    GuardedVAR,
    RepeatSeason,
    RidgeVAR,
    compare,
    findings,
    summary,
)

COUNTS: list[Any] = [1, 2, 3, 0, -1, 2.5, "x", None, True, np.int64(2), 10**12]

FORECASTERS: list[Callable[[], Any]] = [
    RepeatSeason,
    GuardedVAR,
    GuardedAR,
    RidgeVAR,
    lambda: SAMoVARForecaster(pretrained=False),
]
NO_FORECASTERS: list[Any] = [5, "x", RepeatSeason, None, object(), []]

ARGUMENTS: dict[str, list[Any]] = {
    "horizon": COUNTS,
    "n_origins": COUNTS,
    "stride": COUNTS,
    "window": ["expanding", "sliding", "x", None, 5],
    "bands": [None, (1, 3), (3,), [], (3, 1), (1, 5), (2.5, 3), "x", 5, [None], (np.int64(3),)],
    "season": [*COUNTS, 7, 12],
    "refit": [
        None,
        "every",
        "first",
        2,
        0,
        -1,
        "x",
        {"A": 2},
        {"nobody": 2},
        {"A": "x"},
        True,
        2.5,
    ],
    "classical": [False, True, None, "no", 5],
    "nested": [None, {"A": ["B"]}, {"A": "B"}, {"A": ["A"]}, {"nobody": ["A"]}, 5, "x", {"A": 5}],
    "resume": [None, "", "\0", 5, b"x", "/proc/nowhere"],
    "n_jobs": [1, 0, "x", None, True, 2.5],
    "progress": [False, None, "no"],
}
"""Of all but the frame and the forecasters; several processes take too long for a search."""

TOLD = [name for name in exceptions.__all__ if name != "SAMoVARError"]


def frame_of(draw: random.Random) -> Any:
    """Return random walks, a nasty frame, or something else in its place."""
    n_time = draw.choice([45, 45, 20, 12])
    values = np.random.default_rng(draw.randrange(2**32)).normal(size=(n_time, 2)).cumsum(axis=0)
    good = pd.DataFrame(values, columns=["a", "b"])
    return draw.choice(
        [*[good] * 6, *[nasty_frame(draw)] * 6, good["a"], good.to_numpy(), None, "x"]
    )


def forecasters_of(draw: random.Random) -> Any:
    """Return forecasters by name or in a row, some of which may be none."""
    chosen = [draw.choice(FORECASTERS)() for _ in range(draw.choice([1, 2, 2]))]
    if draw.random() < 0.1:
        chosen[0] = draw.choice(NO_FORECASTERS)
    named = dict(zip(["A", "B"], chosen, strict=False))
    return draw.choice([*[named] * 8, chosen, tuple(chosen), {}, [], 5, "x"])


def compare_case(folder: Path) -> Callable[[int], str]:
    """Return how a comparison ends, with its table, its tests and its words."""

    def run(seed: int) -> str:
        draw = random.Random(seed)
        y, models = frame_of(draw), forecasters_of(draw)
        usual = {"horizon": 3, "n_origins": 2, "classical": False, "progress": False}
        drawn = [name for name in ARGUMENTS if draw.random() < 0.1]
        given = {**usual, **{name: draw.choice(ARGUMENTS[name]) for name in drawn}}
        if draw.random() < 0.2:
            given["resume"] = folder / str(draw.randrange(5))

        def call() -> None:
            found = compare(y, forecasters=models, **given)
            told = found.runs["failure"].dropna().str.split(":").str[0]
            foreign = sorted(set(told) - set(TOLD))
            if foreign:
                raise WrongAnswer(f"a row failed: {found.runs['failure'].dropna().iloc[0]}")
            if not np.isfinite(found.forecasts["y_pred"].to_numpy(float)).all():
                raise WrongAnswer("a forecast is not finite")
            n_rows = len(found.origins) * found.horizon * found.y.shape[1]
            if (found.forecasts.groupby("model").size() != n_rows).any() and told.empty:
                raise WrongAnswer("forecasts are missing")
            summary(found)
            findings(found)

        return ending_of(call, y, models, given)

    return run
