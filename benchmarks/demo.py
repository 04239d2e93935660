"""``python -m benchmarks.demo``: the leaderboard of ``make demo``, recorded and put into README.md.

It runs what ``samovar-forecast demo`` runs by default, and writes what it printed, with date,
hardware and commit, to ``benchmarks/results/demo.json`` and between the markers in README.md.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import harness
from samovar_forecast import cli

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "demo.json"
BEGIN, END = "<!-- leaderboard: begin -->", "<!-- leaderboard: end -->"


def measure() -> dict[str, Any]:
    """What the demo printed of its leaderboard, and where."""
    printed = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(printed):
        code = cli.main(["demo", "--output", folder, "--quiet"])
    if code != 0:
        raise harness.BenchmarkError(f"the demo ended with exit code {code}")
    lines = printed.getvalue().splitlines()
    start = next(i for i, line in enumerate(lines) if " steps ahead from " in line)
    stop = next(i for i, line in enumerate(lines) if i > start and folder in line)
    entry = harness.provenance(("torch", "numpy", "sktime", "statsmodels"))
    return {**entry, "printed": lines[start:stop]}


def section(entry: dict[str, Any]) -> str:
    """The text between the markers."""
    versions = ", ".join(f"{name} {version}" for name, version in entry["versions"].items())
    hardware = entry["hardware"]
    return "\n".join(
        [
            BEGIN,
            "```text",
            *entry["printed"],
            "```",
            "",
            f"Recorded by `python -m benchmarks.demo` on {entry['date'][:10]}, commit "
            f"{entry['commit']}, {hardware['cpu']}, {hardware['cores']} cores; {versions}.",
            END,
        ]
    )


def main() -> None:
    """Run the demo, record it, and bring README.md up to date."""
    entry = measure()
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(entry, indent=2) + "\n", encoding="utf-8")
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(before + section(entry) + after, encoding="utf-8")
    print("\n".join(entry["printed"]))


if __name__ == "__main__":
    main()
