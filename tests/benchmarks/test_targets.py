"""The table of targets says of every target what the records of other benchmarks say."""

from __future__ import annotations

import math

import pandas as pd
import pytest

pytest.importorskip("sktime")
pytest.importorskip("statsmodels")

from benchmarks import targets
from benchmarks.moving_coefficients import MOVEMENTS
from benchmarks.records import Records
from benchmarks.targets import BENCHMARK, SMALL, SUBJECTS, Reached


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_target_has_a_line_and_a_figure_or_was_not_run(subject):
    lines = BENCHMARK.stored_sections()[f"{subject} targets"].splitlines()[2:]
    asked = Records(BENCHMARK.path).entries[subject]
    assert len(lines) == len(asked)
    for line, target in zip(lines, asked.values(), strict=True):
        assert target["what"] in line
        *_, reached, met, _ = (cell.strip() for cell in line.split("|"))
        assert (reached == "not run") == (met == "")


def test_a_ratio_is_the_geometric_mean_over_the_better_rival(monkeypatch):
    errors = {"SAMoVAR, linear member": 2.0, "VAR": 4.0, "Ridge VAR": 8.0}
    records = Records(None)
    records.entries = {name: {"MSE": errors} for name in SMALL}
    records.entries["us_macro"] = {"MSE": {**errors, "VAR": 1.0}}
    monkeypatch.setattr(targets, "records_of", lambda name: records)
    mean = 0.5 ** ((len(SMALL) - 1) / len(SMALL)) * 2 ** (1 / len(SMALL))
    linear = SUBJECTS["linear"]
    assert targets.panel(linear, 0.8) == Reached(f"{mean:.3f}", True)
    assert targets.panel(linear, 0.5) == Reached(f"{mean:.3f}", False)
    assert targets.panel_share(linear, 0.92) == Reached("93%", True)
    assert targets.report_share(linear, 0.95) == Reached("75% of 4 sets", False)


def test_intervals_are_judged_on_real_sets_by_the_worst(monkeypatch):
    def entry(covered, score):
        return {"covered": [0, 0, covered, 0], "width": [0] * 4, "score": [0, 0, score, 0]}

    facts = {"origins": 4, "n_series": 2}
    records = Records(None)
    for name, share in (("VAR", 0.1), ("ETTh1", 0.84), ("yields", 0.9)):
        records.entries[name] = {
            "default, seed 0": {**entry(share, 2.0), **facts},
            "last value, seed 0": {**entry(0.9, 1.0 if name == "yields" else 3.0), **facts},
        }
    monkeypatch.setattr(targets, "records_of", lambda name: records)
    found = targets.intervals(SUBJECTS["default"], [0.85, 0.95])
    assert found == Reached("84% to 90%; score above the last value's on 1", False)


def test_a_figure_counts_as_it_is_shown():
    assert targets.at_most(0.8004, 0.80) == Reached("0.800", True)
    assert targets.at_most(0.8006, 0.80) == Reached("0.801", False)
    assert not targets.at_most(math.inf, 0.80).is_met


@pytest.mark.parametrize(
    ("ours", "is_met"), [([0.1, 0.1, 0.1, 0.1, 0.3], True), ([0.1] * 3 + [0.3] * 2, False)]
)
def test_movements_are_counted_in_every_case_that_was_run(monkeypatch, ours, is_met):
    rivals = {f"{name}, coefficients": 0.2 for name in targets.MOVING_RIVALS}
    names = [f"moving, {movement}{case}" for case in ("", ", 500 rows") for movement in MOVEMENTS]
    errors = dict(zip(names, ours * 2, strict=True))
    records = Records(None)
    for name, error in errors.items():
        records.keep(name, {"error": error})
    monkeypatch.setattr(targets, "records_of", lambda name: records)
    monkeypatch.setattr(
        targets.dynamics,
        "repetitions",
        lambda entry: pd.DataFrame([{"read_var, coefficients": entry["error"], **rivals}]),
    )
    wins = 2 * sum(error < 0.2 for error in ours)
    assert targets.moving(SUBJECTS["default"], 4) == Reached(f"{wins} of 10", is_met)
