"""Benchmarks over sets of series go on where they stopped, and the simulated sets are as said."""

from __future__ import annotations

import argparse

import numpy as np
import pytest

pytest.importorskip("sktime", reason="sktime is not installed")

from benchmarks import coverage
from benchmarks.records import Records
from benchmarks.series_sets import SETS, VAR2


def test_a_run_that_was_cut_off_goes_on(tmp_path, monkeypatch):
    calls = []
    asked = argparse.Namespace(sets=["VAR", "ETTh1"], data=None)  # real sets need the data

    def measure(name, source, seed, folder):
        calls.append((source, seed))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return {"covered": [0.9] * 4, "cpu seconds": 0.0}

    monkeypatch.setattr(coverage, "measure", measure)
    with pytest.raises(KeyboardInterrupt):
        coverage.BENCHMARK.measure(Records(tmp_path / "coverage.json"), asked)
    coverage.BENCHMARK.measure(Records(tmp_path / "coverage.json"), asked)
    assert len(calls) == 10  # nine jobs, one of them twice
    assert calls[2] == calls[3]


def test_the_noise_of_the_restless_set_grows_and_shrinks_threefold():
    values = SETS["restless VAR"].load(0)
    noise = values[1:] - values[:-1] @ VAR2[0].T
    deviation = noise[: 166 * 24].reshape(166, 24, 3).std(axis=(0, 2))
    assert 2 < deviation.max() / deviation.min() < 4
    assert values.shape == (4000, 3)
    assert not np.array_equal(SETS["VAR"].load(0), SETS["VAR"].load(1))
