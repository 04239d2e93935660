"""The table of targets says of every target what the records of other benchmarks say."""

from __future__ import annotations

import pytest

pytest.importorskip("sktime")
pytest.importorskip("statsmodels")

from benchmarks import linear_targets
from benchmarks.linear_targets import BENCHMARK, SMALL, Reached
from benchmarks.records import Records


def test_every_target_has_a_line_and_a_figure_or_was_not_run():
    lines = BENCHMARK.stored_sections()["linear targets"].splitlines()[2:]
    targets = Records(BENCHMARK.path).entries
    assert len(lines) == len(targets)
    for line, target in zip(lines, targets.values(), strict=True):
        assert target["what"] in line
        *_, reached, met, _ = (cell.strip() for cell in line.split("|"))
        assert (reached == "not run") == (met == "")


def test_a_ratio_is_the_geometric_mean_over_the_better_rival(monkeypatch):
    errors = {"SAMoVAR, linear member": 2.0, "VAR": 4.0, "Ridge VAR": 8.0}
    records = Records(None)
    records.entries = {name: {"MSE": errors} for name in SMALL}
    records.entries["us_macro"] = {"MSE": {**errors, "VAR": 1.0}}
    monkeypatch.setattr(linear_targets, "records_of", lambda name: records)
    found = dict(linear_targets.of_panel())
    mean = 0.5 ** ((len(SMALL) - 1) / len(SMALL)) * 2 ** (1 / len(SMALL))
    assert found["panel"] == Reached(f"{mean:.3f}", True)
    assert found["within"] == Reached("93%", True)
