"""What a comparison warns of: each finding on data that have just that fault, and on none else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.comparison import GuardedVAR, RepeatSeason, compare, findings


def stationary(n_time: int = 200, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = np.zeros((n_time, 3))
    for t in range(1, n_time):
        values[t] = 0.4 * values[t - 1] + rng.normal(size=3)
    return pd.DataFrame(values, columns=["a", "b", "c"])


def topics_of(y, models=None, **arguments) -> dict[str, str]:
    settings = {"horizon": 2, "n_origins": 20, "stride": 2, "season": 1, "classical": False}
    found = compare(y, forecasters=models or {"Naive": RepeatSeason()}, **(settings | arguments))
    return {finding.topic: finding.text for finding in findings(found)}


def test_sound_data_and_enough_origins_give_no_finding():
    assert topics_of(stationary()) == {}


@pytest.mark.parametrize(
    ("n_origins", "words"), [(3, "3 origins: no test is made"), (12, "12 origins: only large")]
)
def test_few_origins_are_said(n_origins, words):
    assert topics_of(stationary(), n_origins=n_origins)["Few origins"].startswith(words)


def test_overlapping_forecasts_are_said():
    text = topics_of(stationary(), horizon=6, stride=2)["Overlapping forecasts"]
    assert "3 neighbours share steps" in text


def test_a_random_walk_is_found_by_name():
    y = stationary()
    y["walk"] = np.random.default_rng(1).normal(size=len(y)).cumsum()
    assert "for 1 of 4 series: walk" in topics_of(y)["Non-stationarity"]


def test_a_random_walk_is_found_in_a_short_sample_too():
    y = pd.DataFrame(np.random.default_rng(0).normal(size=(44, 5)).cumsum(axis=0)).add_prefix("w")
    assert "of 5 series: w" in topics_of(y, n_origins=10)["Non-stationarity"]


def test_a_level_that_shifts_after_the_first_window_is_found_by_name():
    y = stationary()
    y.loc[170:, "b"] += 9
    assert "1 of 3 series: b" in topics_of(y)["Shifted level"]


def test_a_constant_series_is_named():
    assert "1 of 4 series: flat" in topics_of(stationary().assign(flat=3.0))["Constant series"]


def test_a_counter_of_rows_among_the_series_is_named():
    y = stationary().assign(row=np.arange(5, 205))
    assert "1 of 4 series: row" in topics_of(y)["Straight line"]


def test_rows_that_repeat_earlier_ones_are_counted():
    y = stationary()
    y.iloc[185:190] = y.iloc[20:25].to_numpy()
    y.iloc[50] = y.iloc[49]
    text = topics_of(y)["Identical rows"]
    assert text.startswith("6 of 200 rows")
    assert "5 of them after the first training window and 1 directly" in text


def test_one_series_may_repeat_its_values_without_a_word():
    y = stationary()[["a"]].round(0)
    assert "Identical rows" not in topics_of(y)


def test_a_copy_of_a_series_in_other_units_is_found():
    y = stationary()
    text = topics_of(y.assign(copy=3 * y["a"] + 10))["Repeated series"]
    assert "a and copy move as one" in text


def test_a_series_that_runs_ahead_of_another_is_found_with_its_lead():
    y = stationary()
    y["late"] = y["b"].shift(2).bfill()
    text = topics_of(y.iloc[5:])["Repeated series"]
    assert "late repeats b 2 steps later" in text


def test_a_series_that_stops_moving_is_named():
    y = stationary()
    y.loc[100:, "b"] = 1.0
    topics = topics_of(y)
    assert "one value only: 1 of 3 series: b" in topics["Stuck series"]
    assert "Errors of zero" not in topics


def test_errors_of_zero_are_suspicious():
    y = stationary()

    class Knows(RepeatSeason):
        def _extrapolate(self, values, steps):
            return y.to_numpy()[len(values) : len(values) + steps]

    text = topics_of(y, {"knows": Knows(), "Naive": RepeatSeason()})["Errors of zero"]
    assert "forecast without error by knows" in text


def test_failures_and_refused_vars_are_told_with_their_reasons():
    y = pd.concat([stationary(60, seed).add_suffix(str(seed)) for seed in range(4)], axis=1)

    class Fails(RepeatSeason):
        def _learn(self, values):
            raise RuntimeError("no")

    models = {"fails": Fails(), "VAR": GuardedVAR(when_refused="ridge")}
    topics = topics_of(y, models, n_origins=8, stride=4)
    assert topics["Failure"].startswith("fails failed at 8 of 8 origins")
    assert topics["Failure"].endswith("RuntimeError: no")
    assert "a ridge VAR in place of the VAR" in topics["Refused VAR"]
