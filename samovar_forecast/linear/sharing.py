"""Estimates that several forecasts want of the same rows, made a single time.

The rows of a comparison share what they are made of: the linear forecast is a row of its own and a
part of another row. Inside `shared_estimates` a function that is decorated by `shared` answers the
same arguments with the result that it has found before. Outside, the function is as it was.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

import numpy as np

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class SharedEstimates:
    """The results found inside a block, and a clock that counts each use of them in full."""

    def __init__(self) -> None:
        self._found: dict[Hashable, tuple[Any, float]] = {}
        self._seconds_saved = 0.0

    def clock(self) -> float:
        """Return a time in seconds, as if every result had been computed at each of its uses."""
        return time.perf_counter() + self._seconds_saved

    def answer(self, key: Hashable, estimate: Callable[[], Any]) -> Any:
        """Return the result that is known under a key, or compute and keep the result."""
        if key in self._found:
            result, seconds = self._found[key]
            self._seconds_saved += seconds
            return result
        started = self.clock()
        result = estimate()
        self._found[key] = result, self.clock() - started
        return result


_shared: ContextVar[SharedEstimates | None] = ContextVar("shared estimates", default=None)


@contextmanager
def shared_estimates() -> Iterator[SharedEstimates]:
    """Within the block, make each estimate a single time; the results are dropped at its end."""
    token = _shared.set(SharedEstimates())
    try:
        yield _shared.get()  # type: ignore[misc] # it was set above
    finally:
        _shared.reset(token)


def shared(estimate: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let a function share its results inside `shared_estimates`.

    Parameters
    ----------
    estimate : callable
        Depends on its arguments alone: arrays, sequences of arrays, and what can be hashed. Nobody
        changes its results.
    """

    @functools.wraps(estimate)
    def answered(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        found = _shared.get()
        if found is None:
            return estimate(*args, **kwargs)
        key = (estimate.__module__, estimate.__qualname__, _key(args), _key(sorted(kwargs.items())))
        result: Result = found.answer(key, lambda: estimate(*args, **kwargs))
        return result

    return answered


def _key(argument: Any) -> Hashable:
    if isinstance(argument, np.ndarray):
        return argument.shape, argument.dtype.str, argument.tobytes()
    if isinstance(argument, Sequence) and not isinstance(argument, str):
        return tuple(_key(part) for part in argument)
    hashable: Hashable = argument
    return hashable
