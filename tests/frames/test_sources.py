"""Series come from a file with their time, and from statsmodels in percent."""

from __future__ import annotations

import functools
import os
import threading

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.sources import read_covariates, read_file, us_macro_data
from samovar_forecast.frames.text_table import Reading
from tests.builders.files import KINDS
from tests.builders.frames import months, write_csv


@pytest.fixture
def csv(tmp_path):
    return functools.partial(write_csv, tmp_path / "own.csv")


def test_the_macro_data_are_growth_rates_and_levels_in_percent():
    pytest.importorskip("statsmodels")
    data = us_macro_data()
    assert data.y.shape == (202, 6)
    assert data.y.notna().all(axis=None)
    assert str(data.y.index[0]) == "1959Q2"
    # Real GDP went from 2710.349 to 2778.801 in the second quarter of 1959.
    assert data.y["gdp"].iloc[0] == pytest.approx(400 * np.log(2778.801 / 2710.349))
    assert set(data.units) == set(data.y)


@pytest.mark.parametrize(
    ("first", "season", "last"),
    [
        (months(), 12, "2019-12-01"),
        (months("%d/%m/%Y"), 12, "2019-12-01"),
        (months("%m/%d/%Y"), 12, "2019-12-01"),
        (months("%Y%m%d"), 12, "2019-12-01"),
        (pd.period_range("1990Q1", periods=60, freq="Q").astype(str), 4, "2004Q4"),
        (pd.date_range("2024-01-01", periods=60, freq="h").astype(str), 24, "2024-01-03 11:00:00"),
        (range(1960, 2020), 1, "2019"),
    ],
)
def test_the_first_column_is_read_as_dates_or_whole_numbers(csv, first, season, last):
    data = read_file(csv(first))
    assert data.season == season
    assert str(data.y.index[-1]).removesuffix(" 00:00:00") == last
    assert list(data.y) == ["a", "b"]


def test_series_below_one_another_are_told_apart_from_a_column_of_remarks(csv):
    path = csv(months(), change=lambda text: text.replace(",", ",A,").replace("time,A", "time,id"))
    with pytest.raises(DataError, match=r"column 'id' .* names series that stand one below"):
        read_file(path)


def test_words_that_change_within_a_series_are_left_out_and_told(tmp_path):
    days = [day for day in ("2000-01-01", "2000-01-02", "2000-01-03") for _ in "AB"]
    rows = list(zip("ABABAB", days, "nynnyn", range(6), strict=True))
    lines = "".join(f"{shop},{day},{promo},{sold}\n" for shop, day, promo, sold in rows)
    path = write(tmp_path / "own.csv", f"shop,day,promo,sales\n{lines}")
    data = read_file(path)
    assert data.y.to_dict("list") == {"A": [0.0, 2.0, 4.0], "B": [1.0, 3.0, 5.0]}
    assert data.guesses == [
        "column 'promo' left out: the words change within a series (--id 'shop' --id 'promo' "
        "decides otherwise)"
    ]
    assert list(read_file(path, keys=["shop", "promo"], keep_gaps=True).y)[:2] == ["A/n", "B/y"]
    assert read_file(path, leave_out=["promo"]).guesses == []
    lines = "".join(f"{shop},{day},${sold}\n" for shop, day, _, sold in rows)
    path = write(tmp_path / "own.csv", f"shop,day,price\n{lines}")
    with pytest.raises(DataError, match=r"column 'price' of .*found: '\$0' in line 2 and 5 more"):
        read_file(path)


def test_rows_can_be_counted_instead(csv):
    data = read_file(csv([f"row {i}" for i in range(60)]), number_rows=True)
    assert data.y.index.tolist() == list(range(1, 61))
    assert data.season == 1


# ---------------------------------------------------------------- nothing is lost without a word


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_numbered_rows_of_a_file_without_dates_keep_the_first_series(tmp_path):
    path = write(tmp_path / "own.csv", "load,wind\n1.5,10\n0.5,20\n2.5,30\n")
    data = read_file(path, number_rows=True)
    assert data.y.to_dict("list") == {"load": [1.5, 0.5, 2.5], "wind": [10.0, 20.0, 30.0]}
    assert "every column a series" in data.description[-1]
    whole = write(tmp_path / "own.csv", "load,wind\n7,10\n3,20\n5,30\n")
    assert read_file(whole, number_rows=True).y["load"].tolist() == [7.0, 3.0, 5.0]
    alone = write(tmp_path / "own.csv", "load\n7\n3\n\n5\n")
    data = read_file(alone, number_rows=True, keep_gaps=True)
    np.testing.assert_array_equal(data.y["load"], [7.0, 3.0, np.nan, 5.0])


@pytest.mark.parametrize("text", ["5\n6\n7\n", "year\n5\n6\n7\n"])
def test_a_column_that_stands_alone_is_a_series_of_numbered_rows(tmp_path, text):
    path = write(tmp_path / "own.csv", text)
    data = read_file(path, number_rows=True)
    assert data.y.iloc[:, 0].tolist() == [5.0, 6.0, 7.0]
    with pytest.raises(DataError, match=r"no series is left .* leave --time out"):
        read_file(path, number_rows=True, time=data.y.columns[0])


def test_a_cell_that_is_written_like_the_others_is_not_asked_to_be(tmp_path):
    path = write(tmp_path / "own.csv", "t,a\n201651,1\n201652,2\n201653,3\n201701,4\n")
    with pytest.raises(DataError, match=r"found: 201653 in line 4.*correct the cell, or rewrite"):
        read_file(path, keep_gaps=True)
    path = write(tmp_path / "own.csv", "t,a\n2016-01-01,1\n2016-01-02,2\nMorgen,3\n4,4\n")
    with pytest.raises(DataError, match=r"'Morgen' in line 4.*write the cell like the others"):
        read_file(path)


@pytest.mark.parametrize(
    "times", [("2000", "2001", "2002"), ("20000101", "20000102", "20000103"), ("x", "y", "z")]
)
def test_numbered_rows_leave_a_column_of_times_out_and_say_so(tmp_path, times):
    lines = "".join(f"{time},{k}.5\n" for k, time in enumerate(times))
    data = read_file(write(tmp_path / "own.csv", f"when,a\n{lines}"), number_rows=True)
    assert data.y.to_dict("list") == {"a": [0.5, 1.5, 2.5]}
    assert "the column 'when' left out" in data.description[-1]


@pytest.mark.parametrize("first", ["2000-01-01", "2000M01", "2000", "Jan-00"])
def test_a_file_without_a_header_keeps_its_first_row(tmp_path, first):
    times = {
        "2000-01-01": ["2000-01-01", "2000-02-01", "2000-03-01"],
        "2000M01": ["2000M01", "2000M02", "2000M03"],
        "2000": ["2000", "2001", "2002"],
        "Jan-00": ["Jan-00", "Feb-00", "Mar-00"],
    }[first]
    lines = "".join(f"{time},{k}.5,{k}\n" for k, time in enumerate(times))
    data = read_file(write(tmp_path / "own.csv", lines))
    assert data.y.to_dict("list") == {"column_2": [0.5, 1.5, 2.5], "column_3": [0.0, 1.0, 2.0]}
    assert "line 1 taken for values, not for names" in data.description[-1]


def test_a_header_of_numbers_is_a_header_and_doubt_is_told(tmp_path):
    text = ",2019,2020\n2000-01-01,1,2\n2000-01-02,3,4\n2000-01-03,5,6\n"
    assert list(read_file(write(tmp_path / "own.csv", text)).y) == ["2019", "2020"]
    text = text.replace(",2019,2020", "2000,ill,2020")
    data = read_file(write(tmp_path / "own.csv", text))
    assert "line 1 taken for names: 2000, ill, 2020" in data.description[-1]


def test_a_header_that_looks_like_values_is_taken_at_the_users_word_and_told(tmp_path):
    path = write(tmp_path / "own.csv", "2000-01-01,1\n2000-01-02,2\n2000-01-03,3\n2000-01-04,4\n")
    data = read_file(path, reading=Reading(header=True))
    assert list(data.y) == ["1"]
    assert "which looks like values, taken for names by --header yes" in data.description[-1]


def test_an_encoding_that_the_file_contradicts_is_refused_or_told(tmp_path):
    path = tmp_path / "own.csv"
    path.write_bytes("year,caf\u00e9\n2000,1\n2001,2\n2002,3\n".encode("utf-16"))
    with pytest.raises(DataError, match="the byte order mark of utf-16; leave --encoding out"):
        read_file(path, reading=Reading(encoding="latin-1"))
    assert list(read_file(path, reading=Reading(encoding="utf-16")).y) == ["caf\u00e9"]
    path.write_bytes("year,caf\u00e9\n2000,1\n2001,2\n2002,3\n".encode())
    told = read_file(path, reading=Reading(encoding="latin-1")).description[-1]
    assert "text in latin-1 by --encoding, though it reads as utf-8 too" in told
    assert len(read_file(path, reading=Reading(encoding="utf-8")).description) == 2


def test_rows_of_the_file_are_counted_and_added_times_apart(tmp_path):
    path = write(tmp_path / "own.csv", "t,a\n2000,1\n2001,\n2003,3\n2004,4\n2005,5\n")
    data = read_file(path, keep_gaps=True)
    assert ", 2000 to 2005, 5 rows, 1 series." in data.description[0]
    assert data.description[-1] == (
        "Read with: 1 missing time added as a row without values, 2002; 1 cell without a value, "
        "in 'a'."
    )
    assert len(data.y) == 6


def test_thousands_beside_german_dates_are_told_as_a_guess(tmp_path):
    times = pd.date_range("2012-01-01", periods=14, freq="MS")
    lines = "".join(f"{time:%d.%m.%Y};1.1{k:02d};{k}\n" for k, time in enumerate(times))
    data = read_file(write(tmp_path / "own.csv", f"Datum;Umsatz;Quote\n{lines}"))
    assert data.y["Umsatz"].tolist() == [1100.0 + k for k in range(14)]
    assert data.guesses == ["1.100 read as 1100 (--decimal . reads 1.100)"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_read_as_a_file(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    text = "year,a\n2000,1\n2001,2\n2002,4\n"
    writer = threading.Thread(target=path.write_text, args=(text,), daemon=True)
    writer.start()
    assert read_file(path).y["a"].tolist() == [1.0, 2.0, 4.0]
    writer.join()


def test_a_file_that_is_not_there_is_named_with_the_way_to_read_a_pipe(tmp_path):
    with pytest.raises(DataError, match=r"no file .*own\.csv.* /dev/stdin to read what is piped"):
        read_file(tmp_path / "own.csv")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(DataError, match="is a folder; wanted: a CSV or Parquet file"):
        read_file(tmp_path)


def test_two_columns_of_a_name_are_refused(tmp_path):
    path = write(tmp_path / "own.csv", "time,a,b, a\n2000,1,2,3\n2001,1,2,3\n2002,1,2,3\n")
    with pytest.raises(DataError, match=r"columns 2 and 4 of .* have the same name; found: 'a'"):
        read_file(path)
    assert list(read_file(path, leave_out=["a"]).y) == ["b"]


@pytest.mark.parametrize("asked", [{"time": "a"}, {"keys": ["a"]}])
def test_a_column_that_is_asked_for_and_left_out_is_refused(tmp_path, asked):
    path = write(tmp_path / "own.csv", "time,a,b\n2000,1,2\n2001,1,2\n2002,1,2\n")
    with pytest.raises(DataError, match=r"column 'a' of .* is to be left out, and is asked for"):
        read_file(path, leave_out=["a"], **asked)


def test_text_of_windows_is_read_as_latin_1_and_told(tmp_path):
    path = tmp_path / "own.csv"
    path.write_bytes("année,café\n2000,1\n2001,2\n2002,3\n".encode("latin-1"))
    data = read_file(path)
    assert (list(data.y), data.y.index.name) == (["café"], "année")
    assert "Latin-1" in data.description[-1]


def test_typed_columns_are_taken_from_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    y = pd.DataFrame({"a": [1.0, np.nan, 3.0]}, index=pd.date_range("2000", periods=3, name="t"))
    y.to_parquet(tmp_path / "own.parquet")
    read = read_file(tmp_path / "own.parquet", keep_gaps=True).y
    pd.testing.assert_frame_equal(read, y, check_freq=False, check_index_type=False)
    data = read_file(tmp_path / "own.parquet", keep_gaps=True, reading=Reading(separator=";"))
    assert "--separator has no effect on Parquet" in data.description[-1]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"PK\x03\x04 and so on", "an Excel workbook .* save it as CSV"),
        (b"\x1f\x8b damaged", "cannot be decompressed"),
        (b"\x00\x01\x02\x00", "is no text"),
        (b"time,a\n2000,1\n2001,2;3\n2002,x\n", "column 'a' .* '2;3' in line 3 and 1 more"),
        (b"title\ntime,a\n2000,1\n2001,2\n", "1 cells in line 1, 2 in most lines"),
        (b"time,a\n2000,1\n,2\n2002,3\n", "column 'time' .* an empty cell in line 3"),
        (b"time,a\n2000,1.5\n2001,1,5\n2002,2.5\n", "3 cells in line 3, 2 in most lines"),
    ],
)
def test_what_cannot_be_read_is_named_by_file_line_and_column(tmp_path, content, expected):
    path = tmp_path / "own.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=expected) as raised:
        read_file(path)
    assert "own.csv" in str(raised.value)


# ---------------------------------------------------------------- files as people have them


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_file_gives_its_frame_and_tells_how_it_was_read(tmp_path, name):
    kind = KINDS[name]
    path = tmp_path / "own.csv"
    path.write_bytes(kind.content)
    data = read_file(path, keep_gaps=True)
    expected = pd.DataFrame({"a": kind.a, "b": kind.b}, index=kind.index)
    pd.testing.assert_frame_equal(
        data.y, expected, check_freq=False, check_names=False, check_index_type=False
    )
    told = " ".join(data.description[2:])
    assert kind.told in told
    assert name != "plain" or told == ""


@pytest.mark.parametrize(
    ("freq", "times", "found"),
    [
        ("Q", pd.date_range("2000-01-01", periods=48, freq="MS"), "3 rows in 2000Q1: steps of 'MS"),
        ("Q", pd.period_range("2000-01", periods=48, freq="M"), "3 rows in 2000Q1: steps of 'M"),
        ("M", pd.date_range("2000-01-01", periods=400), "31 rows in 2000-01: steps of 'D"),
    ],
)
def test_covariates_of_finer_steps_than_the_series_are_to_be_aggregated(
    tmp_path, freq, times, found
):
    y = pd.DataFrame({"a": range(12)}, pd.period_range("2000-01", periods=12, freq=freq))
    written = times.strftime("%YM%m" if isinstance(times, pd.PeriodIndex) else "%Y-%m-%d")
    lines = "".join(f"{time},{k}.5\n" for k, time in enumerate(written))
    path = write(tmp_path / "x.csv", f"t,x\n{lines}")
    with pytest.raises(DataError, match=rf"{found}.*steps of '{freq}.*aggregate the file"):
        read_covariates(path, y, 1)


def test_covariates_that_drift_through_the_months_meet_the_months_of_the_series(tmp_path):
    y = pd.DataFrame({"a": range(6)}, pd.period_range("2000-01", periods=6, freq="M"))
    days = (3, 5, 2, 7, 4, 6, 1)
    lines = "".join(f"2000-0{k}-0{day},{k}.5\n" for k, day in enumerate(days, 1))
    X, ahead = read_covariates(write(tmp_path / "x.csv", f"t,x\n{lines}"), y, 1)
    assert X["x"].tolist() == [1.5, 2.5, 3.5, 4.5, 5.5, 6.5]
    assert ahead["x"].tolist() == [7.5]


def test_a_whole_number_beyond_64_bits_is_named_and_its_column_can_be_left_out(tmp_path):
    lines = f"1,1.5\n2,2.5\n{2**63},3.5\n{'9' * 5000},4.5\n"
    path = write(tmp_path / "own.csv", f"when,a\n{lines}")
    with pytest.raises(DataError, match=f"'when' of .* holds no time.*found: {2**63} in line 4"):
        read_file(path)
    assert read_file(path, number_rows=True, time="when").y["a"].tolist() == [1.5, 2.5, 3.5, 4.5]
    path = write(tmp_path / "own.csv", f"time,a\n{lines}")
    assert read_file(path, number_rows=True).y.to_dict("list") == {"a": [1.5, 2.5, 3.5, 4.5]}
