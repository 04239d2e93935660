"""What of a window counts as given while a derivative is taken.

The forecast of the network for any panel moves with a window in four ways: with the newest values
themselves (the dynamics); with the level and with the scale of the window, which are measured in
it; and with the memory, which is what the network has learned inside the window: the coefficients
of its regressions, the records of its simple forecasts, the tokens of earlier patches. Each of the
last three can be held fixed, which changes no value. Held together, they leave the dynamics of a
derivative. A shift of the whole window moves neither scale nor memory.

Statistics that measure a level, a scale or a part of the memory pass through :func:`as_given`;
whole computations stand in a block of :func:`computing`, which then costs no graph.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

import torch
from torch import Tensor

Kind = Literal["level", "scale", "memory"]

_HELD: ContextVar[frozenset[Kind]] = ContextVar("held", default=frozenset())


@contextmanager
def holding(*kinds: Kind) -> Iterator[None]:
    """Hold statistics of these kinds fixed in derivatives, while the block runs a forward."""
    token = _HELD.set(frozenset(kinds))
    try:
        yield
    finally:
        _HELD.reset(token)


def as_given(statistic: Tensor, kind: Kind) -> Tensor:
    """Return the statistic, without its derivative where its kind is held."""
    return statistic.detach() if is_held(kind) else statistic


def is_held(kind: Kind) -> bool:
    """Whether statistics of a kind are held fixed."""
    return kind in _HELD.get()


@contextmanager
def computing(kind: Kind) -> Iterator[None]:
    """Compute statistics of a kind: without a graph where the kind is held."""
    with torch.set_grad_enabled(torch.is_grad_enabled() and not is_held(kind)):
        yield
