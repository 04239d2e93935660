"""The words say what the numbers say."""

from __future__ import annotations

import numpy as np
import pandas as pd

from samovar_forecast.cli.outlook import Outlook, Record
from samovar_forecast.cli.outlook_words import decimals_of, in_words, time_texts


def outlook(record, *, y=None, shares=None, level=100.0):
    index = pd.period_range("2010-01", periods=40, freq="M")
    if y is None:
        y = pd.DataFrame({"a": level + np.arange(40.0) % 7}, index)
    ahead = pd.period_range("2013-05", periods=3, freq="M")
    forecast = pd.DataFrame({"a": [level, level + 1, level + 2]}, ahead)
    columns = pd.MultiIndex.from_product([["a"], [0.5, 0.8], ["lower", "upper"]])
    around = np.array([-1.0, 1.0, -2.0, 2.0])
    intervals = pd.DataFrame(forecast.to_numpy() + around, ahead, columns)
    return Outlook(y, forecast, intervals, 0.8, 12, record, shares, [])


def record(**rivals):
    origins = pd.period_range("2013-01", periods=2, freq="M")
    return Record(origins, {name.replace("_", " "): ratio for name, ratio in rivals.items()}, 0.75)


def test_the_forecast_and_its_record_are_told():
    told = dict(in_words(outlook(record(the_naive_forecast=0.8, a_VAR=1.005))))
    assert told["What comes"] == (
        "At 2013-07, 3 steps ahead: a 102.00 (80 % interval 100.00 to 104.00; last known 104.00 at "
        "2013-04)."
    )
    assert told["How it did"] == (
        "At the last 2 origins (2013-01 to 2013-02), fitted once before the first and the rivals "
        "anew, its mean absolute error was 20 % below the naive forecast's and equal to a VAR's; "
        "75 % of the values that came lay inside their 80 % intervals."
    )
    assert "did better" not in told["What to distrust"]
    assert told["What to distrust"].startswith("2 origins are few")


def test_a_rival_that_did_better_and_intervals_that_did_not_hold_are_told():
    once = pd.period_range("2013-01", periods=1, freq="M")
    bad = Record(once, {"the naive forecast": 1.3, "a VAR": 2.5}, 0.4)
    told = dict(in_words(outlook(bad)))
    assert "30 % above the naive forecast's and 2.5 times a VAR's" in told["How it did"]
    assert "The naive forecast and a VAR did better at these origins." in told["What to distrust"]
    assert "The intervals were too narrow." in told["What to distrust"]
    told = dict(in_words(outlook("10 rows are too few")))
    assert told["How it did"].endswith("for 10 rows are too few.")


def test_what_is_wrong_with_the_series_is_told():
    index = pd.period_range("2010-01", periods=10, freq="M")
    y = pd.DataFrame({"a": [1.0] * 8 + [np.nan] * 2}, index)
    doubts = dict(in_words(outlook("it was not asked for", y=y)))["What to distrust"]
    for expected in (
        "3 steps are far for 10 rows.",
        "fewer than two seasons of 12",
        "20 % of the cells are missing.",
        "No value in the last row: a.",
        "Constant: a.",
        "leaves the range of all values so far: a.",
    ):
        assert expected in doubts


def test_the_members_of_the_forecast_are_named_by_their_shares():
    rows = pd.MultiIndex.from_product(
        [["linear", "pretrained"], [1, 2, 3]], names=["member", "step"]
    )
    shares = pd.DataFrame({"a": [0.2, 0.3, 0.4, 0.8, 0.7, 0.6]}, rows)
    made = dict(in_words(outlook("it was not asked for", shares=shares)))["What it is made of"]
    assert made.startswith("70 % the pretrained network and 30 % the linear forecast")


def test_the_linear_forecast_can_stand_alone_and_midnight_is_told_among_hours():
    rows = pd.MultiIndex.from_product([["linear"], [1, 2]], names=["member", "step"])
    made = dict(in_words(outlook("none", shares=pd.DataFrame({"a": [1.0, 1.0]}, rows))))
    assert made["What it is made of"] == "The linear forecast alone."
    hours = pd.date_range("2000-01-01 23:00", periods=2, freq="h")
    assert time_texts(hours) == ["2000-01-01 23:00", "2000-01-02 00:00"]
    assert time_texts(hours.normalize()) == ["2000-01-01", "2000-01-02"]


def test_numbers_have_the_digits_that_say_something():
    assert decimals_of(outlook("none"), "a") == 2


def test_what_the_file_leaves_open_is_distrusted_first():
    doubts = dict(in_words(outlook(record(a_VAR=1.3)), ["1.101 read as 1101"]))["What to distrust"]
    assert doubts.startswith("The file leaves open: 1.101 read as 1101. A VAR did better")
