"""Ratios of the options are taken over the seeds that both models have."""

from __future__ import annotations

import pytest

from benchmarks import options


def test_an_option_is_held_against_the_papers_model_of_the_same_seeds():
    runs = {f"seed {seed}": {"alone": value} for seed, value in enumerate((1.0, 2.0, 30.0))}
    sets = {
        "both": {"options": {"paper": dict(runs), "mean": {"seed 0": {"alone": 3.0}}}},
        "paper only": {"options": {"paper": runs}},
    }
    assert options.ratios(sets, "mean", "alone") == {"both": 3.0}
    sets["both"]["options"]["paper"]["mean of 2"] = {"alone": 1.1}
    paired = options.ratios(sets, "paper", "alone", "mean of 2")
    assert paired == {"both": pytest.approx(1.1 / 11)}


def test_a_line_tells_the_mean_with_and_without_the_best_set():
    line = options.summary_line("x", {"a": 0.5, "b": 1.0, "c": 2.0})
    assert line == ["x", "3", "1.000", "1.414", "0.500 to 2.000", "1"]
