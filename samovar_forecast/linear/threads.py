"""The threads of numpy's linear algebra, while matrices are small."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import OpenBLASController, ThreadpoolController

_lock = threading.Lock()
_n_open = 0
_held: list[tuple[OpenBLASController, int]] = []
"""What the open blocks hold to one thread, and the threads that it had before the first."""


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Inside the block numpy's products and solutions use one thread; also a decorator.

    The matrices of a linear forecast are small: each further thread of OpenBLAS would wait for
    them, and keep a core busy with that. Blocks may lie in each other, and side by side in several
    threads; after the last the process has the threads that it had before the first.
    """
    global _n_open
    with _lock:
        if _n_open == 0:
            _hold()
        _n_open += 1
    try:
        yield
    finally:
        with _lock:
            _n_open -= 1
            if _n_open == 0:
                _give_back()


def _hold() -> None:
    for library in ThreadpoolController().select(internal_api="openblas").lib_controllers:
        before = library.num_threads
        library.set_num_threads(1)  # does nothing where somebody else's block is open
        if library.num_threads < before:
            _held.append((library, before))


def _give_back() -> None:
    while _held:
        library, before = _held.pop()
        # The last block need not end in the thread that opened the first, whose limit it is.
        OpenBLASController.clear_controlling_thread(force=True)
        library.set_num_threads(before)
        OpenBLASController.clear_controlling_thread()
