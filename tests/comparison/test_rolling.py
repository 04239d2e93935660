"""The comparison: the same origins for all, and the caller's objects left as they are."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from sktime.split import ExpandingWindowSplitter

from samovar_forecast.comparison import (
    GuardedVAR,
    RepeatSeason,
    classical_forecasters,
    running,
    standard_forecasters,
)
from samovar_forecast.exceptions import MissingPackageError
from tests.builders.comparison import compare, forecasts_of, simulated_var


class TakesItsTime(RepeatSeason):
    """A naive forecast that is slow enough for tqdm to draw."""

    def _learn(self, values):
        time.sleep(0.12)


def test_the_forecasts_are_those_that_each_model_makes_on_the_splitters_windows(comparison):
    y = comparison.y
    splitter = ExpandingWindowSplitter(
        fh=range(1, 7), initial_window=comparison.n_first, step_length=comparison.stride
    )
    for (train, test), origin in zip(splitter.split(y), comparison.origins, strict=True):
        expected = GuardedVAR().fit(y.iloc[train], fh=range(1, 7)).predict()
        got = forecasts_of(comparison, "VAR", origin)
        np.testing.assert_allclose(got["y_pred"], expected.to_numpy().ravel(), rtol=1e-12)
        np.testing.assert_array_equal(got["y_true"], y.iloc[test].to_numpy().ravel())
    assert comparison.forecasts["time"].max() == y.index[-1]


def test_every_model_is_judged_on_the_same_numbers(comparison):
    keys = ["origin", "step", "series", "time", "y_true"]
    frames = [
        rows[keys].reset_index(drop=True) for _, rows in comparison.forecasts.groupby("model")
    ]
    assert len(frames) == len(classical_forecasters(4))
    for other in frames[1:]:
        pd.testing.assert_frame_equal(frames[0], other)


def test_sliding_windows_keep_their_length():
    class Counts(RepeatSeason):
        lengths: list[int] = []

        def _learn(self, values):
            self.lengths.append(len(values))

    compare(simulated_var(), 2, {"counts": Counts()}, n_origins=3, window="sliding")
    compare(simulated_var(), 2, {"counts": Counts()}, n_origins=3, window="expanding", stride=5)
    sliding, expanding = Counts.lengths[:3], Counts.lengths[3:]
    assert len(set(sliding)) == 1
    assert np.diff(expanding).tolist() == [5, 5]


def test_neither_the_frame_nor_the_forecasters_are_touched():
    y, models = simulated_var(60), {"VAR": GuardedVAR()}
    before = y.copy()
    compare(y, 2, models, n_origins=2)
    pd.testing.assert_frame_equal(y, before)
    assert not models["VAR"].is_fitted


def test_a_progress_bar_shows_on_long_runs_and_is_off_on_request(capsys, monkeypatch):
    arguments = (simulated_var(60), 2, {"slow": TakesItsTime()})
    compare(*arguments, n_origins=3)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(running, "SECONDS_BEFORE_A_BAR", 0)
    compare(*arguments, n_origins=3)
    shown = capsys.readouterr().err
    assert "rolling origins:" in shown
    assert "3/3" in shown
    assert ", slow" in shown
    compare(*arguments, n_origins=3, progress=False)
    assert capsys.readouterr().err == ""


def test_without_sktime_the_message_says_what_to_install(uninstall):
    uninstall("sktime")
    with pytest.raises(MissingPackageError, match=r"compare needs .*sktime.*\[demo\]"):
        compare(simulated_var(60), 2)


def test_a_season_that_is_told_is_that_of_samovar_and_of_the_classical_rows():
    told, untold = standard_forecasters(12), standard_forecasters()
    for name in ("SAMoVAR", "SAMoVAR zero-shot", "SAMoVAR linear"):
        assert (told[name].season, untold[name].season) == (12, None)
    assert told["Seasonal naive"].season == 12
    assert "Seasonal naive" not in untold
