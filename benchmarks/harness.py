"""Side-by-side measurements: interleaved timing, and peak memory.

A benchmark names its contestants and hands over a call for each; everything that must be the same
for a fair comparison happens here: a single thread, warm-up, turns taken in one run, medians and
the spread of the pairwise ratios, memory in a fresh process. What was measured goes into
`benchmarks.records`, which also tells how to add a benchmark.
"""

from __future__ import annotations

import gc
import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import torch

from benchmarks.records import ROOT, BenchmarkError
from samovar_forecast.process import one_thread

# --- time ---------------------------------------------------------------------------------------


@dataclass
class Samples:
    """Seconds of each repetition of a contestant: CPU time of the process, and wall clock."""

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
) -> dict[str, Samples]:
    """Return the seconds of each job, the jobs taking turns.

    Parameters
    ----------
    jobs : mapping of str to callable
        What is timed, by contestant. The order within a round is reversed in every second round,
        so that no contestant always inherits the caches and the heap of the same other.
    repeats : int
        Timed rounds.
    warmup : int
        Rounds before, not timed.

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
        gc.collect()
        gc.disable()
        try:
            for i in range(repeats):
                for name in order if i % 2 == 0 else reversed(order):
                    wall, cpu = time.perf_counter(), time.process_time()
                    jobs[name]()
                    samples[name].cpu.append(time.process_time() - cpu)
                    samples[name].wall.append(time.perf_counter() - wall)
        finally:
            if collecting:
                gc.enable()
    return samples


@dataclass(frozen=True)
class Ratio:
    """How many times longer the slow contestant takes, with the quartiles over the rounds."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def speed_up(slow: Samples, fast: Samples, of: str = "median") -> Ratio:
    """Return the CPU time of `slow` over that of `fast`.

    Parameters
    ----------
    slow, fast : Samples
        Taken in the same rounds.
    of : {"median", "total"}
        Whether the value is the ratio of medians (the same job repeated) or of totals (a job in
        parts, a part a round).

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
    """Return the peak of the bytes that torch holds on the CPU during a call, beyond those before.

    Read from torch's own allocator through its profiler, which sees every request, in
    the backward pass and inside an operation too. Deterministic, unlike the size of the process.
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
    """Return the growth of this process at its peak during a call; None off Linux.

    A check on `peak_tensor_bytes` that misses nothing, but counts also what the allocator of the
    C library keeps for later: call it once, in a fresh process.
    """
    clear, before = Path("/proc/self/clear_refs"), resident_bytes()
    if before is None or not clear.exists():
        return None
    clear.write_text("5")  # sets the high-water mark to the present size
    call()
    peak = resident_bytes("VmHWM")
    return None if peak is None else peak - before


def resident_bytes(key: str = "VmRSS") -> int | None:
    """Return the size of this process as ``/proc`` tells it: now, or at its peak (``VmHWM``).

    None off Linux.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    lines = status.read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(key)).split()[1])


def in_fresh_process(function: str, **arguments: Any) -> Any:
    """Return what a function returns in a Python process of its own.

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


# --- samples in the records -----------------------------------------------------------------------


def to_json(samples: Mapping[str, Samples]) -> dict[str, dict[str, list[float]]]:
    """Return samples as plain lists, to 7 digits."""
    return {
        name: {key: [float(f"{s:.7g}") for s in values] for key, values in asdict(sample).items()}
        for name, sample in samples.items()
    }


def from_json(stored: Mapping[str, Mapping[str, list[float]]]) -> dict[str, Samples]:
    """Return samples from what `to_json` returned."""
    return {name: Samples(**seconds) for name, seconds in stored.items()}


if __name__ == "__main__":
    _serve(*sys.argv[1:])
