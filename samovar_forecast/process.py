"""What surrounds us in the process: random states, loggers, Ctrl-C."""

from __future__ import annotations

import logging
import random
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from samovar_forecast.exceptions import ConfigurationError

_random_state_lock = threading.RLock()


@contextmanager
def interruption_kept() -> Iterator[None]:
    """Inside the block an interruption stays a KeyboardInterrupt, whoever trains.

    Lightning answers the first interruption by ``sys.exit`` and goes deaf to the next: a notebook
    then loses its kernel, and the caller cannot clean up.

    Raises
    ------
    KeyboardInterrupt
        If the block was left by such an exit. The handler of before is in its place again.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as left:
        if not isinstance(left.__context__, KeyboardInterrupt):
            raise
        if handler is not None:  # Python can set it again
            signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from left


@contextmanager
def quieted(names: Iterable[str], level: int) -> Iterator[None]:
    """Inside the block these loggers tell nothing below a level; after it they are as before."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(level)
    try:
        yield
    finally:
        for logger, before in zip(loggers, levels, strict=True):
            logger.setLevel(before)


def resolve_seed(random_state: int | np.random.RandomState | np.random.Generator | None) -> int:
    """Return a seed in [0, 2^31): the integer itself, a draw from a generator, or a fresh seed."""
    if random_state is None:
        return random.SystemRandom().randrange(2**31)
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    if isinstance(random_state, (int, np.integer)) and not isinstance(random_state, bool):
        return int(random_state) % 2**31
    raise ConfigurationError(
        "random_state cannot be used as a seed",
        found=repr(random_state),
        wanted="None, an integer or a numpy random generator",
    )


@contextmanager
def isolated_random_state(seed: int) -> Iterator[None]:
    """Seed torch inside the block and give its global random state back afterwards.

    A single thread at a time: torch has but one global state.
    """
    import torch

    with _random_state_lock, torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
