"""``python -m benchmarks.missing_values``: what do holes in the data cost?

Values are taken out of complete series, at random or in blocks, before and after the first origin;
forecasts are judged by the complete values. The default forecaster, which masks what is missing,
stands beside the same forecaster on linearly interpolated series, and the last value that was seen.
What is interpolated at an origin comes from rows up to that origin. Every measurement is stored
when done.
"""

from __future__ import annotations

import copy
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.pages import markdown_table
from benchmarks.records import Records
from benchmarks.series_sets import SETS, Job, SeriesSet, frame, sets_benchmark, stamp_of_sets
from samovar_forecast import SAMoVARForecaster

CHOSEN = ("VAR", "ETTh1", "volatility", "illness", "yields")
SHARES = (0.1, 0.3)
KINDS = ("at random", "in blocks")
METHODS = ("masked", "interpolated", "last value seen")
SEEDS = (0,)  # of the holes
MOST_ORIGINS = 40
SOURCE_FILES = (
    "benchmarks/missing_values.py",
    "benchmarks/series_sets.py",
    "samovar_forecast/learning",
    "samovar_forecast/linear",
    "samovar_forecast/network",
)


def draw_holes(
    shape: tuple[int, int], share: float, kind: str, length: int, seed: int
) -> np.ndarray:
    """Return True where a value is taken out; a block is `length` rows of a series."""
    generator = np.random.default_rng(seed)
    if kind == "at random":
        return generator.random(shape) < share
    missing = np.zeros(shape, dtype=bool)
    while missing.mean() < share:
        start, series = generator.integers(1, shape[0]), generator.integers(shape[1])
        missing[start : start + length, series] = True
    return missing


def interpolate(y: pd.DataFrame) -> pd.DataFrame:
    """Return straight lines across gaps, level before the first value and after the last."""
    return y.interpolate(limit_direction="both")


def forecast_from(
    chosen: SeriesSet, y: pd.DataFrame, method: str, origins: list[int]
) -> np.ndarray:
    """Return forecasts from every origin, (n_origins, horizon, n_series); y has NaN for gaps."""
    first = origins[0]
    if method == "last value seen":
        seen = y.ffill().bfill().to_numpy()
        return np.stack([np.tile(seen[origin - 1], (chosen.horizon, 1)) for origin in origins])
    fill = interpolate if method == "interpolated" else pd.DataFrame.copy
    horizon = range(1, chosen.horizon + 1)
    fitted = SAMoVARForecaster().fit(fill(y.iloc[:first]), fh=horizon)
    found = []
    for origin in origins:
        forecaster = fitted
        if origin > first:
            forecaster = copy.deepcopy(fitted)
            newer = fill(y.iloc[:origin]).iloc[first:]
            forecaster.update(newer, update_params=False)
        found.append(forecaster.predict().to_numpy())
    return np.stack(found)


def measure(
    name: str, method: str, share: float, kind: str, seed: int, folder: Path | None
) -> dict[str, Any]:
    """Return the mean absolute error in deviations of each series before the first origin."""
    chosen, before = SETS[name], time.process_time()
    values = chosen.load(seed if chosen.is_simulated else folder)
    first, last = len(values) - chosen.n_test, len(values) - chosen.horizon
    n_origins = min(MOST_ORIGINS, (last - first) // chosen.horizon + 1)
    origins = np.linspace(first, last, n_origins).astype(int).tolist()
    missing = draw_holes(values.shape, share, kind, 2 * chosen.horizon, seed)
    y = frame(np.where(missing, np.nan, values))
    forecast = forecast_from(chosen, y, method, origins)
    actual = np.stack([values[origin : origin + chosen.horizon] for origin in origins])
    unit = values[:first].std(axis=0)
    return {
        "error": float((np.abs(forecast - actual) / unit).mean()),
        "missing": float(missing.mean()),
        "origins": n_origins,
        "n_series": values.shape[1],
        "cpu seconds": round(time.process_time() - before, 1),
    }


def conditions() -> list[tuple[float, str, str]]:
    """Return share, kind and method of every column of the table."""
    complete = [(0.0, "at random", method) for method in ("masked", "last value seen")]
    return complete + [
        (share, kind, method) for kind in KINDS for share in SHARES for method in METHODS
    ]


def jobs(name: str) -> dict[str, Job]:
    """Return what is measured on a set: every seed and condition."""
    return {
        f"{method}, {share:.0%} {kind}, seed {seed}": partial(
            measure, name, method, share, kind, seed
        )
        for seed in SEEDS
        for share, kind, method in conditions()
    }


def errors(records: Records) -> pd.DataFrame:
    """Return errors averaged over seeds, a row a set and method, a column a share and kind."""
    found = []
    for name in CHOSEN:
        for key, run in records.entries.get(name, {}).items():
            if isinstance(run, dict) and "error" in run:
                method, condition, _ = key.split(", ")
                found.append({"set": name, "method": method, "condition": condition, **run})
    return pd.DataFrame(found)


def table(records: Records) -> str:
    """Return errors as Markdown."""
    found = errors(records)
    wide = found.pivot_table(index=["set", "method"], columns="condition", values="error")
    columns = ["0% at random"] + [f"{share:.0%} {kind}" for kind in KINDS for share in SHARES]
    body, previous = [], None
    for name in CHOSEN:
        for method in METHODS:
            if (name, method) not in wide.index:
                continue
            row = wide.loc[(name, method)].reindex(columns)
            if method == "interpolated":  # nothing to fill
                row["0% at random"] = wide.loc[(name, "masked"), "0% at random"]
            title = f"{SETS[name].title}; {SETS[name].horizon} steps"
            body.append(["" if name == previous else title, method, *(f"{e:.3f}" for e in row)])
            previous = name
    spelled = ["complete", *(column.replace("%", " %") for column in columns[1:])]
    return markdown_table(["series", "method", *spelled], body)


def wins_and_losses(records: Records) -> str:
    """Say where masking is better than interpolating, and by how much."""
    wide = errors(records).pivot_table(index=["set", "condition"], columns="method", values="error")
    pairs = wide[["masked", "interpolated"]].dropna()
    lines = []
    for kind in KINDS:
        own = pairs[pairs.index.get_level_values("condition").str.endswith(kind)]
        ratio = own["masked"] / own["interpolated"]
        lines.append(
            f"- Missing {kind}: masking has the smaller error in {int((ratio < 1).sum())} of "
            f"{len(ratio)} cases; its error is {ratio.min():.2f} to {ratio.max():.2f} times that "
            f"of interpolating, {np.exp(np.log(ratio).mean()):.2f} on average."
        )
    return "\n".join(lines)


def sections(records: Records) -> dict[str, str]:
    """Return the table, how it is read, and what masking gains."""
    explained = (
        "Mean absolute error over all origins, steps and series, in standard deviations of each "
        "series before the first origin, against the complete values; one draw of "
        "holes. A block is two horizons of one series. `masked` is the forecaster given the "
        "holes, `interpolated` the same one given straight lines across them."
    )
    parts = [table(records), explained, wins_and_losses(records), stamp_of_sets(records, CHOSEN)]
    return {"missing values": "\n\n".join(parts)}


BENCHMARK = sets_benchmark(
    "missing_values",
    __doc__,
    jobs,
    sections,
    sets=CHOSEN,
    settings=(SHARES,),
    sources=SOURCE_FILES,
)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
