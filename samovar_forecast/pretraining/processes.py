"""Several processes train a network together: each draws batches of its own, gradients are shared.

Each step is that of a batch as many times as large (Goyal et al. 2017, Accurate, large minibatch
SGD). The processes hold the same weights at all times, for they begin alike and move alike. The
first process adds up over pipes what the others send, so that no network and no port is needed.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn


class _Place(NamedTuple):
    """Of this process among those that train together: its number and its pipes."""

    number: int = 0
    pipes: tuple[Connection, ...] = ()  # of the first to each other, of another to the first
    n: int = 1


_place = _Place()


def number_of_processes() -> int:
    """Return how many processes train together."""
    return _place.n


def number_of_this_process() -> int:
    """Return which of them this is, counted from 0."""
    return _place.number


def sum_of_processes(*values: float) -> list[float]:
    """Return the sums of some numbers over the processes; all of them call it and get the same."""
    return _sum(torch.tensor(values, dtype=torch.float64)).tolist()


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
    together = _sum(torch.cat([torch.tensor(has), *(gradient.flatten() for gradient in own)]))
    anywhere, rest = together[: len(trained)], together[len(trained) :]
    means = rest.div(number_of_processes()).split([p.numel() for p in trained])
    for parameter, count, mean in zip(trained, anywhere.tolist(), means, strict=True):
        parameter.grad = mean.view_as(parameter) if count else None


def _sum(own: Tensor) -> Tensor:
    """Return the sum of a tensor of each process, to the last digit the same in all of them."""
    if _place.number:
        (first,) = _place.pipes
        first.send(own.numpy())
        return torch.from_numpy(first.recv())
    for other in _place.pipes:
        own = own + torch.from_numpy(other.recv())
    for other in _place.pipes:
        other.send(own.numpy())
    return own


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
    pipes = [multiprocessing.Pipe() for _ in range(n - 1)]
    started = spawn(_join, (pipes, train, arguments), nprocs=n, join=False)
    try:
        while not started.join():
            pass
    finally:
        for process in started.processes:
            process.terminate()
            process.join()


def _join(
    number: int,
    pipes: list[tuple[Connection, Connection]],
    train: Callable[..., Any],
    arguments: Any,
) -> None:
    global _place
    # A shell lets what runs in the background ignore the signal that says: the parent is gone.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    own = (pipes[number - 1][1],) if number else tuple(pipe for pipe, _ in pipes)
    _place = _Place(number, own, len(pipes) + 1)
    train(*arguments)
