"""Estimates of the same rows are made once inside a block, and anew outside."""

from __future__ import annotations

import numpy as np

from samovar_forecast.linear import sharing
from samovar_forecast.linear.sharing import shared, shared_estimates

CALLS = []
CLOCK = [0.0]
"""Seconds, as the estimate makes them pass."""


@shared
def total(parts, factor=1.0):
    CALLS.append(len(parts))
    CLOCK[0] += 2.0
    return factor * sum(part.sum() for part in parts)


def test_inside_a_block_equal_arguments_are_answered_once_and_outside_every_time():
    CALLS.clear()
    rows = np.arange(6.0).reshape(3, 2)
    assert total([rows]) == total([rows]) == 15.0
    assert len(CALLS) == 2
    with shared_estimates():
        assert total([rows]) == total([rows.copy()]) == 15.0
        assert len(CALLS) == 3
        assert total([rows], factor=2.0) == 30.0
        assert total([rows[:2]]) == 6.0
        assert total([rows.reshape(2, 3)]) == 15.0
        assert len(CALLS) == 6
    with shared_estimates():
        total([rows])
    assert len(CALLS) == 7


def test_the_clock_counts_a_result_that_is_used_again_as_if_it_were_computed_again(monkeypatch):
    monkeypatch.setattr(sharing.time, "perf_counter", lambda: CLOCK[0])
    with shared_estimates() as found:
        before = found.clock()
        total([np.ones((2, 1))])
        assert found.clock() - before == 2.0
        total([np.ones((2, 1))])
        assert found.clock() - before == 4.0
    assert CLOCK[0] - before == 2.0
