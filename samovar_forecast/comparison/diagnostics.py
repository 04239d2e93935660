"""What a reader of a comparison must be warned of: few origins, drift, leaks."""

from __future__ import annotations

import contextlib
import inspect
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from samovar_forecast.comparison.metrics import FEWEST_ORIGINS_FOR_AN_ERROR
from samovar_forecast.comparison.text import in_a_list

if TYPE_CHECKING:
    from samovar_forecast.comparison.results import Comparison

FEW_ORIGINS = 20
"""With fewer origins only large differences are found."""
MOST_LAGS = 24
"""A series that runs ahead of another by at most so many steps is found."""
MOST_SERIES = 60
"""Pairs of series are looked at among the first so many."""
SAME = 0.99999
"""Correlation of changes from which two series count as the same series."""
LARGEST_SHIFT = 2.0
"""Deviations by which a series may move between training and test before it is said."""
MOST_NAMES = 6


class Finding(NamedTuple):
    """A thing that deserves a look."""

    topic: str
    text: str


def findings(comparison: Comparison) -> list[Finding]:
    """Return what deserves a look before the leaderboard is believed, in plain words.

    Looked at: number and overlap of the origins; unit roots (augmented Dickey-Fuller, 5 %),
    straight lines, and shifts of level between training and test rows; identical rows, identical
    series, and series that run ahead of others; errors that are zero to rounding; models that
    failed, and a VAR that was refused.
    """
    return [
        *_origins(comparison),
        *_stationarity(comparison),
        *_leaks(comparison),
        *_models(comparison),
    ]


def _origins(comparison: Comparison) -> list[Finding]:
    n, found = len(comparison.origins), []
    if n < FEWEST_ORIGINS_FOR_AN_ERROR:
        found.append(
            Finding(
                "Few origins",
                f"{n} {'origin' if n == 1 else 'origins'}: no test is made, and the order of the "
                "rows may be chance. Ask for more origins, or a shorter horizon.",
            )
        )
    elif n < FEW_ORIGINS:
        found.append(
            Finding("Few origins", f"{n} origins: only large differences can be told from chance.")
        )
    if comparison.overlap > 1:
        found.append(
            Finding(
                "Overlapping forecasts",
                f"Origins are {comparison.stride} apart and forecasts {comparison.horizon} steps "
                f"long, so that {comparison.overlap} neighbours share steps: there is less "
                f"evidence than {n} origins suggest. The tests allow for it.",
            )
        )
    return found


def _stationarity(comparison: Comparison) -> list[Finding]:
    from statsmodels.tsa.stattools import adfuller

    first = comparison.y.iloc[: comparison.n_first]
    rest = comparison.y.iloc[comparison.n_first :]
    # statsmodels 0.15 warns unless it is told whether a tuple or an object is wanted.
    can_choose = "result_object" in inspect.signature(adfuller).parameters
    plain = {"result_object": False} if can_choose else {}
    with_root, shifted, straight = [], [], []
    lags = min(12, len(first) // 5)  # it refuses more than half the rows allow
    for name in first:
        column = first[name].to_numpy()
        if np.ptp(column) == 0:
            continue
        steps = np.diff(column)
        if np.ptp(steps) <= 1e-9 * np.abs(steps).max():
            straight.append(str(name))
        elif len(column) >= 20:
            with contextlib.suppress(ValueError, np.linalg.LinAlgError):
                if adfuller(column[-5000:], maxlag=lags, **plain)[1] > 0.05:
                    with_root.append(str(name))
        if abs(rest[name].mean() - column.mean()) > LARGEST_SHIFT * column.std():
            shifted.append(str(name))
    found = []
    if with_root:
        found.append(
            Finding(
                "Non-stationarity",
                f"A unit root is not rejected (augmented Dickey-Fuller, 5 %, first training "
                f"window) for {_named(with_root, first.shape[1])}. Differences or growth rates "
                "may be forecast better, and MASE and RMSSE say more than MSE.",
            )
        )
    if straight:
        found.append(
            Finding(
                "Straight line",
                f"The same step from row to row in the first training window, as a counter of rows "
                f"has: {_named(straight, first.shape[1])}. Leave out what is no series.",
            )
        )
    if shifted:
        found.append(
            Finding(
                "Shifted level",
                f"After the first training window the mean lies more than {LARGEST_SHIFT:.0f} of "
                f"its deviations away for {_named(shifted, first.shape[1])}: these series "
                "dominate the averages.",
            )
        )
    constant = list(comparison.scales.index[comparison.scales["deviation"].isna()])
    if constant:
        found.append(
            Finding(
                "Constant series",
                f"Constant in the first training window, so forecast but not scored: "
                f"{_named(list(map(str, constant)), first.shape[1])}.",
            )
        )
    return found


def _leaks(comparison: Comparison) -> list[Finding]:
    y, found = comparison.y, []
    repeated = y.duplicated(keep="first").to_numpy()
    after = repeated[comparison.n_first :]
    if repeated.any() and y.shape[1] > 1:
        stretch = int((y.diff().iloc[1:] == 0).all(axis=1).sum())
        found.append(
            Finding(
                "Identical rows",
                f"{int(repeated.sum())} of {len(y)} rows repeat an earlier row in every series, "
                f"{int(after.sum())} of them after the first training window and {stretch} "
                "directly after their twin. Filled gaps, or a file joined twice, look like this: "
                "a model may then know the answer.",
            )
        )
    found.extend(_twins(y.iloc[:, :MOST_SERIES], comparison.horizon))
    exact = comparison.scores("series")["MSE"].unstack("model")
    rest = y.iloc[comparison.n_first :]
    stuck = [name for name in exact.index if rest[name].nunique() == 1]
    if stuck:
        found.append(
            Finding(
                "Stuck series",
                f"After the first training window, one value only: "
                f"{_named(list(map(str, stuck)), y.shape[1])}. The naive forecast of it is exact.",
            )
        )
    for name in exact.index.difference(stuck, sort=False):
        zero = [str(model) for model in exact if exact.loc[name, model] < 1e-16]
        if zero:
            found.append(
                Finding(
                    "Errors of zero",
                    f"{name} is forecast without error by {_named(zero)}: it follows from what "
                    "is known, or the answer leaks.",
                )
            )
    return found


def _twins(y: pd.DataFrame, horizon: int) -> list[Finding]:
    """Return the pairs in which a series repeats the other series, at once or some steps later."""
    change = y.diff().iloc[1:].to_numpy()
    varies = change.std(axis=0) > 0
    names, change = [name for name, v in zip(y, varies, strict=True) if v], change[:, varies]
    found, reported = [], set()
    for lag in range(min(MOST_LAGS, max(horizon, 1), len(change) // 4) + 1):
        early, late = change[: len(change) - lag], change[lag:]
        with np.errstate(invalid="ignore", divide="ignore"):
            z = [(part - part.mean(axis=0)) / part.std(axis=0) for part in (early, late)]
            correlation = z[0].T @ z[1] / len(early)  # [leader, follower]
        for leader, follower in np.argwhere(np.abs(np.nan_to_num(correlation)) > SAME):
            pair = frozenset((leader, follower))
            if leader == follower or pair in reported:
                continue
            reported.add(pair)
            text = (
                f"{names[leader]} and {names[follower]} move as one: one of them says nothing new."
                if lag == 0
                else f"{names[follower]} repeats {names[leader]} {lag} "
                f"{'step' if lag == 1 else 'steps'} later: to forecast it is to copy, and if "
                "dates were shifted in preparing the data, the answer leaks."
            )
            found.append(Finding("Repeated series", text))
    return found[:MOST_NAMES]


def _models(comparison: Comparison) -> list[Finding]:
    found = []
    failures = comparison.failures
    for model, rows in failures.groupby("model", sort=False):
        found.append(
            Finding(
                "Failure",
                f"{model} failed at {len(rows)} of {len(comparison.origins)} origins and is not "
                f"ranked: {rows['failure'].iloc[0]}",
            )
        )
    for model, runs in comparison.runs.groupby("model", sort=False):
        refused = [
            message
            for messages in runs["warnings"]
            for message in messages
            if message.startswith("RefusedVARWarning: ")
        ]
        if refused:
            found.append(
                Finding(
                    "Refused VAR",
                    f"{model}, {len(refused)} of {len(runs)} origins: "
                    f"{refused[0].removeprefix('RefusedVARWarning: ')}",
                )
            )
    return found


def _named(names: list[str], of: int | None = None) -> str:
    shown = ", ".join(map(in_a_list, names[:MOST_NAMES]))
    if len(names) > MOST_NAMES:
        shown += f" and {len(names) - MOST_NAMES} more"
    return shown if of is None else f"{len(names)} of {of} series: {shown}"
