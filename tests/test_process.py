"""Seeds, random states, loggers and Ctrl-C are left as they were found."""

from __future__ import annotations

import logging
import signal
import sys

import numpy as np
import pytest
import torch

from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.process import (
    interruption_kept,
    is_worker,
    isolated_numpy_state,
    isolated_random_state,
    quieted,
    resolve_seed,
)


@pytest.mark.parametrize(("state", "seed"), [(0, 0), (np.int64(7), 7), (2**31 + 1, 1)])
def test_an_integer_is_its_own_seed(state: int, seed: int) -> None:
    assert resolve_seed(state) == seed


def test_a_seed_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="random_state"):
        resolve_seed("seed")  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [np.random.RandomState, np.random.default_rng])
def test_a_generator_gives_a_new_seed_each_time_and_the_same_seeds_again(make) -> None:
    generator, again = make(3), make(3)
    seeds = [resolve_seed(generator) for _ in range(3)]
    assert len(set(seeds)) == 3
    assert seeds == [resolve_seed(again) for _ in range(3)]
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_without_a_seed_a_fresh_seed_is_drawn() -> None:
    assert len({resolve_seed(None) for _ in range(4)}) > 1


def test_the_random_state_of_torch_is_seeded_inside_and_given_back() -> None:
    before = torch.random.get_rng_state()
    draws = []
    for _ in range(2):
        with isolated_random_state(5):
            draws.append(torch.rand(3))
    assert torch.equal(*draws)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_numpy_draws_from_a_generator_inside_and_goes_on_as_before_afterwards() -> None:
    random = np.random.RandomState(7)
    expected, before = np.random.RandomState(7).rand(), np.random.get_state()[1].tolist()
    for _ in range(2):
        with isolated_numpy_state(random):
            assert np.random.rand() == expected
    assert np.random.get_state()[1].tolist() == before


def test_loggers_are_quiet_inside_and_as_before_afterwards() -> None:
    logger = logging.getLogger("tests.process")
    logger.setLevel(logging.DEBUG)
    with quieted(["tests.process"], logging.ERROR):
        assert logger.level == logging.ERROR
    assert logger.level == logging.DEBUG


def test_an_exit_that_an_interruption_caused_is_an_interruption_again() -> None:
    def leave_as_lightning_does() -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            sys.exit(1)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), interruption_kept():
        leave_as_lightning_does()
    assert signal.getsignal(signal.SIGINT) is before


def test_any_other_exit_stays_an_exit() -> None:
    with pytest.raises(SystemExit), interruption_kept():
        sys.exit(1)


def test_a_process_that_works_for_another_knows_it() -> None:
    joblib = pytest.importorskip("joblib")
    assert not is_worker()
    for backend in ("loky", "multiprocessing"):
        assert joblib.Parallel(2, backend=backend)(joblib.delayed(is_worker)() for _ in "ab") == [
            True,
            True,
        ]
