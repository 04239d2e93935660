"""All contestants answer in the same way, and the rules are what their names say."""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime")
pytest.importorskip("statsmodels")

from benchmarks import contestants
from benchmarks.contestants import CONTESTANTS, LEVELS, Sample, is_installed
from benchmarks.records import Records

QUICK = ("Naive", "Drift", "Seasonal naive", "VAR", "Ridge VAR", "Linear members", "AutoTheta")


def sample(n_rows: int = 80, seed: int = 0) -> Sample:
    walk = np.random.default_rng(seed).normal(size=(n_rows, 3)).cumsum(axis=0)
    index = pd.period_range("1990Q1", periods=n_rows, freq="Q")
    return Sample(pd.DataFrame(walk, index, ["a", "b", "c"]))


@pytest.mark.parametrize("name", QUICK)
def test_points_and_quantiles_of_every_member_come_back_and_new_rows_move_them(name):
    if not is_installed(name):
        pytest.skip("statsforecast is not installed")
    contestant = CONTESTANTS[name]()
    samples = [sample(), sample(seed=1)]
    contestant.fit([Sample(one.y.iloc[:-4]) for one in samples], 5, 4)
    earlier = contestant.forecast([Sample(one.y.iloc[:-4]) for one in samples])
    later = contestant.forecast(samples)
    for before, after in zip(earlier, later, strict=True):
        assert after.points.shape == (5, 3)
        assert after.quantiles.shape == (5, 3, len(LEVELS))
        assert (np.diff(after.quantiles, axis=-1) >= 0).all()
        assert np.isfinite(after.quantiles).all()
        assert (before.points != after.points).any()
    alone = contestant.forecast(samples, spread=False)
    np.testing.assert_allclose(alone[0].points, later[0].points)


def test_the_rules_are_what_their_names_say():
    y = sample()
    last = y.y.to_numpy()
    for name, expected in {
        "Naive": last[[-1, -1, -1]],
        "Drift": last[-1] + np.arange(1, 4)[:, None] * (last[-1] - last[0]) / 79,
        "Seasonal naive": last[[-2, -1, -2]],
    }.items():
        rule = CONTESTANTS[name]()
        rule.fit([y], 3, 2)
        np.testing.assert_allclose(rule.forecast([y])[0].points, expected)


def test_a_failure_is_told_and_what_is_stored_is_not_measured_again(monkeypatch, capsys):
    calls = []

    def run(contestant):
        calls.append(type(contestant).__name__)
        if len(calls) == 1:
            raise RuntimeError("no")
        return {"MASE": 1.0, "cpu seconds": 0.1}

    records = Records(None)
    asked = argparse.Namespace(contestants=["Naive", "Drift"], again=False)
    for _ in range(2):
        contestants.measure_contestants(records, asked, {"case": run})
    assert calls == ["Naive", "Drift", "Naive"]
    assert "case, Naive: failed" in capsys.readouterr().out
    entries = contestants.by_contestant(records)
    assert list(entries) == ["Naive", "Drift"]
    assert entries["Drift"]["case"]["MASE"] == 1.0
    assert "commits" in contestants.told_commits(entries)
