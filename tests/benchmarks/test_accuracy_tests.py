"""The sizes of the tests of accuracy: within bounds on equal forecasts, told as they were found."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import accuracy_tests
from benchmarks.accuracy_tests import (
    SETTINGS,
    Setting,
    against_the_best,
    block_bootstrap,
    harvey_leybourne_newbold,
    kept,
    losses,
    rejections,
)
from benchmarks.records import Records

HERE = "slow cosines (here)"


def test_losses_are_autocorrelated_and_overlap_as_their_setting_says():
    drawn = losses(Setting(40_000, 1, 0.6), 3, np.random.default_rng(0))
    assert np.corrcoef(drawn[1:, 0], drawn[:-1, 0])[0, 1] == pytest.approx(0.6, abs=0.03)
    drawn = losses(Setting(40_000, 4, 0.0), 3, np.random.default_rng(0))
    assert np.corrcoef(drawn[1:, 0], drawn[:-1, 0])[0, 1] == pytest.approx(0.75, abs=0.03)
    assert np.corrcoef(drawn[4:, 0], drawn[:-4, 0])[0, 1] == pytest.approx(0.0, abs=0.03)


def test_without_overlap_the_small_sample_correction_is_the_paired_t_test():
    paired = np.random.default_rng(0).normal(size=(200, 12)) + 0.5
    statistic = paired.mean(axis=1) / (paired.std(axis=1, ddof=1) / np.sqrt(12))
    expected = np.abs(statistic) > 2.201  # Student's t of 11 degrees
    assert [harvey_leybourne_newbold(one, 1) for one in paired] == expected.tolist()


def test_the_block_bootstrap_keeps_a_twin_and_drops_what_is_much_worse():
    drawn = losses(Setting(40, 1, 0.0), 3, np.random.default_rng(0))
    drawn[:, 2] += 9.0
    assert (block_bootstrap(drawn, 1) > 0.1).tolist() == [True, True, False]


def test_the_tables_tell_what_was_measured_beside_the_number_of_origins():
    records = Records(None)
    for setting in SETTINGS:
        one = dict.fromkeys(accuracy_tests.TESTS, float(setting.n_origins))
        kept_models = dict.fromkeys(accuracy_tests.SETS, 90.0)
        entry = {"rejected": one, "power": one, "kept": kept_models}
        entry |= {"against the best": {"worse": 8.0, "better": 0.1}}
        entry |= {"draws": 2000, "date": "2026-01-01", "commit": "abc"}
        records.keep(setting.name, entry)
    told = accuracy_tests.sections(records)
    assert "10.0 / 20.0 / 40.0" in told["accuracy tests"]
    assert "90 / 90 / 90" in told["accuracy tests of many"]
    assert told["accuracy tests"].count("\n| ") == 6


@pytest.mark.slow
@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_the_tests_have_their_size_on_equally_good_forecasts(setting):
    rejected = rejections(setting, 1000)
    is_hardest = setting.n_origins == 10 and setting.autoregression > 0.5
    # 2 standard errors of 1,000 draws at 5 % are 1.4 points.
    most = 7.5 if setting.autoregression == 0 else 9.5 if setting.autoregression < 0.5 else 13.0
    assert 3.0 < rejected[HERE] < most
    if setting.overlap > 1 or setting.autoregression > 0:
        assert rejected[HERE] < rejected["Harvey, Leybourne, Newbold"]
    models = kept(setting, 250)
    assert models[HERE] > (65 if is_hardest else 75)
    assert models[HERE] > models["block bootstrap"] + 5


@pytest.mark.slow
def test_a_difference_that_is_there_is_found_and_the_best_of_five_is_a_hard_bar():
    setting = Setting(40, 1, 0.0)
    assert rejections(setting, 1000, shift=3.0)[HERE] > 55
    found = against_the_best(setting, 1000)
    assert 5 < found["worse"] < 14
    assert found["better"] < 1
