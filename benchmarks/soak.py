"""``python -m benchmarks.soak``: forecasts by the thousand, fits in a row, and what they leave.

Each case runs in a process of its own, on one thread of torch. After a fifth of the calls the
process is warm; from there to the end its resident memory may grow by 5 %, and it may hold no more
open files, child processes and threads than before. A forecast is the point forecast or the
interval, in turns; each has to be the first of its kind bit for bit, from one thread and from eight
threads. The figures are those of ``/proc``: Linux is needed.
"""

from __future__ import annotations

import argparse
import gc
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import harness
from benchmarks.command import Benchmark
from benchmarks.pages import markdown_table
from benchmarks.records import BenchmarkError, Records, provenance
from samovar_forecast import SAMoVARForecaster

FORECASTERS: dict[str, dict[str, Any]] = {
    "linear": {"pretrained": False},
    "default": {},
    "trained": {
        "linear": False,
        "pretrained": False,
        "train": True,
        "max_epochs": 3,
        "d_model": 8,
        "n_layers": 1,
        "random_state": 0,
    },
}
KINDS = ("forecasts", "forecasts from 8 threads", "fits")
N_THREADS = 8
N_LOOKS = 50
"""How often a case is looked at, in equal parts of its calls."""
WARM_UP = 0.2
"""Part of the calls after which the process is warm."""
MOST_GROWTH = 0.05
"""By which resident memory may grow once the process is warm."""
COUNTS = ("files", "children", "threads")
"""What a process may not hold more of once it is warm."""

Look = dict[str, int]


def series() -> pd.DataFrame:
    """Return two random walks of 60 rows."""
    steps = np.random.default_rng(0).normal(size=(60, 2))
    return pd.DataFrame(steps.cumsum(axis=0), columns=["a", "b"])


def look() -> Look:
    """Return resident bytes of this process, and its open files, children and threads.

    Raises
    ------
    BenchmarkError
        Where there is no ``/proc``.
    """
    place = Path("/proc/self")
    if not place.exists():
        raise BenchmarkError("there is no /proc to look at a process; run this on Linux")
    tasks = list((place / "task").iterdir())
    children = [child for task in tasks for child in (task / "children").read_text().split()]
    return {
        "bytes": int((place / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"),
        "files": len(list((place / "fd").iterdir())),
        "children": len(children),
        "threads": len(tasks),
    }


def growth(looks: Sequence[Mapping[str, int]]) -> float:
    """Return by which part resident memory grew from the end of the warm-up to the end.

    Medians of the fifth of the looks after the warm-up and of the last fifth are compared: a single
    look may fall on a moment at which the allocator keeps more.
    """
    part = max(1, round(WARM_UP * len(looks)))
    first, last = (
        median(one["bytes"] for one in some) for some in (looks[part : 2 * part], looks[-part:])
    )
    return last / first - 1


def faults(looks: Sequence[Mapping[str, int]], n_others: int) -> list[str]:
    """Return what is against the rule; nothing if all is well.

    Parameters
    ----------
    looks : sequence of mapping
        In their order, see `look`.
    n_others : int
        Forecasts that were not the first one.
    """
    found = []
    if growth(looks) > MOST_GROWTH:
        found.append(f"memory grew by {growth(looks):.1%}")
    warm, last = looks[round(WARM_UP * len(looks))], looks[-1]
    found += [
        f"{last[name] - warm[name]} more {name}" for name in COUNTS if last[name] > warm[name]
    ]
    if n_others:
        found.append(f"{n_others} other forecasts")
    return found


def watched(n_calls: int, run: Callable[[int], int]) -> tuple[list[Look], int]:
    """Run calls in equal parts, and look at the process after each part.

    Parameters
    ----------
    n_calls : int
    run : callable
        Makes so many calls; returns how many of the answers were others than the first.

    Returns
    -------
    looks : list of dict
    n_others : int
    """
    looks, n_others = [], 0
    gc.collect()
    gc.freeze()  # what is there already is not searched for garbage again
    try:
        for size in np.diff(np.linspace(0, n_calls, min(n_calls, N_LOOKS) + 1).astype(int)):
            n_others += run(int(size))
            gc.collect()
            looks.append(look())
    finally:
        gc.unfreeze()
    return looks, n_others


def soak(forecaster: str, kind: str, n_calls: int) -> dict[str, Any]:
    """Return the looks, the other forecasts and the seconds of a case.

    Parameters
    ----------
    forecaster : str
        Of `FORECASTERS`.
    kind : str
        Of `KINDS`.
    n_calls : int
    """
    warnings.simplefilter("ignore")
    y, began = series(), time.process_time()

    def fit() -> SAMoVARForecaster:
        return SAMoVARForecaster(**FORECASTERS[forecaster]).fit(y, fh=[1, 2, 3])

    def ask(fitted: SAMoVARForecaster, number: int) -> pd.DataFrame:
        return fitted.predict_interval(coverage=0.8) if number % 2 else fitted.predict()

    fitted = fit()
    expected = [ask(fitted, number) for number in range(2)]

    def answers(n: int, asked: Callable[[], SAMoVARForecaster]) -> int:
        return sum(not ask(asked(), k).equals(expected[k % 2]) for k in range(n))

    def alone(n: int) -> int:
        return answers(n, lambda: fitted)

    def in_threads(n: int) -> int:
        shares = np.diff(np.linspace(0, n, N_THREADS + 1).astype(int))
        return sum(pool.map(alone, shares.tolist()))

    def anew(n: int) -> int:
        return answers(n, fit)

    with ThreadPoolExecutor(N_THREADS) as pool:
        if kind == KINDS[1]:  # every thread starts before the first look
            start = threading.Barrier(N_THREADS)
            list(pool.map(lambda _: start.wait(), range(N_THREADS)))
        run = dict(zip(KINDS, (alone, in_threads, anew), strict=True))[kind]
        looks, n_others = watched(n_calls, run)
    spent = round(time.process_time() - began, 1)
    return {"calls": n_calls, "looks": looks, "others": n_others, "seconds": spent}


def cases(asked: argparse.Namespace) -> Iterator[tuple[str, str, int]]:
    """Yield forecaster, kind and number of calls of what is asked for."""
    for forecaster in asked.forecasters:
        for kind in KINDS:
            yield forecaster, kind, asked.fits if kind == KINDS[2] else asked.forecasts


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Run each case in a fresh process and keep what was seen.

    Raises
    ------
    BenchmarkError
        If a case breaks the rule; its figures are kept.
    """
    broken = []
    for forecaster, kind, n_calls in cases(asked):
        if not n_calls:
            continue
        name = f"{forecaster}: {kind}"
        found = harness.in_fresh_process(
            "benchmarks.soak:soak", forecaster=forecaster, kind=kind, n_calls=n_calls
        )
        records.keep(name, {**provenance(), **found})
        against = faults(found["looks"], found["others"])
        print(f"{name}: {', '.join(against) or 'as before'}", flush=True)
        broken += [f"{name}: {fault}" for fault in against]
    if broken:
        raise BenchmarkError("; ".join(broken))


def sections(records: Records) -> dict[str, str]:
    """Return the table of the cases."""
    rows = []
    for name, entry in records.entries.items():
        looks = entry["looks"]
        warm, last = looks[round(WARM_UP * len(looks))], looks[-1]
        rows.append(
            [
                name,
                f"{entry['calls']:,}",
                f"{warm['bytes'] / 2**20:.0f} -> {last['bytes'] / 2**20:.0f} MiB",
                f"{growth(looks):+.1%}",
                ", ".join(f"{last[count] - warm[count]:+d}" for count in COUNTS),
                str(entry["others"]),
                "; ".join(faults(looks, entry["others"])) or "nothing",
                entry["commit"],
            ]
        )
    header = ["forecaster: calls", "number", "memory, warm -> end", "growth"]
    header += ["files, children, threads", "other bits", "against the rule", "commit"]
    return {"soak": markdown_table(header, rows)}


def options(parser: argparse.ArgumentParser) -> None:
    """Add forecasters and numbers of calls."""
    parser.add_argument("--forecasts", type=int, default=20_000, help="from each forecaster")
    parser.add_argument("--fits", type=int, default=200, help="of each forecaster")
    parser.add_argument("--forecasters", nargs="+", choices=FORECASTERS, default=list(FORECASTERS))


BENCHMARK = Benchmark("soak", __doc__, measure, sections, options)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
