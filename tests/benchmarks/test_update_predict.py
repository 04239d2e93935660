"""Contestants forecast the same before any of them is timed."""

from __future__ import annotations

import pytest

pytest.importorskip("sktime", reason="sktime is not installed")

from benchmarks import update_predict
from benchmarks.records import BenchmarkError, Records


def test_every_contestant_is_measured_per_cutoff():
    entry = update_predict.measured(6, repeats=1)
    assert entry["n"] == 3
    assert entry["difference"] <= update_predict.LARGEST_DIFFERENCE
    records = Records(None)
    entry["samples"]["sktime's loop"]["cpu"] = [0.3]
    entry["samples"]["`update_predict`"]["cpu"] = [0.03]
    records.entries["3"] = {**entry, "commit": "abc"}
    (row,) = update_predict.sections(records)["update_predict"].splitlines()[2:]
    assert "100 ms" in row
    assert "10 ms" in row
    assert "10.00 (10.00 to 10.00)x" in row


def test_contestants_that_differ_are_not_timed(monkeypatch):
    monkeypatch.setattr(update_predict, "LARGEST_DIFFERENCE", -1.0)
    with pytest.raises(BenchmarkError, match="the forecasts differ by"):
        update_predict.measured(6, repeats=1)
