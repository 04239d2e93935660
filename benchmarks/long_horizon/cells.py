"""Cells: a fit of a row, in an entry of its own; what is finished is never run again."""

from __future__ import annotations

import math
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from benchmarks.long_horizon.data import Asked, Task
from benchmarks.long_horizon.rows import canonical_name, read_name
from benchmarks.records import BenchmarkError, Entry, Records, provenance

MANY_WINDOWS = 1000
"""A row that scores some of the test windows scores all of them where there are fewer."""

PACKAGES = ("torch", "numpy", "pandas", "pytorch_lightning", "sktime")


@dataclass(frozen=True)
class Run:
    """Where cells are kept and how they are run.

    Attributes
    ----------
    records : Records
        With an entry a cell.
    device : str
    scratch : Path, optional
        Folder from which a fit that was cut off goes on.
    commit : str, optional
        Of the code, where it lies outside its repository.
    """

    records: Records
    device: str = "auto"
    scratch: Path | None = None
    commit: str | None = None

    def cell(self, task: Task, name: str, lookback: int, seed: int) -> Entry:
        """Return the stored cell, made now if there is none.

        Raises
        ------
        BenchmarkError
            If the stored cell is of other data under the same name.
        """
        name = canonical_name(name)
        key = key_of(task, name, lookback, seed)
        if key in self.records.entries:
            stored = self.records.entries[key]
            if stored["data"] != task.digest:
                raise BenchmarkError(
                    f"{key} is of other data than {task.name} is now; give the set another name, "
                    "or remove the entry"
                )
            return stored
        made = self._measured(task, name, lookback, seed)
        self.records.keep(key, made)
        return made

    def _measured(self, task: Task, name: str, lookback: int, seed: int) -> Entry:
        row, overrides = read_name(name)
        key = key_of(task, name, lookback, seed)
        checkpoint = None if self.scratch is None else self.scratch / key
        wall, cpu = time.perf_counter(), time.process_time()
        asked = Asked(lookback, seed, self.device, checkpoint)
        forecast, about = row.fit(task, asked, overrides)
        fitted = (time.perf_counter() - wall, time.process_time() - cpu)
        reads = lookback or about["rows_read"]
        stride = stride_of(len(task.origins("test")), row.n_windows, task.season)
        scores = {
            part: task.score(forecast, part, reads, row.at_once, stride)
            for part in ("validation", "test")
        }
        if checkpoint is not None:
            shutil.rmtree(checkpoint, ignore_errors=True)
        header = provenance(PACKAGES)
        if self.commit is not None:
            header["commit"] = self.commit
        return {
            "dataset": task.name,
            "horizon": task.horizon,
            "model": name,
            "lookback": lookback,
            "seed": seed,
            "data": task.digest,
            "borders": list(task.borders),
            "series": task.n_series,
            "windows": {part: len(task.origins(part)[::stride]) for part in ("validation", "test")},
            "scores": scores,
            "seconds": {
                "fit wall": round(fitted[0], 2),
                "fit cpu": round(fitted[1], 2),
                "all wall": round(time.perf_counter() - wall, 2),
            },
            "about": about,
            **header,
        }

    def model(
        self, task: Task, name: str, lookbacks: Sequence[int], seeds: Sequence[int]
    ) -> list[Entry]:
        """All cells of a row: the look-back chosen with the first seed, then the other seeds."""
        row, _ = read_name(name)
        grid = [length for length in lookbacks if task.allows(length)] if row.has_lookback else [0]
        if not grid:
            raise BenchmarkError(
                f"{task.name} is too short for horizon {task.horizon} with any look-back of "
                f"{list(lookbacks)}; give shorter ones by --lookbacks"
            )
        first, *others = seeds
        cells = [self.cell(task, name, length, first) for length in grid]
        if row.is_random:
            chosen = best_lookback(cells)
            cells += [self.cell(task, name, chosen, seed) for seed in others]
        return cells


def key_of(task: Task, name: str, lookback: int, seed: int) -> str:
    """Return the name of a cell's entry."""
    slug = re.sub(r"[^A-Za-z0-9.-]+", "_", name).strip("_")
    return f"{task.name}/{task.horizon}-{slug}-L{lookback}-s{seed}"


def stride_of(n_windows: int, wanted: int | None, season: int) -> int:
    """Return every how manyth window is scored, so that windows begin at every phase of a season.

    Parameters
    ----------
    n_windows : int
    wanted : int, optional
        Windows that are scored at most, if there are many; None for all.
    season : int

    Returns
    -------
    int
    """
    if wanted is None or n_windows < MANY_WINDOWS:
        return 1
    return next(
        stride for stride in count(-(-n_windows // wanted)) if math.gcd(stride, season) == 1
    )


def best_lookback(cells: Sequence[Entry]) -> int:
    """The look-back of least validation MSE among the cells of the seed of the search."""
    first = min(cell["seed"] for cell in cells)
    searched = [cell for cell in cells if cell["seed"] == first]
    best = min(searched, key=lambda cell: cell["scores"]["validation"][""]["MSE"])
    return int(best["lookback"])
