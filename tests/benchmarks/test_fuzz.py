"""The search for bad endings is decided by its seeds, and knows a bad ending."""

from __future__ import annotations

import random

import pandas as pd
import pytest

pytest.importorskip("sktime", reason="sktime is not installed")

from benchmarks import fuzz
from benchmarks.records import Records
from samovar_forecast import SAMoVARForecaster


def test_a_case_is_decided_by_its_seed():
    for seed in range(20):
        first, again = (fuzz.nasty_frame(random.Random(seed)) for _ in range(2))
        pd.testing.assert_frame_equal(first, again)
        assert repr(fuzz.nasty_arguments(random.Random(seed))) == repr(
            fuzz.nasty_arguments(random.Random(seed))
        )
        assert fuzz.damaged(b"0" * 500, random.Random(seed)) == fuzz.damaged(
            b"0" * 500, random.Random(seed)
        )


def test_a_foreign_error_and_a_changed_frame_are_against_the_rule(monkeypatch):
    def fail(self, y, **given):
        raise RuntimeError("of nobody")

    monkeypatch.setattr(SAMoVARForecaster, "fit", fail)
    assert fuzz.run_frame(1) == "broken: RuntimeError: of nobody"

    def change(self, y, **given):
        y.iloc[0, 0] = 55.5
        raise ValueError("of the host")

    monkeypatch.setattr(SAMoVARForecaster, "fit", change)
    assert "the frame changed" in fuzz.run_frame(1)


def test_endings_become_a_table():
    records = Records(None)
    records.keep("frames", {"cases": 2000, "endings": {"finite": 1999, "broken": 1}, "commit": "x"})
    table = fuzz.sections(records)["fuzz"]
    assert "| frames | 2,000  | finite 1,999, broken 1 | 1 " in table
