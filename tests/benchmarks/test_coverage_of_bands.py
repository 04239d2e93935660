"""Coverage of bands: processes that are stable, and shares that are counted as they should."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import coverage_of_bands
from benchmarks.coverage_of_bands import PROCESSES, covered, simulate


@pytest.mark.parametrize("process", PROCESSES)
def test_the_processes_are_stable_and_drawn_from_a_seed(process, monkeypatch) -> None:
    for t in (0, 100, 199):
        assert np.abs(np.linalg.eigvals(PROCESSES[process](t))).max() < 0.95
    assert simulate(process, 1).equals(simulate(process, 1))
    assert simulate(process, 1).shape == (200, 2)


@pytest.mark.parametrize("bands", ["local", "bootstrap"])
def test_a_repetition_is_a_share_of_each_kind(bands, monkeypatch) -> None:
    monkeypatch.setattr(coverage_of_bands, "N_ROWS", 60)
    monkeypatch.setitem(coverage_of_bands.N_DRAWS, bands, 19)
    found = covered("drift", bands, 0)
    assert list(found)[:2] == ["sums, 90%", "responses, 90%"]
    assert all(0 <= share <= 1 for share in list(found.values())[:2])
    assert all(width > 0 for width in list(found.values())[2:])
