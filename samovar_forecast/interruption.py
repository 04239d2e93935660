"""Ctrl-C, given back where Lightning makes an exit of it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interruption_kept() -> Iterator[None]:
    """Inside the block an interruption stays a KeyboardInterrupt, whoever trains.

    Lightning answers the first one by ``sys.exit`` and goes deaf to the next ones, with which a
    notebook loses its kernel, and whoever called cannot clean up.

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
        if handler is not None:  # one that Python can set again
            signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from left
