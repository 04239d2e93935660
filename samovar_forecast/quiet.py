"""Loggers of other libraries, kept from the terminal for a while."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


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
