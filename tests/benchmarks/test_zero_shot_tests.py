"""Tests without training: processes that are what they say, and counts of rejections."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import zero_shot_tests
from benchmarks.zero_shot_tests import EFFECTS, causality_tested, constancy_tested, simulate


@pytest.mark.parametrize("effect", EFFECTS)
def test_a_process_is_drawn_from_a_seed_and_stays_in_bounds(effect):
    assert simulate(effect, 1).equals(simulate(effect, 1))
    assert simulate(effect, 1).shape == (200, 3)
    assert np.abs(simulate(effect, 1).to_numpy()).max() < 10


def test_a_repetition_says_of_each_test_whether_it_rejects(monkeypatch):
    monkeypatch.setattr(zero_shot_tests, "N_ROWS", 70)
    for found, tests in ((causality_tested("linear", 0), 6), (constancy_tested("none", 0), 3)):
        assert len(found) == tests
        assert set(found.values()) <= {0, 1}
