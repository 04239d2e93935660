"""Several processes train a network together: each draws batches of its own, gradients are shared.

Each step is that of a batch as many times as large (Goyal et al. 2017, Accurate, large minibatch
SGD). The processes hold the same weights at all times, for they begin alike and move alike.
"""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn
from torch.multiprocessing.spawn import spawn


def number_of_processes() -> int:
    """Return how many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def number_of_this_process() -> int:
    """Return which of them this is, counted from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def sum_of_processes(*values: float) -> list[float]:
    """Return the sums of some numbers over the processes; all of them call it and get the same."""
    total = torch.tensor(values, dtype=torch.float64)
    if number_of_processes() > 1:
        distributed.all_reduce(total)
    return total.tolist()


def share_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace each gradient by its mean over the processes.

    A parameter without a gradient in some of the processes has gradient 0 there; without one in
    all of them it stays without.

    Parameters
    ----------
    parameters : iterable of Parameter
        The same in all processes, and in the same order.
    """
    if number_of_processes() == 1:
        return
    trained = list(parameters)
    has = [0.0 if parameter.grad is None else 1.0 for parameter in trained]
    own = [torch.zeros_like(p) if p.grad is None else p.grad for p in trained]
    together = torch.cat([torch.tensor(has), *(gradient.flatten() for gradient in own)])
    distributed.all_reduce(together)
    anywhere, rest = together[: len(trained)], together[len(trained) :]
    means = rest.div(number_of_processes()).split([p.numel() for p in trained])
    for parameter, count, mean in zip(trained, anywhere.tolist(), means, strict=True):
        parameter.grad = mean.view_as(parameter) if count else None


def train_in_processes(n: int, train: Callable[..., Any], *arguments: Any) -> None:
    """Call a function in ``n`` processes of this machine that train together, and wait for them.

    None of them outlives the call: an error in one of them, or an interrupt, ends all.

    Parameters
    ----------
    n : int
    train : callable
        Of a module, with arguments that can be pickled.
    *arguments : Any
    """
    with tempfile.TemporaryDirectory() as folder:
        meeting = f"file://{Path(folder, 'meeting')}"
        started = spawn(_join, (n, meeting, train, arguments), nprocs=n, join=False)
        try:
            while not started.join():
                pass
        finally:
            for process in started.processes:
                process.terminate()
                process.join()


def _join(number: int, n: int, meeting: str, train: Callable[..., Any], arguments: Any) -> None:
    # A shell lets what runs in the background ignore the signal that says: the parent is gone.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    distributed.init_process_group("gloo", init_method=meeting, rank=number, world_size=n)
    try:
        train(*arguments)
    finally:
        distributed.destroy_process_group()
