"""Names, times, frequencies and indices come back equal, or are not written."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from dateutil.tz import gettz, tzoffset, tzutc

from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.frames.plain_names import read_index, read_name, write_index, write_name

VALUES = [
    None,
    True,
    -3,
    2**70,
    "load",
    0.1,
    float("inf"),
    ("a", 1, ("b", None)),
    dt.date(2024, 2, 29),
    pd.Timestamp("2024-02-29 05:00:00.123456"),
    pd.Timestamp("2024-10-27 02:30", tz="UTC").tz_convert("Europe/Paris"),
    pd.Timestamp("2024-10-27").as_unit("s"),
    pd.Timestamp("2024-01-01 00:00+02:00"),
    pd.Timedelta("36h"),
    pd.Period("2024Q3", "Q-NOV"),
    *map(pd.tseries.frequencies.to_offset, ("D", "15min", "MS", "W-WED", "QS-FEB", "2B", "YE")),
    pd.offsets.DateOffset(months=2),
    pd.offsets.CustomBusinessDay(holidays=["2024-12-25"], weekmask="Mon Tue Wed"),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_name_or_time_comes_back_of_its_own_kind(value):
    found = read_name(json.loads(json.dumps(write_name(value), allow_nan=False)))
    assert found == value
    assert type(found) is type(value)
    if isinstance(value, pd.Timestamp):
        assert (found.unit, str(found.tz)) == (value.unit, str(value.tz))


@pytest.mark.parametrize(
    ("zone", "name"), [(gettz("Europe/Berlin"), "Europe/Berlin"), (tzutc(), "UTC")]
)
def test_a_zone_of_dateutil_is_written_by_its_name(zone, name):
    index = pd.date_range("2024-03-30", periods=3, freq="D", tz=zone)
    pd.testing.assert_index_equal(
        read_index(write_index(index)),
        pd.date_range("2024-03-30", periods=3, freq="D", tz=name),
        exact=True,
    )
    assert read_index(write_index(index)).freq == index.freq
    time = read_name(write_name(index[0]))
    assert (time, str(time.tz)) == (index[0], name)


@pytest.mark.parametrize("write", [write_name, lambda time: write_index(pd.DatetimeIndex([time]))])
def test_a_zone_without_a_name_is_not_written(write):
    with pytest.raises(ConfigurationError, match=r"no artifact can hold.*tz_convert\('UTC'\)"):
        write(pd.Timestamp("2024-01-01", tz=tzoffset("ship", 3600)))


def test_numbers_of_numpy_are_numbers():
    assert read_name(write_name(np.int64(4))) == 4
    assert read_name(write_name(np.float32(0.5))) == 0.5
    assert read_name(write_name(np.str_("x"))) == "x"


@pytest.mark.parametrize(
    "value", [object(), pd.NaT, b"x", frozenset([1]), 1j, np.datetime64("NaT")]
)
def test_what_json_cannot_tell_is_not_written(value):
    with pytest.raises(ConfigurationError, match="no artifact can hold"):
        write_name(value)
    with pytest.raises(ConfigurationError, match="no artifact can hold"):
        write_name((((((((1,),),),),),),))


INDICES = [
    pd.RangeIndex(3, 9, 2, name="row"),
    pd.Index(["a", "b"]),
    pd.Index(["a", 2, None], dtype=object),
    pd.Index([1, 2], dtype="int32"),
    pd.Index([True, False]),
    pd.Index([0.1, 0.5], name=("two", 1)),
    pd.date_range("2024-03-30", periods=3, freq="D", tz="Europe/Paris", name="day"),
    pd.date_range("2024", periods=2, freq="MS").as_unit("s"),
    pd.DatetimeIndex(["2024-01-01", "2024-01-05"]),
    pd.period_range("2024", periods=3, freq="Q-DEC"),
    pd.timedelta_range("1h", periods=3, freq="h"),
    pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", None]),
    pd.Index([]),
]


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_an_index_comes_back_with_its_kind_name_and_frequency(index):
    found = read_index(json.loads(json.dumps(write_index(index))))
    if isinstance(index, pd.MultiIndex):
        pd.testing.assert_index_equal(found, index)
    else:
        pd.testing.assert_index_equal(found, index, exact=True)
        assert getattr(found, "freq", None) == getattr(index, "freq", None)


def test_an_index_of_other_things_is_not_written():
    for index in (pd.interval_range(0, 3), pd.CategoricalIndex(["a"]), pd.Index([object()])):
        with pytest.raises(ConfigurationError, match="no artifact can hold"):
            write_index(index)


@pytest.mark.parametrize(
    "plain",
    [
        3.5,
        [],
        {},
        {"import": ["os"]},
        {"float": ["0x"]},
        {"time": [2**80, "ns", None]},
        {"time": [1, "ns", "Nowhere/City"]},
        {"freq": ["every day"]},
        {"period": [1, "!"]},
        {"float": ["0x1p0"], "date": ["2024-01-01"]},
    ],
)
def test_crafted_names_are_refused(plain):
    with pytest.raises((ValueError, TypeError, OverflowError, KeyError, AttributeError)):
        read_name(plain)


@pytest.mark.parametrize(
    "plain",
    [
        "x",
        {"values": [1], "dtype": "category", "name": None},
        {"values": ["x"], "dtype": "int64", "name": None},
        {"values": [1], "dtype": "int64", "name": None, "hook": 1},
        {"range": [1, 2, 0], "name": None},
        {"levels": []},
    ],
)
def test_crafted_indices_are_refused(plain):
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        read_index(plain)
