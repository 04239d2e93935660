"""What surrounds us in the process: random states, torch's defaults, loggers, Ctrl-C, versions."""

from __future__ import annotations

import logging
import multiprocessing
import random
import signal
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import metadata

import numpy as np

from samovar_forecast.arguments import is_whole
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


def is_worker() -> bool:
    """Return whether another process of Python, or joblib, started this process for a part."""
    return multiprocessing.current_process().name != "MainProcess"


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


@contextmanager
def nothing_left_behind(*loggers: str) -> Iterator[None]:
    """Inside the block packages may be imported; their warning filters and log handlers go again.

    Parameters
    ----------
    *loggers : str
        Loggers whose handlers and levels are as before afterwards.
    """
    known = [logging.getLogger(name) for name in loggers]
    before = [(logger, list(logger.handlers), logger.level) for logger in known]
    with warnings.catch_warnings():
        yield
    for logger, handlers, level in before:
        logger.handlers = handlers
        logger.setLevel(level)


def resolve_seed(random_state: int | np.random.RandomState | np.random.Generator | None) -> int:
    """Return a seed in [0, 2^31): the integer itself, a draw from a generator, or a fresh seed."""
    if random_state is None:
        return random.SystemRandom().randrange(2**31)
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    if is_whole(random_state):
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


@contextmanager
def isolated_numpy_state(random: np.random.RandomState) -> Iterator[None]:
    """Let numpy's global functions draw from a generator inside the block.

    Afterwards the global state is that of before. A single thread at a time: numpy has but one.

    Parameters
    ----------
    random : RandomState
        It is not advanced.
    """
    with _random_state_lock:
        before = np.random.get_state()  # noqa: NPY002 - of packages that draw from it
        np.random.set_state(random.get_state())  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(before)  # noqa: NPY002


@contextmanager
def usual_torch() -> Iterator[None]:
    """Inside the block torch has the defaults that it comes with; after it the caller's own again.

    New tensors are float32 and on the CPU, and gradients can be taken: a default type, a default
    device, ``no_grad`` or ``inference_mode`` around the call change nothing that is built here.
    """
    import torch

    with ExitStack() as stack:
        if torch.get_default_dtype() is not torch.float32:  # of all threads, so only if need be
            stack.callback(torch.set_default_dtype, torch.get_default_dtype())
            torch.set_default_dtype(torch.float32)
        if torch.get_default_device().type != "cpu":  # else every call would pay for the block
            stack.enter_context(torch.device("cpu"))
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.enable_grad())
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside the block torch computes on one thread; after it on as many as before."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of this package and of others, as far as they are installed."""
    # Of this package that of the sources, which need not be installed.
    found = {__package__: str(sys.modules[__package__].__version__)}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
