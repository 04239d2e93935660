"""A forecast in plain words: what comes, how such forecasts did, what they are made of, doubts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from samovar_forecast.cli.outlook import NOT_ASKED, Outlook, Record, number_of
from samovar_forecast.frames.digits import decimals_for, shown

if TYPE_CHECKING:
    import pandas as pd

SERIES_TOLD = 3
SAME = 0.02
"""Relative errors within this share of 1 are called equal."""
COVERAGE_OFF = 0.1
"""Difference of coverage that is told."""
SHARE_MISSING = 0.05
ROWS_FOR_A_STEP = 4
"""Rows for each step of the horizon, below which a horizon is long."""
MEMBERS = {
    "linear": "the linear forecast",
    "pretrained": "the pretrained network",
    "adapted": "the pretrained network, adapted to these rows",
    "trained": "a network trained on these rows",
}
"""Members of the forecast in words."""


class Passage(NamedTuple):
    """A part of the words, with its head."""

    head: str
    text: str


def in_words(outlook: Outlook, guesses: Sequence[str] = ()) -> list[Passage]:
    """Return what comes, how it did, what it is made of and what to distrust.

    Parameters
    ----------
    outlook : Outlook
    guesses : sequence of str, default=()
        What the file left open, and how it was read: distrusted first.
    """
    doubts = [f"The file leaves open: {words}." for words in guesses] + _doubts(outlook)
    return [
        Passage("What comes", _what_comes(outlook)),
        Passage("How it did", _how_it_did(outlook)),
        Passage("What it is made of", _made_of(outlook)),
        Passage("What to distrust", " ".join(doubts)),
    ]


def decimals_of(outlook: Outlook, name: str) -> int:
    """Return the decimals that say something of a series: three digits of its interval."""
    low, high = (
        outlook.intervals[name, outlook.coverage, side].to_numpy() for side in ("lower", "upper")
    )
    return decimals_for(outlook.forecast[name].to_numpy(), low, high)


def time_text(label: object) -> str:
    """Return a time without a midnight or seconds that say nothing."""
    text = str(label).removesuffix(" 00:00:00")
    return text.removesuffix(":00") if text.count(":") == 2 else text


def time_texts(index: pd.Index) -> list[str]:
    """Return the times of an index as texts of one form, without seconds that say nothing."""
    texts = [str(text) for text in index.astype(str)]
    whole_minutes = all(text.count(":") == 2 and text.endswith(":00") for text in texts)
    return [text.removesuffix(":00") if whole_minutes else text for text in texts]


def _what_comes(outlook: Outlook) -> str:
    names = list(outlook.forecast.columns)
    last, coverage = outlook.forecast.index[-1], outlook.coverage
    parts = []
    for name in names[:SERIES_TOLD]:
        digits = decimals_of(outlook, name)
        low, high = (
            outlook.intervals[name, coverage, side].iloc[-1] for side in ("lower", "upper")
        )
        known = outlook.y[name].dropna()
        parts.append(
            f"{name} {shown(outlook.forecast[name].iloc[-1], digits)} ({100 * coverage:g} % "
            f"interval {shown(low, digits)} to {shown(high, digits)}; last known "
            f"{shown(known.iloc[-1], digits)} at {time_text(known.index[-1])})"
        )
    more = f"; and {len(names) - SERIES_TOLD} more series" if len(names) > SERIES_TOLD else ""
    steps = number_of(len(outlook.forecast), "step")
    return f"At {time_text(last)}, {steps} ahead: {'; '.join(parts)}{more}."


def _how_it_did(outlook: Outlook) -> str:
    record = outlook.record
    if record == NOT_ASKED:
        return "Unknown: it was not tried at earlier rows, since --origins 0 was given."
    if isinstance(record, str):
        return f"Unknown: it could not be tried at earlier rows, for {record}."
    n = len(record.origins)
    span = " to ".join(dict.fromkeys(map(time_text, (record.origins[0], record.origins[-1]))))
    start = f"At one earlier origin ({span})"
    if n > 1:
        start = (
            f"At the last {n} origins ({span}), fitted once before the first and the rivals anew,"
        )
    against = [_against(name, ratio) for name, ratio in record.rivals.items()]
    error = f"its mean absolute error was {_listed(against)}" if against else "it had no rival"
    inside = (
        f"; {100 * record.covered:.0f} % of the values that came lay inside their "
        f"{100 * outlook.coverage:g} % intervals"
        if np.isfinite(record.covered)
        else ""
    )
    return f"{start} {error}{inside}."


def _against(name: str, ratio: float) -> str:
    if abs(ratio - 1) < SAME:
        return f"equal to {name}'s"
    if ratio > 2:
        return f"{ratio:.1f} times {name}'s"
    return f"{100 * abs(ratio - 1):.0f} % {'below' if ratio < 1 else 'above'} {name}'s"


def _made_of(outlook: Outlook) -> str:
    if outlook.shares is None:
        return "SAMoVARForecaster with its defaults, from all rows of the file."
    shares = _mean_shares(outlook.shares)
    parts = [
        f"{100 * share:.0f} % {MEMBERS.get(name, name)}" for name, share in shares if share >= 0.005
    ]
    if len(parts) == 1:
        return f"{_sentence(parts[0].removeprefix('100 % '))} alone."
    return (
        f"{_listed(parts)} (means over steps and series), weighed by their errors at earlier rows."
    )


def _mean_shares(shares: pd.DataFrame) -> list[tuple[str, float]]:
    means = shares.mean(axis=1).groupby(level="member").mean().sort_values(ascending=False)
    return [(str(name), float(share)) for name, share in means.items()]


def _doubts(outlook: Outlook) -> list[str]:
    """Return what speaks against the forecast, sentence by sentence; the usual doubt at least."""
    y, record, horizon = outlook.y, outlook.record, len(outlook.forecast)
    doubts = []
    if isinstance(record, Record):
        better = [name for name, ratio in record.rivals.items() if ratio > 1 + SAME]
        if better:
            doubts.append(f"{_sentence(_listed(better))} did better at these origins.")
        if abs(record.covered - outlook.coverage) > COVERAGE_OFF:
            side = "narrow" if record.covered < outlook.coverage else "wide"
            doubts.append(f"The intervals were too {side}.")
        doubts.append(
            f"{_sentence(number_of(len(record.origins), 'origin'))} are few: some percent may be "
            "chance."
            if len(record.origins) > 1
            else "One origin is no evidence."
        )
    if len(y) < ROWS_FOR_A_STEP * horizon:
        doubts.append(f"{number_of(horizon, 'step')} are far for {len(y)} rows.".capitalize())
    if outlook.season > 1 and len(y) < 2 * outlook.season:
        doubts.append(f"The rows hold fewer than two seasons of {outlook.season}.")
    missing = float(y.isna().to_numpy().mean())
    if missing > SHARE_MISSING:
        doubts.append(f"{100 * missing:.0f} % of the cells are missing.")
    stale = [str(name) for name in y if np.isnan(y[name].iloc[-1])]
    if stale:
        doubts.append(f"No value in the last row: {_listed(stale[:6])}.")
    constant = [str(name) for name in y if y[name].nunique() <= 1]
    if constant:
        doubts.append(f"Constant: {_listed(constant[:6])}.")
    if getattr(y.index, "freqstr", None) == "B":
        doubts.append("Holidays among the days ahead are forecast like other days.")
    beyond = _beyond(outlook)
    if beyond:
        doubts.append(f"The forecast leaves the range of all values so far: {_listed(beyond[:6])}.")
    doubts.extend(f"{_sentence(text)}." for text in outlook.told)
    doubts.append("A change that has no example in these rows is not foreseen.")
    return doubts


def _beyond(outlook: Outlook) -> list[str]:
    found = []
    for name in outlook.forecast:
        low, high = outlook.y[name].min(), outlook.y[name].max()
        if outlook.forecast[name].min() < low or outlook.forecast[name].max() > high:
            found.append(str(name))
    return found


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".")
