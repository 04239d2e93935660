"""The core benchmark compares like with like, and refuses where it would not."""

from __future__ import annotations

import argparse

import pytest
import torch

from benchmarks import core, core_pages, harness
from benchmarks.records import BenchmarkError, Records

SMALL = core.Case(2, 20, 4, 4, 32, 2, 2, n_steps=2, n_single=2, n_windows=4)


def contestants(case=SMALL):
    return {who: core.Contestant(who, case) for who in core.CONTESTANTS}


def test_both_contestants_start_from_the_same_forecast_loss_and_gradient():
    differences = core.check_agreement("small", SMALL, contestants())
    assert max(differences.values()) < 1e-5


def test_contestants_that_disagree_are_not_timed():
    both = contestants()
    with torch.no_grad():
        both["core"].network.head.weight.mul_(1.01)
    with pytest.raises(BenchmarkError, match="disagree in the forecast"):
        core.check_agreement("small", SMALL, both)


def test_both_drop_activations_in_training():
    window, future = core.random_walks(SMALL, 4)
    for contestant in contestants().values():
        contestant.network.train()
        assert contestant.loss(window, future) != contestant.loss(window, future)


@pytest.mark.slow
def test_a_run_reports_every_ratio_beside_its_target(monkeypatch):
    asked = {what: {"small": 1.0} for what in core_pages.TO_REACH}
    monkeypatch.setattr(core_pages, "TO_REACH", asked)
    records = Records(None)
    core.run({"small": SMALL}, records)
    text = core.sections(records)["core"]
    for what in (core.STEP, core.ONE, core.THOUSAND, core.MEMORY):
        assert what in text
    assert text.count("1x") >= 4
    assert "products of a step alone" in text
    step = harness.from_json(records.entries["small"][core.STEP])
    bound = step["plain"].median / step[core.PRODUCTS].median
    assert text.endswith(f"the plain step: {bound:.2f} on small.")
    (picture,) = core_pages.pictures_of(records).values()
    (row,) = picture.drawn[core_pages.TITLES[core_pages.STEP]]
    ratio = step["plain"].median / step["core"].median
    assert row["ratio"] == pytest.approx(ratio)
    assert row["reached"] == (ratio >= 1)
    (row,) = picture.drawn[core_pages.TITLES[core_pages.IN_MIXED]]
    assert row["ratio"] == pytest.approx(step["plain"].median / step[core.MIXED].median)


def test_fewer_repeats_shorten_every_case_and_none_are_refused():
    asked = argparse.Namespace(cases=["A", "D"], repeats=3)
    for name, case in core.chosen_cases(asked).items():
        assert case.n_steps == case.n_single == 3
        assert case.n_windows <= core.CASES[name].n_windows
    asked.repeats = None
    assert core.chosen_cases(asked) == {name: core.CASES[name] for name in "AD"}
    asked.repeats = 0
    with pytest.raises(BenchmarkError, match="at least 1, found 0"):
        core.chosen_cases(asked)
