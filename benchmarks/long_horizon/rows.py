"""The rows of the table by name, and how a name with overrides is read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from benchmarks.long_horizon.data import Asked, Forecast, Task
from benchmarks.long_horizon.linear import (
    REFITTED,
    fit_anchor,
    fit_members,
    fit_nlinear,
    fit_seasonal_naive,
    fit_var,
)
from benchmarks.long_horizon.neighbours import fit_neighbour
from benchmarks.long_horizon.networks import MEMBERS, fit_average, fit_paper, fit_trained
from benchmarks.records import BenchmarkError

Fit = Callable[[Task, Asked, dict[str, Any]], tuple[Forecast, dict[str, Any]]]


@dataclass(frozen=True)
class Row:
    """A model of the table.

    Attributes
    ----------
    title : str
    fit : callable
        Its answer forecasts windows, and tells about itself; of a row without look-back also
        ``"rows_read"``.
    is_random : bool
        Whether it depends on the seed.
    has_lookback : bool
    beside : mapping of str to str
        Titles of what else falls out of the same fit, by its key in the cell.
    at_once : int
        Windows forecast together.
    n_windows : int, optional
        Windows that are scored at most, where there are many; None for all.
    """

    title: str
    fit: Fit
    is_random: bool = True
    has_lookback: bool = True
    beside: Mapping[str, str] = field(default_factory=dict)
    at_once: int = 32
    n_windows: int | None = None


def _paper(**settings: Any) -> Fit:
    return lambda task, asked, overrides: fit_paper(task, asked, {**settings, **overrides})


def _neighbour(name: str) -> Fit:
    return partial(fit_neighbour, name)


def _closed(fit: Callable[..., Any], has_lookback: bool = True) -> Fit:
    """Return the fit of a row in closed form, which takes the task and perhaps the look-back."""

    def call(task: Task, asked: Asked, overrides: dict[str, Any]) -> Any:
        if overrides:
            raise BenchmarkError(f"this row takes no overrides, found {overrides}")
        return fit(task, asked.lookback) if has_lookback else fit(task)

    return call


NETWORK = "network"
SOME_WINDOWS = 112
"""Of the 2,785 windows of ETTh1, 96 steps, every 25th."""
ROWS: dict[str, Row] = {
    "default": Row(
        "SAMoVAR (default), some of the windows",
        fit_average,
        is_random=False,
        has_lookback=False,
        beside=MEMBERS,
        n_windows=SOME_WINDOWS,
    ),
    "adapted": Row(
        "SAMoVAR (train=True), some of the windows",
        lambda task, asked, overrides: fit_average(task, asked, {"train": True, **overrides}),
        has_lookback=False,
        beside=MEMBERS,
        n_windows=SOME_WINDOWS,
    ),
    "trained": Row(
        "SAMoVAR (trained, linear)",
        fit_trained,
        beside={
            REFITTED: "trained, anchor refitted on validation rows too",
            NETWORK: "trained, network alone",
        },
    ),
    "paper": Row("SAMoVAR (paper)", _paper()),
    "lintrans": Row("LinTrans", _paper(predictor="lintrans")),
    "fixedvar": Row("FixedVAR", _paper(predictor="fixedvar")),
    "linear-anchor": Row(
        "linear anchor",
        _closed(fit_anchor),
        is_random=False,
        beside={REFITTED: "linear anchor, refitted on validation rows too"},
        at_once=256,
    ),
    "linear-members": Row(
        "linear members alone",
        _closed(fit_members, has_lookback=False),
        is_random=False,
        has_lookback=False,
        beside={REFITTED: "linear members alone, refitted on validation rows too"},
        at_once=256,
    ),
    "ridge-nlinear": Row(
        "ridge NLinear",
        _closed(fit_nlinear),
        is_random=False,
        beside={REFITTED: "ridge NLinear, refitted on validation rows too"},
        at_once=256,
    ),
    "ridge-var": Row(
        "ridge VAR",
        _closed(fit_var, has_lookback=False),
        is_random=False,
        has_lookback=False,
        at_once=256,
    ),
    "seasonal-naive": Row(
        "seasonal naive",
        _closed(fit_seasonal_naive, has_lookback=False),
        is_random=False,
        has_lookback=False,
        at_once=256,
    ),
    "tsmixer": Row("TSMixer (darts)", _neighbour("tsmixer"), at_once=512),
    "tide": Row("TiDE (darts)", _neighbour("tide"), at_once=512),
    "dlinear": Row("DLinear (darts)", _neighbour("dlinear"), at_once=512),
    "nlinear": Row("NLinear (darts)", _neighbour("nlinear"), at_once=512),
    "patchtst": Row("PatchTST (neuralforecast)", _neighbour("patchtst"), at_once=512),
    "itransformer": Row("iTransformer (neuralforecast)", _neighbour("itransformer"), at_once=512),
}
ABLATIONS = {
    "paper[n_heads=1]": "one head",
    "paper[n_heads=8]": "8 heads",
    "paper[n_layers=1]": "one layer",
    "paper[n_layers=2]": "two layers",
    'paper[structure="inverse"]': "inverse of D",
    'paper[structure="none"]': "without D",
    "paper[qv_norm=false]": "without QV norm",
    "paper[univariate=true]": "univariate tokens",
}


def read_name(name: str) -> tuple[Row, dict[str, Any]]:
    """Return the row that a name stands for, and its overrides: ``paper[n_heads=8,n_layers=1]``.

    Raises
    ------
    BenchmarkError
        If there is no such row, or the brackets hold no ``field=value``.
    """
    found = re.fullmatch(r"([a-z-]+)(?:\[(.+)\])?", name)
    if found is None or found[1] not in ROWS:
        raise BenchmarkError(f"there is no row {name!r}; known: {', '.join(ROWS)}")
    overrides = {}
    for part in (found[2] or "").split(","):
        if not part:
            continue
        key, _, value = part.partition("=")
        try:
            overrides[key.strip()] = json.loads(value)
        except json.JSONDecodeError:
            overrides[key.strip()] = value.strip()
        if not value:
            raise BenchmarkError(f"{part!r} in {name!r} is not field=value")
    return ROWS[found[1]], overrides


def canonical_name(name: str) -> str:
    """Return the only way to write a name, so that a cell is found again."""
    _, overrides = read_name(name)
    base = name.split("[")[0]
    if not overrides:
        return base
    inside = ",".join(f"{key}={json.dumps(overrides[key])}" for key in sorted(overrides))
    return f"{base}[{inside}]"


def title_of(name: str) -> str:
    """Return what the table calls it."""
    row, overrides = read_name(name)
    if not overrides:
        return row.title
    return f"{row.title}, {ABLATIONS.get(name) or name[name.index('[') + 1 : -1]}"
