"""A column of text as times: dates, periods or whole numbers, by the way in which they are written.

pandas reads the text; this module tells which way of writing all cells of a column have in common.
"""

from __future__ import annotations

import datetime as dt
import re
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from samovar_forecast.frames.text_table import Guess

DAY_DIGITS = re.compile(r"(?:1[5-9]|2[01])\d{6}")
MONTH_DIGITS = re.compile(r"((?:1[5-9]|2[01])\d{2})(0[1-9]|1[0-2])")
MONTH_FIRST = re.compile(r"(0?[1-9]|1[0-2])\.((?:1[5-9]|2[01])\d{2})")
WEEK_DIGITS = re.compile(r"((?:1[5-9]|2[01])\d{2})(0[1-9]|[1-4]\d|5[0-3])")
MONTH = re.compile(r"(\d{4})\s*[-:/. ]?\s*[Mm](\d{1,2})")
QUARTER = re.compile(r"(\d{4})\s*[-:/. ]?\s*[Qq]([1-4])")
QUARTER_FIRST = re.compile(r"(?:[Qq]([1-4])|([1-4])[Qq])\s*[-:/. ]?\s*(\d{4})")
WEEK = re.compile(r"(\d{4})\s*-?\s*[Ww](\d{1,2})(?:-([1-7]))?")
FINANCIAL_YEAR = re.compile(r"(\d{4})\s*[-/\u2013]\s*(\d{4}|\d{2})")
ISO_DATE = re.compile(r"\d{4}-\d")
OFFSET = re.compile(r"\s*(?:Z|[+-]\d{2}:?\d{2}|[+-]\d{2})$")
DECIMAL_YEAR = re.compile(r"(1[5-9]|2[01])\d{2}(?:[.,]\d*)?")
YEAR_AND_MONTH = re.compile(r"(\d{4})[.,](\d{1,2})")
DAY_AND_MONTH = re.compile(r"^(\d{1,2})[-/. ](\d{1,2})[-/. ]((?:\d{2})?\d{2})\b")
FULL_DATE = re.compile(r"\d{4}|^\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2}\b")
OF_MONTHS = ("%b-%y", "%b-%Y", "%b %Y", "%b %y", "%Y-%b", "%Y %b")
OF_DAYS = (
    *("%d-%b-%y", "%d-%b-%Y", "%d %b %Y", "%d %b, %Y", "%b %d, %Y", "%b %d %Y", "%d. %b %Y"),
    *("%d.%b.%Y", "%d/%b/%Y", "%d%b%Y", "%Y-%b-%d"),
)
WORD = re.compile(r"([^\W\d_]+)(?:\.(?=\s|$))?")
"""A word, with the point of an abbreviation."""
NAMES_OF_MONTHS = {
    "Jan": "jan january januar jänner jän janvier janv enero ene gennaio gen",
    "Feb": "feb february februar feber février fevrier févr fevr fév fev febrero febbraio",
    "Mar": "mar march märz maerz mär mrz mars marzo",
    "Apr": "apr april avril avr abril abr aprile",
    "May": "may mai mayo maggio mag",
    "Jun": "jun june juni juin junio giugno giu",
    "Jul": "jul july juli juillet juil julio luglio lug",
    "Aug": "aug august août aout agosto ago",
    "Sep": "sep sept september septembre septiembre setiembre settembre set",
    "Oct": "oct october oktober okt octobre octubre ottobre ott",
    "Nov": "nov november novembre noviembre",
    "Dec": "dec december dezember dez décembre decembre déc diciembre dic dicembre",
}
"""Names of the months in English, German, French, Spanish and Italian."""
SHORT_NAMES = {word: name for name, words in NAMES_OF_MONTHS.items() for word in words.split()}
POINTS_IN_DATES = re.compile(
    rf"\d{{1,2}}\.\d{{1,2}}\.(?:\d{{2}})?\d{{2}}(?:\s.*)?|{MONTH_FIRST.pattern}"
)
EPOCHS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
"""Units of an epoch: ticks in a second."""
FIRST_EPOCH, LAST_EPOCH = 100_000_000, 4_102_444_800
"""Seconds from 1970 that are taken for times: 1973 to 2100."""
YEARS_AHEAD = 20
"""Two digits of a year that would lie farther ahead than this are of the century before."""


class Times(NamedTuple):
    """Times of the rows, and what a reader must know of their reading."""

    index: pd.Index
    told: str | None = None


def read_times(column: pd.Series, day_first: bool | None = None) -> Times | None:
    """Return a column as times, or None if its cells are no times.

    Parameters
    ----------
    column : Series
        Text without missing cells, or typed times or numbers.
    day_first : bool, optional
        Whether 3/4/2016 is the third of April; by default what makes the times regular. Dates that
        show the other order are no times.

    Returns
    -------
    Times or None
        A DatetimeIndex, a PeriodIndex of months or quarters, or an index of whole numbers.
    """
    if isinstance(column.dtype, pd.PeriodDtype):
        return Times(pd.PeriodIndex(column))
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return Times(pd.DatetimeIndex(column).tz_convert("UTC").tz_localize(None), "times in UTC")
    if pd.api.types.is_datetime64_dtype(column.dtype):
        return Times(pd.DatetimeIndex(column))
    texts = column.astype(str).astype(object).str.strip()
    if not len(texts):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas guesses aloud
        for reader in _READERS:
            times = reader(texts)
            if times is not None:
                return times
        return _dates(texts, day_first)


def first_unread(column: pd.Series, day_first: bool | None = None) -> int:
    """Return the row of the first cell that does not read as a time beside the other cells.

    The cells that are written as most cells are (digits and letters in the same order) are read
    first, then the others.

    Parameters
    ----------
    column : Series
        Cells, not missing, that :func:`read_times` does not read.
    day_first : bool, optional
        As in :func:`read_times`.
    """
    weeks = _written_weeks(column.astype(str))
    column = column if weeks is None else weeks
    usual = is_written_as_usual(column)
    order = np.concatenate([np.flatnonzero(usual), np.flatnonzero(~usual)])
    n_read, n_unread = 0, len(order)
    while n_unread - n_read > 1:  # the shortest beginning that does not read
        n_tried = (n_read + n_unread) // 2
        if read_times(column.iloc[order[:n_tried]], day_first) is None:
            n_unread = n_tried
        else:
            n_read = n_tried
    return int(order[n_read])


def is_written_as_usual(column: pd.Series) -> np.ndarray:
    """Return which cells have digits and letters in the order that most cells have."""
    texts = column.astype(str)
    written = texts.str.replace(r"\d+", "0", regex=True).str.replace(WORD, "a", regex=True)
    return written.eq(written.mode().iloc[0]).to_numpy()


def has_points_in_dates(column: pd.Series) -> bool:
    """Return whether a column holds dates such as 04.07.2016, or months such as 07.2016."""
    return column.dtype == object and bool(
        len(column) and column.astype(str).str.fullmatch(POINTS_IN_DATES).all()
    )


def _all(texts: pd.Series, pattern: re.Pattern[str]) -> pd.DataFrame | None:
    """Return the groups of a pattern that all texts fit, a column each, or None."""
    if not pattern.fullmatch(texts.iloc[0]) or not texts.str.fullmatch(pattern).all():
        return None
    return texts.str.extract(pattern)


def _parsed(texts: pd.Series, written: str) -> pd.DatetimeIndex | None:
    """Return the texts by a format of `strptime`, or None if a text is written otherwise."""
    if pd.isna(pd.to_datetime(texts.iloc[0], format=written, errors="coerce")):
        return None
    dates = pd.DatetimeIndex(pd.to_datetime(texts, format=written, errors="coerce"))
    return None if dates.hasnans else dates


def _months(years: pd.Series, months: pd.Series) -> pd.PeriodIndex:
    return pd.PeriodIndex.from_fields(year=years.astype(int), month=months.astype(int), freq="M")


def _whole_numbers(texts: pd.Series) -> Times | None:
    """Return 20160704, 201607 and 201627 as dates, seconds since 1970 as times, or the numbers."""
    if not texts.str.fullmatch(r"[+-]?\d+").all():
        return None
    if texts.str.fullmatch(DAY_DIGITS).all() and (dates := _parsed(texts, "%Y%m%d")) is not None:
        return Times(dates)
    if (parts := _all(texts, MONTH_DIGITS)) is not None:
        return Times(_months(parts[0], parts[1]), f"{texts.iloc[0]} read as a month")
    if (weeks := _written_weeks(texts)) is not None:
        return _weeks(weeks, shown=texts.iloc[0])
    try:
        numbers = pd.Index(texts.astype("int64"))
    except (OverflowError, ValueError):  # beyond 64 bits, or beyond what Python reads at all
        return None
    steps = np.diff(numbers)
    for unit, ticks in EPOCHS.items():
        inside = (numbers >= FIRST_EPOCH * ticks) & (numbers <= LAST_EPOCH * ticks)
        if (
            inside.all()
            and len(steps)
            and np.abs(steps).min() >= ticks
            and (np.abs(steps) > 1).all()
        ):
            dates = pd.DatetimeIndex(pd.to_datetime(numbers.to_numpy(), unit=unit))
            return Times(dates, f"{texts.iloc[0]} read as {unit} since 1970, times in UTC")
    return Times(numbers)


def _written_weeks(texts: pd.Series) -> pd.Series | None:
    """Return 201627 as 2016-W27 if all numbers are weeks, of more than one year, or None.

    Numbers of a single year may be counts, and 160131 with days up to 31 a day.
    """
    parts = _all(texts, WEEK_DIGITS)
    if parts is None or parts[0].nunique() == 1 or parts[1].max() <= "31":
        return None
    return parts[0] + "-W" + parts[1]


def _decimal_years(texts: pd.Series) -> Times | None:
    """Return 2000.25 as a quarter or month, 2000.0 as a year, 2000.01 to 2000.12 as months."""
    if not texts.str.fullmatch(DECIMAL_YEAR).all():
        return None
    parts = _all(texts, YEAR_AND_MONTH)
    if parts is not None and parts[1].astype(int).between(1, 12).all():
        months = _months(parts[0], parts[1])
        if len(months) > 1 and (np.diff(months.asi8) == 1).all():
            return Times(months, f"{texts.iloc[0]} read as the month {months[0]}")
    years = texts.str.replace(",", ".").astype(float).to_numpy()
    if (years == np.floor(years)).all():
        return Times(pd.Index(years.astype("int64")))
    if (years - np.floor(years) == 0.5).all():
        return Times(pd.Index(np.floor(years).astype("int64")), "middles of years read as years")
    for per_year, freq, word in ((4, "Q", "quarter"), (12, "M", "month")):
        for shift in (0.0, 0.5):  # where the time begins, or its middle
            steps = years * per_year - shift
            counts = np.round(steps).astype("int64")
            if np.abs(steps - counts).max() < 0.13 and (np.diff(counts) >= 1).all():
                month = counts % per_year * (12 // per_year) + 1
                index = _months(pd.Series(counts // per_year), pd.Series(month)).asfreq(freq)
                return Times(index, f"{texts.iloc[0]} read as the {word} {index[0]}")
    return None


def _periods(texts: pd.Series) -> Times | None:
    """Return 2000M01, 01.2000, 2000Q1 and Q1 2000 as periods.

    12.1990 alone could be a number: months have a leading zero, or are several months of the year.
    """
    if (parts := _all(texts, MONTH)) is not None and parts[1].astype(int).between(1, 12).all():
        return Times(_months(parts[0], parts[1]))
    if (parts := _all(texts, MONTH_FIRST)) is not None and (
        parts[0].nunique() > 1 or parts[0].iloc[0].startswith("0")
    ):
        months = _months(parts[1], parts[0])
        return Times(months, f"{texts.iloc[0]} read as the month {months[0]}")
    if (parts := _all(texts, QUARTER)) is not None:
        return Times(pd.PeriodIndex(parts[0] + "Q" + parts[1], freq="Q"))
    if (parts := _all(texts, QUARTER_FIRST)) is not None:
        return Times(pd.PeriodIndex(parts[2] + "Q" + parts[0].fillna(parts[1]), freq="Q"))
    return None


def _weeks(texts: pd.Series, shown: str | None = None) -> Times | None:
    """Return ISO weeks as their Mondays, or as the day that they name."""
    parts = _all(texts, WEEK)
    if parts is None:
        return None
    days = parts[0] + "-" + parts[1].str.zfill(2) + "-" + parts[2].fillna("1")
    dates = _parsed(days, "%G-%V-%u")
    told = f"{shown or texts.iloc[0]} read as the ISO week, each week by its Monday"
    return None if dates is None else Times(dates, told if parts[2].isna().all() else None)


def _financial_years(texts: pd.Series) -> Times | None:
    """Return 2000/01 and 2000-2001 as the years in which they begin.

    2000/01 alone is a month.
    """
    parts = _all(texts, FINANCIAL_YEAR)
    if parts is None or (parts[0].nunique() == 1 and 1 <= int(parts[1].iloc[0]) <= 12):
        return None
    begun, ended = parts[0].astype("int64"), parts[1].astype("int64")
    if not ended.eq((begun + 1).where(parts[1].str.len() == 4, (begun + 1) % 100)).all():
        return None
    told = f"{texts.iloc[0]} read as the year that begins in {begun.iloc[0]}"
    return Times(pd.Index(begun.to_numpy()), told)


def _named_months(texts: pd.Series) -> Times | None:
    """Return Jan-00 and 4 July 2016 as months and dates; two digits of a year find a century."""
    if not any(character.isalpha() for character in texts.iloc[0]):
        return None
    named = _with_short_names(texts)
    for written in (*OF_MONTHS, *OF_DAYS):
        dates = _parsed(named, written)
        if dates is None:
            continue
        told = None
        if "%y" in written:
            dates = _in_one_century(dates)
            told = f"{texts.iloc[0]} read as {dates[0]:%B %Y}"
        return Times(dates.to_period("M") if written in OF_MONTHS else dates, told)
    return None


def _with_short_names(texts: pd.Series) -> pd.Series:
    """Return dates with months such as Jan, where the first date names its month."""
    if not any(word.lower() in SHORT_NAMES for word in WORD.findall(texts.iloc[0])):
        return texts

    def shortened(word: re.Match[str]) -> str:
        return SHORT_NAMES.get(word[1].lower(), word[0])

    return texts.str.replace(" de ", " ").str.replace(WORD, shortened, regex=True)


def _in_one_century(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return dates of two-digit years so that none lies far ahead and no century is left out.

    The digits 69 to 99 stand for 1969 to 1999, 00 to 68 for 2000 to 2068: a series from the
    sixties would jump a century back.
    """
    years, latest = dates.year.to_numpy(), dt.date.today().year + YEARS_AHEAD
    wrong = years > latest
    jumps = np.flatnonzero((years[:-1] == 2068) & (years[1:] == 1969))
    if len(jumps):
        wrong |= np.arange(len(dates)) <= jumps[0]
    return pd.DatetimeIndex(
        [
            date - pd.DateOffset(years=100) if back else date
            for date, back in zip(dates, wrong, strict=True)
        ]
    )


def _with_offsets(texts: pd.Series) -> Times | None:
    """Return times with offsets from UTC: on the clock of the place for days, else in UTC.

    Days begin at midnight of the place, summer or winter; hours go on through the night in which
    a clock is put forward.
    """
    if not re.search(r"\d:\d{2}", texts.iloc[0]) or not texts.str.contains(OFFSET).all():
        return None
    try:
        written = "ISO8601" if ISO_DATE.match(texts.iloc[0]) else None
        bare = texts.str.replace(OFFSET, "", regex=True)
        clock = pd.DatetimeIndex(pd.to_datetime(bare, format=written))
        universal = pd.DatetimeIndex(pd.to_datetime(texts, utc=True, format=written))
        universal = universal.tz_localize(None)
    except ValueError:
        return None
    offsets = texts.str.extract(f"({OFFSET.pattern})")[0]
    if offsets.nunique() == 1:
        return Times(clock, f"times as on the clock at {offsets[0].strip()}")
    if clock.is_unique and (clock - clock.normalize()).nunique() == 1:
        return Times(clock, "times as on the clock of the place")
    return Times(universal, "times in UTC, for their offsets change")


_READERS: tuple[Callable[[pd.Series], Times | None], ...] = (
    _whole_numbers,
    _decimal_years,
    _periods,
    _weeks,
    _financial_years,
    _named_months,
    _with_offsets,
)


def _dates(texts: pd.Series, day_first: bool | None) -> Times | None:
    """Return text with a day, a month and a year as dates."""
    if ISO_DATE.match(texts.iloc[0]):
        try:
            return Times(pd.DatetimeIndex(pd.to_datetime(texts, format="ISO8601")))
        except ValueError:
            return None
    if not texts.str.contains(FULL_DATE).all():  # more than dateutil asks of a date
        return None
    parts = texts.str.extract(DAY_AND_MONTH)
    if parts.notna().all(axis=None):
        return _days_and_months(texts, parts, day_first)
    dates = _mixed(texts, day_first=False)
    return None if dates is None else Times(dates)


def _days_and_months(texts: pd.Series, parts: pd.DataFrame, day_first: bool | None) -> Times | None:
    """Return 3/4/2016 as a date, as numbers above 12 tell, else so that the dates are regular.

    Where that does not tell either, 3.4.2016 is a day of April, 3/4/2016 and 3-4-2016 of March.
    """
    first, second = (parts[place].astype(int).max() for place in (0, 1))
    if min(first, second) > 12:
        return None
    is_open = max(first, second) <= 12
    is_guess = False
    readings = [_mixed(texts, day_first=choice) for choice in (False, True)] if is_open else []
    if not is_open:
        if day_first is not None and day_first != (first > 12):
            return None
        day_first = bool(first > 12)
    elif day_first is None:
        regular = [dates is not None and _is_regular(dates) for dates in readings]
        is_guess = regular[0] == regular[1]
        day_first = "." in texts.iloc[0] if is_guess else regular[1]
    dates = readings[day_first] if is_open else _mixed(texts, day_first=day_first)
    if dates is None:
        return None
    has_century = not parts[2].str.len().eq(2).all()
    dates = dates if has_century else _in_one_century(dates)
    told = f"{texts.iloc[0]} read as {dates[0].day} {dates[0]:%B %Y}"
    if is_open and not (parts[0] == parts[1]).all():
        other = "month-first" if day_first else "day-first"
        told = f"{told} (--dates {other} decides otherwise)"
        return Times(dates, Guess(told) if is_guess else told)
    return Times(dates, None if has_century else told)


def _mixed(texts: pd.Series, *, day_first: bool) -> pd.DatetimeIndex | None:
    try:
        return pd.DatetimeIndex(pd.to_datetime(texts, dayfirst=day_first))  # a single format
    except ValueError:
        try:
            return pd.DatetimeIndex(pd.to_datetime(texts, format="mixed", dayfirst=day_first))
        except ValueError:
            return None


def _is_regular(dates: pd.DatetimeIndex) -> bool:
    return len(dates) > 2 and dates.is_unique and pd.infer_freq(dates) is not None
