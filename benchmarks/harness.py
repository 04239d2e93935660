"""Side-by-side measurements: interleaved timing, peak memory, resumable results, tables.

A benchmark names its contestants and hands over one call for each; everything that must be the same
for a fair comparison happens here: one thread, warm-up, turns taken in one run, medians and the
spread of the pairwise ratios, memory in a fresh process, provenance beside every number.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import torch

ROOT = Path(__file__).resolve().parents[1]


class BenchmarkError(RuntimeError):
    """A measurement that would say nothing: what was found, what was wanted, what to do."""


# --- time ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread, and give back the number it had."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass
class Samples:
    """Seconds of each repetition of one contestant: CPU time of the process, and wall clock."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Median CPU seconds."""
        return median(self.cpu)

    @property
    def total(self) -> float:
        """CPU seconds of all repetitions together."""
        return sum(self.cpu)


def interleave(
    jobs: Mapping[str, Callable[[], object]],
    repeats: int,
    warmup: int = 1,
    tick: Callable[[], object] = lambda: None,
) -> dict[str, Samples]:
    """Seconds of each job, the jobs taking turns.

    Parameters
    ----------
    jobs : mapping of str to callable
        What is timed, by contestant. The order within a round is reversed in every second round,
        so that no contestant always inherits the caches and the heap of the same other.
    repeats : int
        Timed rounds.
    warmup : int
        Rounds before, not timed.
    tick : callable
        Called after every round, for a progress bar.

    Returns
    -------
    dict of str to Samples
        `repeats` samples a job; the i-th samples of all jobs were taken next to each other.
    """
    samples = {name: Samples() for name in jobs}
    order = list(jobs)
    collecting = gc.isenabled()
    with one_thread():
        for _ in range(warmup):
            for name in order:
                jobs[name]()
            tick()
        gc.collect()
        gc.disable()
        try:
            for i in range(repeats):
                for name in order if i % 2 == 0 else reversed(order):
                    wall, cpu = time.perf_counter(), time.process_time()
                    jobs[name]()
                    samples[name].cpu.append(time.process_time() - cpu)
                    samples[name].wall.append(time.perf_counter() - wall)
                tick()
        finally:
            if collecting:
                gc.enable()
    return samples


@dataclass(frozen=True)
class Ratio:
    """How many times longer one takes than the other, with the quartiles over the rounds."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def speed_up(slow: Samples, fast: Samples, of: str = "median") -> Ratio:
    """CPU time of `slow` over that of `fast`.

    Parameters
    ----------
    slow, fast : Samples
        Taken in the same rounds.
    of : {"median", "total"}
        Whether the value is the ratio of medians (one thing repeated) or of totals (a job in
        parts, one part a round).

    Returns
    -------
    Ratio
        With the quartiles of the ratios of single rounds.
    """
    pairs = [a / b for a, b in zip(slow.cpu, fast.cpu, strict=True)]
    low, _, high = quantiles(pairs, method="inclusive") if len(pairs) > 1 else pairs * 3
    return Ratio(getattr(slow, of) / getattr(fast, of), low, high)


# --- memory -------------------------------------------------------------------------------------


def peak_tensor_bytes(call: Callable[[], object]) -> int:
    """Peak of the bytes that torch holds on the CPU during a call, above those held before it.

    Read from torch's own allocator through its profiler, which sees every request, also those of
    the backward pass and inside an operation. Deterministic, unlike the size of the process.
    """
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
    ) as profiler:
        call()
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text())["traceEvents"]
    held = [event["args"]["Total Allocated"] for event in events if event["name"] == "[memory]"]
    return max(held, default=0)


def peak_resident_bytes(call: Callable[[], object]) -> int | None:
    """Growth of the resident size of this process at its peak during a call; None off Linux.

    A check on `peak_tensor_bytes` that misses nothing, but counts also what the allocator of the
    C library keeps for later: call it once, in a fresh process.
    """
    status, clear = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not (status.exists() and clear.exists()):
        return None

    def kilobytes(key: str) -> int:
        lines = status.read_text().splitlines()
        return int(next(line for line in lines if line.startswith(key)).split()[1])

    clear.write_text("5")  # sets the high-water mark to the present size
    before = kilobytes("VmRSS")
    call()
    return 1024 * (kilobytes("VmHWM") - before)


def in_fresh_process(function: str, **arguments: Any) -> Any:
    """What a function returns in a Python process of its own.

    Parameters
    ----------
    function : str
        ``"module:name"``; the module is imported in the new process.
    **arguments
        Passed on, and returned, as JSON.

    Raises
    ------
    BenchmarkError
        If the process fails; with the end of what it said.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.harness", function, json.dumps(arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(
            f"{function} with {arguments} failed in its own process "
            f"(status {done.returncode}):\n{done.stderr[-2000:]}"
        )
    return json.loads(done.stdout.splitlines()[-1])


def _serve(function: str, arguments: str) -> None:
    module, name = function.split(":")
    torch.set_num_threads(1)
    answer = getattr(importlib.import_module(module), name)(**json.loads(arguments))
    sys.stdout.write(json.dumps(answer) + "\n")


# --- provenance and results -----------------------------------------------------------------------


def cpu_name() -> str:
    """The processor as the operating system names it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def provenance(packages: Sequence[str] = ("torch", "numpy")) -> dict[str, Any]:
    """Date, commit, hardware and versions, to stand beside a result."""

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


def stamp(entries: Sequence[Mapping[str, Any]], seconds: float, commits: Sequence[str] = ()) -> str:
    """In words: when, at which commit, on which machine and for how long was measured.

    Parameters
    ----------
    entries : sequence of mappings
        Each with a `provenance`; that of the newest is told.
    seconds : float
        CPU seconds of them all.
    commits : sequence of str
        By default that of the newest entry.
    """
    newest = max(entries, key=lambda entry: entry["date"])
    versions = newest["versions"]
    told = ", ".join(f"{name} {versions[name]}" for name in ("torch", "sktime") if name in versions)
    return (
        f"{newest['date']}, commit {', '.join(commits) or newest['commit']}, "
        f"{newest['hardware']['cpu']}, one thread, {seconds:.0f} s of CPU, {told}."
    )


def _physical_bytes() -> int:
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 0


def fingerprint(*settings: Any, sources: Sequence[str] = ("samovar_forecast", "benchmarks")) -> str:
    """One word for everything that a number depends on: sources, settings, machine, versions.

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


class Results:
    """A JSON file of entries, one a case, written after every measurement.

    A run that was cut off goes on where it stopped: measurements of an entry are kept as long as
    its fingerprint is the present one. A finished run starts anew.

    Parameters
    ----------
    path : Path or None
        Where the file lies; None keeps the results in memory alone.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.entries: dict[str, dict[str, Any]] = {}
        if path is not None and path.exists():
            self.entries = json.loads(path.read_text())

    def begin(self, fingerprints: Mapping[str, str], header: Mapping[str, Any]) -> None:
        """Keep what an interrupted run left of these cases, and clear the rest of them."""

        def usable(case: str) -> bool:
            return self.entries.get(case, {}).get("fingerprint") == fingerprints[case]

        finished = all(
            usable(case) and self.entries[case].get("finished", False) for case in fingerprints
        )
        for case, word in fingerprints.items():
            if finished or not usable(case):
                self.entries[case] = {"fingerprint": word, **header}
        self.save()

    def measured(self, case: str, what: str, measure: Callable[[], Any]) -> Any:
        """The stored measurement, made now if there is none."""
        entry = self.entries[case]
        if what not in entry:
            entry[what] = measure()
            self.save()
        return entry[what]

    def finish(self, case: str) -> None:
        """Mark a case as complete."""
        self.entries[case]["finished"] = True
        self.save()

    def save(self) -> None:
        """Write the file in one move, so that a kill never leaves half of it."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".draft")
        draft.write_text(json.dumps(self.entries, indent=1) + "\n")
        draft.replace(self.path)


def to_json(samples: Mapping[str, Samples]) -> dict[str, dict[str, list[float]]]:
    """Samples as plain lists, to 7 digits."""
    return {
        name: {key: [float(f"{s:.7g}") for s in values] for key, values in asdict(one).items()}
        for name, one in samples.items()
    }


def from_json(stored: Mapping[str, Mapping[str, list[float]]]) -> dict[str, Samples]:
    """The inverse of `to_json`."""
    return {name: Samples(**one) for name, one in stored.items()}


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table that reads well both as Markdown and as it stands."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        return "| " + " | ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([line(header), rule, *(line(row) for row in rows)])


if __name__ == "__main__":
    _serve(*sys.argv[1:])
