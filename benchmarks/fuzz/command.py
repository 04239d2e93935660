"""``python -m benchmarks.fuzz``: cases of any nastiness, drawn from seeds.

A case is decided by its kind and its seed, so any case can be run again alone:
``--kinds KIND --first SEED --n 1 --artefacts 0``. The rule: every answer is finite and on the right
index, or an error of ours or of the host says what is wrong; the user's frames and arguments, the
random states, the warning filters and torch's defaults are as before. The rule of an artifact:
the forecaster of before bit for bit, or ``ArtifactError``.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import logging
import os
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.command import Benchmark
from benchmarks.fuzz.artifacts import artifact_case
from benchmarks.fuzz.compare_calls import compare_case
from benchmarks.fuzz.frames import run_frame
from benchmarks.fuzz.rule import BROKEN
from benchmarks.fuzz.sktime_calls import sktime_case
from benchmarks.fuzz.terminal_calls import terminal_case
from benchmarks.pages import markdown_table
from benchmarks.records import Records, fingerprint, provenance
from samovar_forecast.process import one_thread


def darts_case(folder: Path) -> Callable[[int], str]:
    """Return what runs the cases of darts, which is imported for them alone."""
    from benchmarks.fuzz import darts_calls

    return darts_calls.darts_case(folder)


KINDS: dict[str, Callable[[Path], Callable[[int], str]]] = {
    "frames": lambda folder: run_frame,
    "sktime": sktime_case,
    "darts": darts_case,
    "compare": compare_case,
    "terminal": terminal_case,
    "artifacts": artifact_case,
}
"""What runs the cases of a kind; the folder is empty and may be written to."""

SHARES = {"frames": 0.75, "sktime": 0.08, "darts": 0.07, "compare": 0.07, "terminal": 0.03}
"""How the cases that are asked for are divided among the kinds."""

PART = 500
"""Cases after which the records are written: a run that was cut off goes on there."""


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Run the cases and keep how they ended, with the seeds of those that broke the rule."""
    wanted = cases_of_each(asked.kinds, asked.n)
    if asked.artefacts:
        wanted["artifacts"] = asked.artefacts
    records.begin({kind: fingerprint(asked.first) for kind in wanted}, provenance())
    with one_thread(), nothing_told():
        for kind, n_cases in wanted.items():
            with tempfile.TemporaryDirectory() as folder, inside(folder):
                run = KINDS[kind](Path(folder))
                run(asked.first)  # imports what is imported late
                parts = [
                    records.measured(kind, f"seeds {first} to {first + size - 1}", part)
                    for first, size in parts_of(asked.first, n_cases)
                    for part in [functools.partial(run_part, kind, run, first, size)]
                ]
            records.keep(kind, {**_header(records.entries[kind]), **together(asked.first, parts)})


@contextlib.contextmanager
def nothing_told() -> Iterator[None]:
    """Ignore warnings and logs in the block: darts logs every error that it raises."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def inside(folder: str) -> Iterator[None]:
    """Work in a folder in the block: some cases write to paths that are relative."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def cases_of_each(kinds: Sequence[str], n_cases: int) -> dict[str, int]:
    """Return how many cases each kind has, by its share; the first kind has what is left."""
    whole = sum(SHARES[kind] for kind in kinds)
    cases = {kind: int(n_cases * SHARES[kind] / whole) for kind in kinds}
    cases[kinds[0]] += n_cases - sum(cases.values())
    return {kind: number for kind, number in cases.items() if number}


def parts_of(first: int, n_cases: int) -> Iterator[tuple[int, int]]:
    """Yield first seed and size of each part."""
    for start in range(first, first + n_cases, PART):
        yield start, min(PART, first + n_cases - start)


def run_part(kind: str, run: Callable[[int], str], first: int, n_cases: int) -> dict[str, Any]:
    """Run some cases, and tell at once of each that breaks the rule."""
    began, endings, seeds = time.process_time(), Counter[str](), []
    for seed in range(first, first + n_cases):
        ending = run(seed)
        if "the warning filters" in ending:  # sktime adds some once, by a late import
            ending = run(seed)
        endings[BROKEN if ending.startswith(BROKEN) else ending] += 1
        if ending.startswith(BROKEN):
            seeds.append(seed)
            print(f"{kind}, seed {seed}: {ending}", flush=True)
    spent = round(time.process_time() - began, 1)
    return {"cases": n_cases, "endings": dict(endings), "broken": seeds, "seconds": spent}


def together(first: int, parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the endings of all parts."""
    endings: Counter[str] = sum((Counter(part["endings"]) for part in parts), Counter())
    return {
        "first": first,
        "cases": sum(part["cases"] for part in parts),
        "endings": dict(sorted(endings.items())),
        "broken": [seed for part in parts for seed in part["broken"]],
        "seconds": round(sum(part["seconds"] for part in parts), 1),
        "finished": True,
    }


def _header(entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry without its parts."""
    return {name: value for name, value in entry.items() if not name.startswith("seeds ")}


def sections(records: Records) -> dict[str, str]:
    """Return the table of endings."""
    rows = [
        [
            name,
            f"{entry['cases']:,}",
            ", ".join(f"{ending} {count:,}" for ending, count in entry["endings"].items()),
            str(entry["endings"].get(BROKEN, 0)),
            entry["commit"],
        ]
        for name, entry in records.entries.items()
        if "endings" in entry
    ]
    header = ["cases", "number", "endings", "against the rule", "commit"]
    return {"fuzz": markdown_table(header, rows)}


def options(parser: argparse.ArgumentParser) -> None:
    """Add the kinds and numbers of cases."""
    parser.add_argument("--n", type=int, default=2000, help="cases of the kinds, by their shares")
    parser.add_argument("--kinds", nargs="+", choices=SHARES, default=list(SHARES))
    parser.add_argument("--artefacts", type=int, default=2000, help="damaged artifacts")
    parser.add_argument("--first", type=int, default=0, help="seed of the first case")


BENCHMARK = Benchmark("fuzz", __doc__, measure, sections, options)
