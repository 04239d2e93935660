"""``python -m benchmarks.demo``: the leaderboard of ``make demo``, recorded for README.md.

It runs what ``samovar-forecast demo`` runs by default, and keeps what that printed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile

from benchmarks.command import Benchmark
from benchmarks.records import BenchmarkError, Records, provenance
from samovar_forecast import cli


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Keep what the demo prints of its leaderboard, and where."""
    printed = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(printed):
        code = cli.main(["demo", "--output", folder, "--quiet"])
    if code != 0:
        raise BenchmarkError(f"the demo ended with exit code {code}")
    lines = printed.getvalue().splitlines()
    start = next(i for i, line in enumerate(lines) if " steps ahead from " in line)
    stop = next(i for i, line in enumerate(lines) if i > start and folder in line)
    header = provenance(("torch", "numpy", "sktime", "statsmodels"))
    records.keep("demo", {**header, "printed": lines[start:stop]})


def sections(records: Records) -> dict[str, str]:
    """Return the leaderboard as it was printed, and where."""
    entry = records.entries["demo"]
    versions = ", ".join(f"{name} {version}" for name, version in entry["versions"].items())
    hardware = entry["hardware"]
    return {
        "leaderboard": "\n".join(
            [
                "```text",
                *entry["printed"],
                "```",
                "",
                f"Recorded by `python -m benchmarks.demo` on {entry['date'][:10]}, commit "
                f"{entry['commit']}, {hardware['cpu']}, {hardware['cores']} cores; {versions}.",
            ]
        )
    }


BENCHMARK = Benchmark("demo", __doc__, measure, sections)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
