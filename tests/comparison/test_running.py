"""Rows at origins, in this process and in several: the same forecasts, stored alike."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.comparison import GuardedAR, GuardedVAR, RepeatSeason
from samovar_forecast.comparison.running import Task, _tasks
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.linear.sharing import shared
from tests.builders.comparison import Fails, compare, simulated_var


def models():
    return {"VAR": GuardedVAR(), "kept": GuardedAR(), "fails": Fails(), "Naive": RepeatSeason(4)}


def test_several_processes_give_the_same_comparison_and_go_on_where_one_stopped(tmp_path):
    arguments = {"n_origins": 5, "refit": {"kept": 2}, "season": 4}
    alone = compare(simulated_var(60), 2, models(), **arguments)
    shared = compare(simulated_var(60), 2, models(), n_jobs=2, resume=tmp_path, **arguments)
    pd.testing.assert_frame_equal(shared.forecasts, alone.forecasts, rtol=1e-12)
    pd.testing.assert_frame_equal(shared.quantiles, alone.quantiles, rtol=1e-12)
    same = ["model", "origin", "fitted", "failure", "note", "warnings", "resumed", "orders"]
    pd.testing.assert_frame_equal(shared.runs[same], alone.runs[same])
    assert list(shared.fitted) == list(alone.fitted) == ["VAR", "kept", "Naive"]
    assert shared.fitted["VAR"].results_.nobs == alone.fitted["VAR"].results_.nobs
    again = compare(simulated_var(60), 2, models(), resume=tmp_path, **arguments)
    assert again.runs.groupby("model")["resumed"].all().to_dict() == {
        **dict.fromkeys(("VAR", "kept", "Naive"), True),
        "fails": False,
    }
    pd.testing.assert_frame_equal(again.forecasts, alone.forecasts, rtol=1e-12)


def test_a_task_is_a_fit_and_the_origins_that_it_serves():
    policies = {"a": "every", "b": 2, "c": "every", "d": "first"}
    tasks = _tasks(policies, 3)
    assert tasks[:3] == [Task(("a", "c"), range(k, k + 1)) for k in range(3)]
    assert tasks[3:5] == [Task(("b",), range(2)), Task(("b",), range(2, 3))]
    assert tasks[5:] == [Task(("d",), range(3))]


class Estimates(RepeatSeason):
    """A naive forecast that estimates something first, as other rows do."""

    def _learn(self, values):
        self.found = square_of(values)
        super()._learn(values)


CALLS = []


@shared
def square_of(values):
    CALLS.append(len(values))
    time.sleep(0.005)
    return values**2


def test_rows_that_want_the_same_estimate_make_it_once_and_tell_its_time_each():
    CALLS.clear()
    rows = {"first": Estimates(), "second": Estimates(2), "seldom": Estimates()}
    found = compare(simulated_var(60), 2, rows, n_origins=4, refit={"seldom": "first"})
    first, second, third, fourth = (int(n) for n in (found.n_first + found.stride * np.arange(4)))
    assert [first, second, third, fourth, first] == CALLS
    runs = found.runs[found.runs["fitted"]]
    assert (runs["fit_seconds"] >= 0.005).all()
    assert found.fitted["second"].found is found.fitted["first"].found


@pytest.mark.parametrize("n_jobs", [0, 1.5, True])
def test_a_number_of_processes_that_is_none_is_refused(n_jobs):
    with pytest.raises(ConfigurationError, match="n_jobs; found"):
        compare(simulated_var(60), 2, models(), n_jobs=n_jobs)
