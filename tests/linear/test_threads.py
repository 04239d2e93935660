"""Small matrices are computed on one thread, and the process keeps the threads that it had."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from threadpoolctl import OpenBLASController, ThreadpoolController

from samovar_forecast.linear import average
from samovar_forecast.linear.threads import one_blas_thread


def n_threads() -> set[int]:
    """Return how many threads OpenBLAS has, of each of its copies."""
    openblas = ThreadpoolController().select(internal_api="openblas")
    return {library["num_threads"] for library in openblas.info()}


@pytest.fixture(autouse=True)
def two_threads():
    """Let OpenBLAS have two threads, whatever the environment says."""
    openblas = ThreadpoolController().select(internal_api="openblas")
    before = openblas.info()
    for library in openblas.lib_controllers:
        library.set_num_threads(2)
    OpenBLASController.clear_controlling_thread()
    if n_threads() != {2}:
        pytest.skip("numpy computes without OpenBLAS, or it was built for one thread")
    yield
    for library, was in zip(openblas.lib_controllers, before, strict=True):
        library.set_num_threads(was["num_threads"])
    OpenBLASController.clear_controlling_thread()


def test_a_block_has_one_thread_and_gives_the_others_back():
    with one_blas_thread():
        assert n_threads() == {1}
        with one_blas_thread():
            assert n_threads() == {1}
        assert n_threads() == {1}
    assert n_threads() == {2}


def test_threads_come_back_after_an_error():
    with pytest.raises(ValueError, match="asked for"), one_blas_thread():
        raise ValueError("asked for")
    assert n_threads() == {2}


@pytest.mark.parametrize("is_first_over_first", [True, False])
def test_blocks_in_several_threads_end_in_any_order(is_first_over_first):
    first_is_open, first_may_end = threading.Event(), threading.Event()
    seen = []

    def first() -> None:
        with one_blas_thread():
            seen.append(n_threads())
            first_is_open.set()
            first_may_end.wait(10)

    def second() -> None:
        with one_blas_thread():
            if is_first_over_first:
                first_may_end.set()
                threads[0].join(10)

    threads = [threading.Thread(target=call) for call in (first, second)]
    threads[0].start()
    first_is_open.wait(10)
    threads[1].start()
    if not is_first_over_first:
        threads[1].join(10)
        first_may_end.set()
    for thread in threads:
        thread.join(10)
    assert seen == [{1}]
    assert n_threads() == {2}


def test_an_estimate_is_made_on_one_thread(monkeypatch):
    seen = []
    of = average.Sample.of
    monkeypatch.setattr(average.Sample, "of", lambda series: seen.append(n_threads()) or of(series))
    average.estimate_anchor([np.random.default_rng(0).normal(size=(40, 2))], 2, 4)
    assert seen
    assert set().union(*seen) == {1}
    assert n_threads() == {2}
