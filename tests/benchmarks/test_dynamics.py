"""The benchmark of the dynamic VAR measures what it says, on cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import dynamics
from benchmarks.records import Records
from samovar_forecast.dynamics.responses import irf
from samovar_forecast.linear.simulate import largest_root


def test_a_step_in_one_of_several_paths_is_found_where_it_is():
    paths = np.random.default_rng(0).normal(size=(200, 3))
    paths[130:, 1] += 4.0
    assert abs(dynamics.one_split(paths) - 130) <= 2


@pytest.mark.parametrize(
    "process", [dynamics.VAR2, dynamics.TURNING_VAR2, dynamics.ZEROS, dynamics.chain(0.15)]
)
def test_the_processes_are_stationary(process):
    assert largest_root(process) < 0.95


def test_the_others_act_in_one_proportion_at_both_lags_of_the_process_to_recover():
    for response in range(3):
        others = np.delete(dynamics.VAR2[:, response], response, axis=1)
        assert np.linalg.matrix_rank(others) <= 1
    others = np.delete(dynamics.TURNING_VAR2[:, 1], 1, axis=1)
    assert np.linalg.matrix_rank(others) == 2


def test_the_true_responses_are_those_of_the_true_process():
    expected = irf(lambda w: w[:, -1] @ dynamics.PAIR[0].T, np.zeros((1, 2)), dynamics.PERIODS)
    np.testing.assert_allclose(dynamics.true_responses(), expected.estimate[1:])


def test_the_linear_learner_forecasts_from_the_past_alone():
    series = np.random.default_rng(1).normal(size=(120, 3))
    forecast = dynamics.LeastSquares(series, 40)(("a", "c"))
    changed = series.copy()
    changed[-1] += 100.0  # the last observation is forecast, and used for nothing
    np.testing.assert_array_equal(dynamics.LeastSquares(changed, 40)(("a", "c")), forecast)
    assert forecast.shape == (40, 2)


def test_an_interrupted_run_goes_on_where_it_stopped_and_is_reported_so_far(tmp_path, monkeypatch):
    calls = []

    def measure(number):
        calls.append(number)
        if number == 1 and len(calls) == 2:
            raise KeyboardInterrupt
        return {"tests": 10, "Clark-West": 1}

    name = "size, linear, 200 and 100"
    monkeypatch.setitem(dynamics.CASES, name, dynamics.Case("Size", measure, 3, "5 %"))
    with pytest.raises(KeyboardInterrupt):
        dynamics.run([name], Records(tmp_path / "records.json"))
    assert "1 of 3 repetitions" in dynamics.sections(Records(tmp_path / "records.json"))["dynamics"]
    records = Records(tmp_path / "records.json")
    dynamics.run([name], records)
    assert calls == [0, 1, 1, 2]
    text = dynamics.sections(records)["dynamics"]
    assert "| Clark-West | 30    | 10.0%" in text
    assert "3 of 3 repetitions" in text
