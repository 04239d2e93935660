"""Estimates of the same rows are made once inside a block, and anew outside."""

from __future__ import annotations

import time

import numpy as np

from samovar_forecast.linear.sharing import shared, shared_estimates

CALLS = []


@shared
def total(parts, factor=1.0):
    CALLS.append(len(parts))
    time.sleep(0.002)
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


def test_the_clock_counts_a_result_that_is_used_again_as_if_it_were_computed_again():
    with shared_estimates() as found:
        before = found.clock()
        total([np.ones((2, 1))])
        first = found.clock() - before
        before, real = found.clock(), time.perf_counter()
        total([np.ones((2, 1))])
        again, really = found.clock() - before, time.perf_counter() - real
    assert first >= 0.002
    assert 0.002 <= again - really <= first
