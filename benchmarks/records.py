"""The store of what was measured: a file a benchmark, a line an entry.

To add a benchmark ``python -m benchmarks.NAME``:

1. In ``benchmarks/NAME.py`` write ``BENCHMARK = Benchmark("NAME", __doc__, measure, sections)``
   (`benchmarks.command`). ``measure(records, asked)`` opens entries by ``records.begin`` and fills
   them by ``records.measured(entry, what, call)``, which calls only for what is not stored yet; or
   it stores a whole entry by ``records.keep``. The file is ``benchmarks/results/NAME.json``.
2. ``sections(records)`` returns Markdown by marker. Put ``<!-- begin MARKER -->`` and
   ``<!-- end MARKER -->`` on any page, and NAME into `benchmarks.pages.NAMES`.
3. ``python -m benchmarks.pages`` writes the pages; a test holds them against the records.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
Entry = dict[str, Any]


class BenchmarkError(RuntimeError):
    """A measurement that would say nothing: what was found, what was wanted, what to do."""


class Records:
    """A JSON object of entries by name, each entry on a line of its own.

    The file is written after every measurement. A run that was cut off goes on where it stopped:
    the measurements of an entry are kept as long as its fingerprint is that of the run. A finished
    run starts anew.

    Parameters
    ----------
    path : Path or None
        Where the file lies; None keeps the records in memory alone.

    Attributes
    ----------
    entries : dict of str to dict
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.entries = self._read()
        self._changed: set[str] = set()

    def begin(self, fingerprints: Mapping[str, str], header: Mapping[str, Any]) -> None:
        """Keep what an interrupted run left of these entries, and clear the rest of them.

        Parameters
        ----------
        fingerprints : mapping of str to str
            By entry, see `fingerprint`.
        header : mapping
            What every new entry starts with, see `provenance`.
        """

        def is_current(name: str) -> bool:
            return self.entries.get(name, {}).get("fingerprint") == fingerprints[name]

        is_finished = all(
            is_current(name) and self.entries[name].get("finished", False) for name in fingerprints
        )
        for name, word in fingerprints.items():
            if is_finished or not is_current(name):
                self.entries[name] = {"fingerprint": word, **header}
                self._changed.add(name)
        self.save()

    def measured(self, name: str, what: str, measure: Callable[[], Any]) -> Any:
        """Return the stored measurement of an entry, made now if there is none."""
        entry = self.entries[name]
        if what not in entry:
            entry[what] = measure()
            self.keep(name, entry)
        return entry[what]

    def finish(self, name: str) -> None:
        """Mark an entry as complete."""
        self.keep(name, {**self.entries[name], "finished": True})

    def keep(self, name: str, entry: Entry) -> None:
        """Store a whole entry under its name, in place of an earlier entry."""
        self.entries[name] = entry
        self._changed.add(name)
        self.save()

    def save(self) -> None:
        """Write the file in one move, so that a kill never leaves half of it.

        Entries that another process wrote meanwhile stay: two runs may fill different entries.
        """
        if self.path is None:
            return
        for name, entry in self._read().items():
            if name not in self._changed:
                self.entries[name] = entry
        lines = [f"{json.dumps(name)}: {json.dumps(self.entries[name])}" for name in self.entries]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".draft")
        draft.write_text("{\n" + ",\n".join(lines) + "\n}\n")
        draft.replace(self.path)

    def _read(self) -> dict[str, Entry]:
        if self.path is None or not self.path.exists():
            return {}
        return json.loads(self.path.read_text())


# --- provenance -----------------------------------------------------------------------------------


def cpu_name() -> str:
    """Return the processor's name as the operating system gives it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def provenance(packages: Sequence[str] = ("torch", "numpy")) -> dict[str, Any]:
    """Return date, commit, hardware and versions, to stand beside a result."""

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--", "samovar_forecast", "benchmarks/*.py")
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "commit": (git("rev-parse", "--short=12", "HEAD") or "unknown")
        + (" and uncommitted changes" if changed else ""),
        "hardware": {
            "cpu": cpu_name(),
            "cores": os.cpu_count(),
            "threads used": 1,
            "memory GiB": round(_physical_bytes() / 2**30, 1),
        },
        "versions": {
            "python": platform.python_version(),
            **{name: str(importlib.import_module(name).__version__) for name in packages},
        },
    }


def _physical_bytes() -> int:
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 0


def stamp(entries: Sequence[Mapping[str, Any]], seconds: float, commits: Sequence[str] = ()) -> str:
    """Say when, at which commit, on which machine and for how long was measured.

    Parameters
    ----------
    entries : sequence of mappings
        Each with a `provenance`; the newest is told.
    seconds : float
        CPU seconds of all of them.
    commits : sequence of str
        By default the commit of the newest entry.
    """
    newest = max(entries, key=lambda entry: entry["date"])
    versions = newest["versions"]
    told = ", ".join(f"{name} {versions[name]}" for name in ("torch", "sktime") if name in versions)
    return (
        f"{newest['date']}, commit {', '.join(commits) or newest['commit']}, "
        f"{newest['hardware']['cpu']}, one thread, {seconds:.0f} s of CPU, {told}."
    )


def fingerprint(*settings: Any, sources: Sequence[str] = ("samovar_forecast", "benchmarks")) -> str:
    """Return a word for all that a number depends on: sources, settings, machine, versions.

    Parameters
    ----------
    *settings
        What the measurement was asked to do.
    sources : sequence of str
        Python files and folders of the repository whose content counts.
    """
    digest = hashlib.sha256()
    for source in sources:
        place = ROOT / source
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            digest.update(path.read_bytes())
    about = [*settings, cpu_name(), torch.__version__, platform.python_version()]
    digest.update(json.dumps(about, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]
