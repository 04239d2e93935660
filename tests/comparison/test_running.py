"""Rows at origins, in this process and in several: the same forecasts, stored alike."""

from __future__ import annotations

import pandas as pd
import pytest

from samovar_forecast.comparison import GuardedAR, GuardedVAR, RepeatSeason
from samovar_forecast.comparison.running import Task, _tasks
from samovar_forecast.exceptions import ConfigurationError
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
    in_turn = _tasks(policies, 3, n_jobs=1)
    assert in_turn[:3] == [Task(("a",), range(k, k + 1)) for k in range(3)]
    assert in_turn[3:5] == [Task(("b",), range(2)), Task(("b",), range(2, 3))]
    at_once = _tasks(policies, 3, n_jobs=2)
    assert at_once[0] == Task(("a", "c"), range(1))
    assert at_once[-1] == Task(("d",), range(3))
    assert len(at_once) == 3 + 2 + 1


@pytest.mark.parametrize("n_jobs", [0, 1.5, True])
def test_a_number_of_processes_that_is_none_is_refused(n_jobs):
    with pytest.raises(ConfigurationError, match="n_jobs; found"):
        compare(simulated_var(60), 2, models(), n_jobs=n_jobs)
