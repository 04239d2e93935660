"""The rows of ``python -m benchmarks.core --device cuda``: eager and compiled, float32 and bf16.

Each form is first held against the plain implementation in float32. Times are those of the wall
between two waits for the device, medians of repetitions; the share is that of the rate at which the
device multiplies large matrices of the same precision, measured in the same run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.core import Case, Contestant, random_walks
from benchmarks.pages import markdown_table
from benchmarks.records import BenchmarkError

FORMS = (
    ("plain", False, torch.float32),
    ("plain", True, torch.float32),
    ("core", False, torch.float32),
    ("core", True, torch.float32),
    ("core", False, torch.bfloat16),
    ("core", True, torch.bfloat16),
)
"""Contestant, whether it is compiled, and the precision of its products."""
LARGEST_DIFFERENCE = {torch.float32: 1e-3, torch.bfloat16: 5e-2}
"""Of a forecast from that of the plain form in float32, in units of its largest move."""
LARGE_MATRIX = 8192


def waited(device: torch.device) -> None:
    """Wait until the device has done what it was asked."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds_of(call: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Return the median seconds of a call, after three that warm up."""
    found = []
    for number in range(3 + repeats):
        waited(device)
        started = time.perf_counter()
        call()
        waited(device)
        if number >= 3:
            found.append(time.perf_counter() - started)
    return median(found)


def matrix_rate(device: torch.device, precision: torch.dtype, width: int = LARGE_MATRIX) -> float:
    """Return the operations a second of a large matrix product."""
    matrix = torch.randn(width, width, device=device, dtype=precision)
    return 2 * width**3 / seconds_of(lambda: matrix @ matrix, device, 5)


def operations_of(call: Callable[[], object]) -> int:
    """Return the operations of the matrix products of a call."""
    with FlopCounterMode(display=False) as counter:
        call()
    return int(counter.get_total_flops())


def in_precision(device: torch.device, precision: torch.dtype) -> AbstractContextManager[Any]:
    """Return a block in which products have a precision."""
    return torch.autocast(device.type, precision, enabled=precision != torch.float32)


def rows_of(
    name: str, case: Case, device: torch.device, rates: dict[torch.dtype, float]
) -> Iterator[list[str]]:
    """Yield a row for each form of a case: a training step, and the forecast of a batch.

    Raises
    ------
    BenchmarkError
        If a form does not forecast what the plain form does.
    """
    window, future = (part.to(device) for part in random_walks(case, case.batch))
    wanted: Tensor | None = None
    slowest: dict[str, float] = {}
    for who, is_compiled, precision in FORMS:
        contestant = Contestant(who, case)
        contestant.network.to(device)
        operations = {
            "training step": operations_of(lambda c=contestant: c.loss(window, future).backward()),
            "forecast": operations_of(lambda c=contestant: c.forecast(window)),
        }
        if is_compiled:
            contestant.network = torch.compile(contestant.network)  # type: ignore[assignment]
        form = f"{who}, {'compiled' if is_compiled else 'eager'}, {str(precision)[6:]}"
        with in_precision(device, precision):
            contestant.network.eval()
            moved = contestant.forecast(window).float() - window[:, -1:]
            wanted = moved if wanted is None else wanted
            difference = float((moved - wanted).abs().max() / wanted.abs().max())
            if not difference <= LARGEST_DIFFERENCE[precision]:
                raise BenchmarkError(f"case {name}: {form} is {difference:.1e} off; not timed")
            calls = {
                "training step": lambda c=contestant: c.step(window, future),
                "forecast": lambda c=contestant: c.forecast(window),
            }
            for what, call in calls.items():
                contestant.network.train(what == "training step")
                seconds = seconds_of(call, device, case.n_steps)
                before = slowest.setdefault(what, seconds)
                share = operations[what] / seconds / rates[precision]
                shown = [f"{1e3 * seconds:.3g} ms", f"{before / seconds:.2f}x", f"{share:.0%}"]
                yield [name, what, form, *shown, f"{difference:.0e}"]


def table(cases: dict[str, Case], device: torch.device) -> str:
    """Return the table of all cases on a device."""
    rates = {precision: matrix_rate(device, precision) for precision in LARGEST_DIFFERENCE}
    header = ["case", "what", "form", "time", "faster than plain, eager", "of the matrix rate"]
    rows = [row for name, case in cases.items() for row in rows_of(name, case, device, rates)]
    told = ", ".join(f"{str(key)[6:]} {rate / 1e12:.3g}" for key, rate in rates.items())
    return f"{markdown_table([*header, 'off'], rows)}\n\nMatrix rates in 10^12 a second: {told}."
