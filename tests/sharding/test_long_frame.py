"""Series below one another are forecast each for itself, wherever frames are cut."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from samovar_forecast import forecast_long_frame, forecast_long_frames
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.sharding import long_frame as room
from tests.builders.long_frames import last_values, long_frame

LENGTHS = (30, 24, 30, 2, 1)


@pytest.fixture(scope="module")
def frame():
    return long_frame(LENGTHS)


@pytest.fixture(scope="module")
def answer(frame):
    return forecast_long_frame(frame, 3)


def test_each_series_is_forecast_after_its_own_end(frame, answer):
    assert list(answer) == ["unique_id", "ds", "forecast", "lower_80", "upper_80"]
    assert answer["unique_id"].tolist() == [f"s{number}" for number in range(5) for _ in range(3)]
    for name, rows in frame.groupby("unique_id"):
        own = answer[answer["unique_id"] == name]
        ahead = pd.date_range(rows["ds"].iloc[-1], periods=4, freq="MS")[1:]
        assert own["ds"].tolist() == ahead.tolist()
    assert (answer["lower_80"] <= answer["forecast"]).all()
    assert (answer["forecast"] <= answer["upper_80"]).all()


def test_it_is_the_forecast_of_the_sktime_forecaster(frame, answer):
    pytest.importorskip("sktime")
    from samovar_forecast import SAMoVARForecaster

    y = frame.set_index(["unique_id", "ds"])
    y = y[y.index.get_level_values(0).isin(["s0", "s1", "s2"])]  # sktime asks for longer series
    forecaster = SAMoVARForecaster().fit(y, fh=[1, 2, 3])
    alone = forecast_long_frame(frame[frame["unique_id"].isin(["s0", "s1", "s2"])], 3)
    np.testing.assert_array_equal(alone["forecast"], forecaster.predict()["y"])
    bounds = forecaster.predict_interval(coverage=0.8)
    np.testing.assert_array_equal(alone["lower_80"], bounds["y", 0.8, "lower"])


def test_a_missing_time_is_a_missing_value(frame):
    with_hole = frame.assign(y=frame["y"].where(frame.index != 7))
    pd.testing.assert_frame_equal(
        forecast_long_frame(frame.drop(index=7), 2, None), forecast_long_frame(with_hole, 2, None)
    )


@pytest.mark.parametrize("cuts", [[10], [30, 54], [1, 2, 3, 40, 84, 85, 86]])
def test_it_does_not_matter_where_frames_are_cut(frame, cuts, monkeypatch):
    monkeypatch.setattr(room, "forecast_long_frame", last_values)
    edges = [0, *cuts, len(frame)]
    frames = [frame[a:b] for a, b in itertools.pairwise(edges)]
    found = pd.concat(room.forecast_long_frames(frames, 2), ignore_index=True)
    pd.testing.assert_frame_equal(found, last_values(frame, 2))


def test_a_frame_that_cuts_no_series_is_forecast_whole(frame, answer):
    (found,) = forecast_long_frames(iter([frame[:0], frame]), 3)
    pd.testing.assert_frame_equal(found, answer)
    edge = int((frame["unique_id"] == "s0").sum())
    parts = [frame[:edge], frame[edge:]]
    found = list(forecast_long_frames(iter(parts), 3))
    for one, part in zip(found, parts, strict=True):
        pd.testing.assert_frame_equal(one, forecast_long_frame(part, 3))


def test_what_is_forecast_together_is_bounded(frame, monkeypatch):
    sizes = []

    def counted(grid, instances, horizon, interval):
        sizes.append(len(instances))
        return pd.DataFrame()

    monkeypatch.setattr(room, "_forecast", counted)
    monkeypatch.setattr(room, "SERIES_TOGETHER", 2)
    room.forecast_long_frame(frame, 2)
    assert sizes == [2, 2, 1]


def test_an_empty_frame_has_no_forecast(frame):
    found = forecast_long_frame(frame[:0], 2)
    assert list(found) == ["unique_id", "ds", "forecast", "lower_80", "upper_80"]
    assert not len(found)
    assert list(forecast_long_frames([frame[:0]], 2)) == []


@pytest.mark.parametrize(
    ("times", "ahead"),
    [
        (range(8), [8]),
        (pd.period_range("2020Q1", periods=8, freq="Q"), ["2022Q1"]),
        ([f"2020-{month:02d}" for month in range(1, 9)], [pd.Timestamp("2020-09-01")]),
    ],
)
def test_times_are_numbers_periods_or_text_too(times, ahead, monkeypatch):
    monkeypatch.setattr(room, "Plan", lambda: plan_without_network())
    frame = pd.DataFrame({"unique_id": 7, "ds": list(times), "y": np.arange(8.0)})
    found = forecast_long_frame(frame, 1, None)
    assert found["ds"].tolist() == ahead
    assert found["unique_id"].tolist() == [7]


def plan_without_network():
    from samovar_forecast.learning.plan import Plan

    return Plan(pretrained=False)


def test_the_frequency_may_be_told_where_no_series_tells_it(frame):
    short = frame[frame["unique_id"] == "s4"]
    with pytest.raises(DataError, match="s4"):
        forecast_long_frame(short, 1)
    found = forecast_long_frame(short, 2, freq="MS")
    assert found["ds"].tolist() == [pd.Timestamp("2020-02-01"), pd.Timestamp("2020-03-01")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="y"), "no column 'y'"),
        (lambda frame: pd.concat([frame, frame[:1]]), "'s0' do not stand together"),
        (lambda frame: frame[::-1], "'s2' do not rise|not sorted"),
        (lambda frame: frame.assign(y=np.nan), "'s0' has no value"),
        (lambda frame: frame.assign(y=np.inf), "'s0' has no value, or one that is infinite"),
        (lambda frame: frame.assign(ds="soon"), "ds does not hold the time"),
        (lambda frame: frame.assign(unique_id=None), "unique_id does not name"),
    ],
)
def test_what_cannot_be_forecast_is_named(frame, change, message):
    with pytest.raises(DataError, match=message):
        forecast_long_frame(change(frame), 2)


@pytest.mark.parametrize(("horizon", "interval"), [(0, 0.8), (1.5, 0.8), (2, 1.0)])
def test_a_question_that_cannot_be_answered_is_refused(frame, horizon, interval):
    with pytest.raises(ConfigurationError):
        forecast_long_frame(frame, horizon, interval)
