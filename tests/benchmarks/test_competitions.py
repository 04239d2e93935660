"""The competitions' metrics, and a run on a small file in their form."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime")
pytest.importorskip("statsmodels")

from benchmarks import competitions
from benchmarks.competitions import GROUPS, Series
from benchmarks.records import Records


def test_the_metrics_are_those_of_the_competitions():
    past = np.array([1.0, 2.0, 4.0, 5.0])
    errors = Series(past, np.array([6.0, 8.0])).errors(np.array([5.0, 10.0]), season=2)
    assert errors["MASE"] == pytest.approx(1.5 / 3)  # seasonal steps of 3 and 3
    assert errors["sMAPE"] == pytest.approx((200 / 11 + 400 / 18) / 2)
    assert errors["MAPE"] == pytest.approx((100 / 6 + 200 / 8) / 2)
    assert errors["over naive"] == pytest.approx(1.5 / 2)
    flat = Series(np.ones(4), np.array([0.0, 1.0])).errors(np.array([1.0, 1.0]), season=1)
    assert np.isnan(flat["MASE"])
    assert np.isnan(flat["MAPE"])


@pytest.fixture
def folder(tmp_path):
    random, rows = np.random.default_rng(0), []
    for name in range(5):
        for time, value in enumerate(10 + random.normal(size=30).cumsum()):
            split = "train" if time < 26 else "test"
            rows.append((f"W{name}", split, time + 1, value))
    (tmp_path / "extra").mkdir()
    frame = pd.DataFrame(rows, columns=["unique_id", "split", "t", "value"])
    frame.to_csv(tmp_path / "extra" / "m4_weekly_panel.csv.gz", index=False)
    return tmp_path


def test_a_group_is_measured_in_parts_and_stands_beside_published_figures(folder, monkeypatch):
    monkeypatch.setattr(competitions, "PART", 3)
    path = folder / "records.json"
    arguments = ["--data", str(folder), "--results", str(path), "--groups", "M4 weekly"]
    assert competitions.BENCHMARK.main([*arguments, "--contestants", "Naive", "Drift"]) == 0
    records = Records(path)
    series = competitions.read_group(folder, GROUPS["M4 weekly"])
    expected = [one.errors(np.repeat(one.past[-1], 4), season=1)["MASE"] for one in series]
    means = competitions.group_means(records.entries["Naive"], "M4 weekly")
    assert means["series"] == 5
    assert means["MASE"] == pytest.approx(np.mean(expected), rel=1e-4)
    rows = competitions.table(records, 0).splitlines()
    assert any("Theta" in row and "published" in row and "2.637" in row for row in rows)
    (row,) = [row for row in rows if "Drift" in row]
    assert row.count("not run") == len(GROUPS) - 1


def test_a_group_of_which_a_part_is_missing_is_not_run():
    part = {"series": 3, "parts": 2, "MASE": 1.0, "sMAPE": 1.0, "MAPE": 1.0}
    parts = {"M3 other, part 1": {**part, "worst": 1.0, "cpu seconds": 1.0}}
    assert competitions.group_means(parts, "M3 other") is None
