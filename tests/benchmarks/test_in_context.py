"""Shares captured lie between the window's mean (0) and the true coefficients (1)."""

from __future__ import annotations

import pytest

from benchmarks import in_context
from benchmarks.records import Records


def test_a_training_that_knows_nothing_captures_nothing_and_perfection_captures_all():
    records = Records(None)
    nothing = dict.fromkeys("1234", 2.0)
    records.entries = {
        "references": {"errors": {"excess": {"mean": nothing}}},
        "samovar": {
            "seed 0": {"excess": nothing},
            "seed 1": {"excess": dict.fromkeys("1234", 0.0)},
            "seed 2": {"excess": dict.fromkeys("1234", 1.0)},
        },
    }
    assert in_context.captured(records, "samovar")[3] == [0.0, 1.0, 0.5]


def test_three_trainings_of_each_network_are_kept():
    records = Records(in_context.BENCHMARK.path)
    for case in in_context.NETWORKS:
        assert [len(shares) for shares in in_context.captured(records, case).values()] == [3] * 4
    assert in_context.mean_and_spread([0.1, 0.3]) == "0.20 ± 0.14"
    assert records.entries["references"]["errors"]["penalty"] == pytest.approx(5.436, abs=1e-3)
