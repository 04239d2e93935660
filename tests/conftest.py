"""What every test shares: one thread, no display, and a package that is not there."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import pytest

# Before anything imports numpy, torch or matplotlib, which read these once.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture
def uninstall(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Make a package look as if it were not installed, for the length of one test."""

    def pretend(package: str) -> None:
        for name in list(sys.modules):
            if f"{name}.".startswith(f"{package}."):
                monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, package, None)

    return pretend
