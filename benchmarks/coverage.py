"""``python -m benchmarks.coverage``: how often do the intervals hold what comes?

Forecasts from many origins of each set, each from rows moved on by ``update``; the forecaster is
fitted once, before the first. The intervals of the default forecast (the spread that the pretrained
network foretells, calibrated) and of the linear member alone (errors at earlier origins) stand
beside the intervals of the last value (or the last season) with its own past errors. Every
measurement is stored when it is done.
"""

from __future__ import annotations

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

COVERAGES = (0.5, 0.8, 0.9, 0.95)
SEEDS = {True: (0, 1, 2), False: (0,)}  # of simulated and of real sets
SOURCES: dict[str, dict[str, bool] | None] = {
    "default": {},
    "linear member": {"pretrained": False},
    "last value": None,
}
SOURCE_FILES = (
    "benchmarks/coverage.py",
    "benchmarks/series_sets.py",
    "samovar_forecast/network/weights/card.json",
    "samovar_forecast/learning/shares.py",
    "samovar_forecast/learning/uncertainty.py",
)

Bounds = np.ndarray  # (2, n_coverages, n_origins, horizon, n_series): lower and upper


def bounds_of(chosen: SeriesSet, values: np.ndarray, parameters: dict[str, bool]) -> Bounds:
    """Return intervals of our forecaster from every origin."""
    y = frame(values)
    first = len(y) - chosen.n_test
    forecaster = SAMoVARForecaster(**parameters).fit(
        y.iloc[:first], fh=range(1, chosen.horizon + 1)
    )
    found = []
    for origin in range(first, len(y) - chosen.horizon + 1, chosen.horizon):
        if origin > first:
            forecaster.update(y.iloc[origin - chosen.horizon : origin], update_params=False)
        table = forecaster.predict_interval(coverage=list(COVERAGES))
        # Columns are ordered by series, then coverage, then lower and upper.
        found.append(table.to_numpy().reshape(chosen.horizon, -1, len(COVERAGES), 2))
    return np.array(found).transpose(4, 3, 0, 1, 2)


def last_value_bounds(chosen: SeriesSet, values: np.ndarray) -> Bounds:
    """Return the value of a season ago with the quantiles of its errors before the first origin."""
    first, season = len(values) - chosen.n_test, chosen.season
    back = [season * -(-step // season) for step in range(1, chosen.horizon + 1)]
    origins = range(first, len(values) - chosen.horizon + 1, chosen.horizon)
    bounds = np.empty((2, len(COVERAGES), len(origins), chosen.horizon, values.shape[1]))
    for row, lag in enumerate(back):
        errors = values[lag:first] - values[: first - lag]
        centre = np.stack([values[origin + row - lag] for origin in origins])
        for i, share in enumerate(COVERAGES):
            for side, level in enumerate((0.5 - share / 2, 0.5 + share / 2)):
                bounds[side, i, :, row] = centre + np.quantile(errors, level, axis=0)
    return bounds


def judge(chosen: SeriesSet, values: np.ndarray, bounds: Bounds) -> dict[str, Any]:
    """Return the share of values inside, width and interval score in deviations of the series."""
    first = len(values) - chosen.n_test
    unit = values[:first].std(axis=0)
    n_origins = bounds.shape[2]
    actual = values[first : first + n_origins * chosen.horizon]
    actual = actual.reshape(n_origins, chosen.horizon, -1)
    low, high = bounds
    inside = (low <= actual) & (actual <= high)
    width = (high - low) / unit
    outside = (np.maximum(low - actual, 0) + np.maximum(actual - high, 0)) / unit
    levels = 1 - np.array(COVERAGES)
    score = width + 2 / levels[:, None, None, None] * outside
    return {
        "covered": inside.mean(axis=(1, 2, 3)).tolist(),
        "width": width.mean(axis=(1, 2, 3)).tolist(),
        "score": score.mean(axis=(1, 2, 3)).tolist(),
        "origins": n_origins,
        "values": int(inside[0].size),
        "n_series": values.shape[1],
    }


def measure(name: str, source: str, seed: int, folder: Path | None) -> dict[str, Any]:
    """Fit, forecast and judge a source of intervals on a set."""
    chosen, before = SETS[name], time.process_time()
    values = chosen.load(seed if chosen.is_simulated else folder)
    parameters = SOURCES[source]
    if parameters is None:
        bounds = last_value_bounds(chosen, values)
    else:
        bounds = bounds_of(chosen, values, parameters)
    outcome = judge(chosen, values, bounds)
    return {**outcome, "cpu seconds": round(time.process_time() - before, 1)}


def jobs(name: str) -> dict[str, Job]:
    """Return what is measured on a set: every source and seed."""
    return {
        f"{source}, seed {seed}": partial(measure, name, source, seed)
        for seed in SEEDS[SETS[name].is_simulated]
        for source in SOURCES
    }


def rows(records: Records) -> pd.DataFrame:
    """Return a row for each set and source, averaged over seeds."""
    found = []
    for name in SETS:
        entry = records.entries.get(name, {})
        for source in SOURCES:
            runs = [run for key, run in entry.items() if key.startswith(f"{source}, seed")]
            if runs:
                mean = {
                    key: np.mean([run[key] for run in runs], axis=0)
                    for key in ("covered", "width", "score")
                }
                facts = {key: runs[0][key] for key in ("origins", "n_series")}
                found.append({"set": name, "source": source, "runs": len(runs), **facts, **mean})
    return pd.DataFrame(found)


def table(records: Records) -> str:
    """Return coverage, width and score as Markdown."""
    header = ["series", "intervals of", *(f"{share:.0%}".replace("%", " %") for share in COVERAGES)]
    header += ["width of 90 %", "score of 90 %"]
    ninety = COVERAGES.index(0.9)
    body, previous = [], None
    for row in rows(records).itertuples():
        about = SETS[row.set]
        title = f"{about.title}; {row.n_series} series, {about.horizon} steps"
        body.append(
            [
                "" if row.set == previous else title,
                row.source,
                *(f"{100 * share:.1f}" for share in row.covered),
                f"{row.width[ninety]:.2f}",
                f"{row.score[ninety]:.2f}",
            ]
        )
        previous = row.set
    return markdown_table(header, body)


def wins_and_losses(records: Records) -> str:
    """Say who has the better interval score, and where coverage fails."""
    ninety = COVERAGES.index(0.9)
    found = rows(records)
    score = found.assign(score=[scores[ninety] for scores in found["score"]])
    score = score.pivot(index="set", columns="source", values="score").reindex(
        found["set"].unique()
    )
    share = found.assign(share=[shares[ninety] for shares in found["covered"]])
    share = share.pivot(index="set", columns="source", values="share").reindex(score.index)
    ours = [source for source in ("default", "linear member") if source in score]
    lines = []
    if "last value" in score:
        for source in ours:
            lost = list(score.index[score[source] > score["last value"]])
            lines.append(
                f"- Interval score at 90 %: {source} beats the last value on "
                f"{len(score) - len(lost)} of {len(score)} sets"
                + (f"; it loses on {', '.join(lost)}." if lost else ".")
            )
    for source in ours:
        low = [name for name in share.index if share.loc[name, source] < 0.85]
        lines.append(
            f"- Coverage of the 90 % interval below 85 %, {source}: {', '.join(low) or 'nowhere'}."
        )
    if len(ours) == 2:
        better = int((score[ours[1]] < score[ours[0]]).sum())
        lines.append(f"- The linear member has the better score on {better} of {len(score)} sets.")
    return "\n".join(lines)


def sections(records: Records) -> dict[str, str]:
    """Return the table, how it is read, and who wins."""
    explained = (
        "Percent of the actual values inside the intervals, over all origins, steps and series; "
        "width and interval score (width plus 20 times what lies outside; smaller is better) in "
        "standard deviations of each series before the first origin. Simulated sets are means "
        "over three seeds. `last value` repeats the last value, or the last season, with the "
        "quantiles of its own past errors."
    )
    parts = [table(records), explained, wins_and_losses(records), stamp_of_sets(records, SETS)]
    return {"coverage": "\n\n".join(parts)}


BENCHMARK = sets_benchmark(
    "coverage",
    __doc__,
    jobs,
    sections,
    sets=tuple(SETS),
    settings=(COVERAGES,),
    sources=SOURCE_FILES,
)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
