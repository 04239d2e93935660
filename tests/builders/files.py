"""Files of series as people have them: each kind with the frame that it holds.

Every kind holds two series, `a` and `b`; what differs is how times and numbers are written.
"""

from __future__ import annotations

import gzip
from typing import NamedTuple

import numpy as np
import pandas as pd

A = [1.5, 2.25, 3.0, 4.75, 5.5, 6.0]
B = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
MONTHS = pd.date_range("2000-01-01", periods=6, freq="MS")


class Kind(NamedTuple):
    """A file, the index and the numbers that it holds, and words that tell how it was read."""

    content: bytes
    index: pd.Index
    a: list[float]
    b: list[float]
    told: str = ""


def text(times: list[str], separator: str = ",", end: str = "\n", head: str = "time") -> str:
    lines = [separator.join((head, "a", "b"))]
    lines += [
        separator.join((time, f"{a:g}", f"{b:g}")) for time, a, b in zip(times, A, B, strict=True)
    ]
    return end.join(lines) + end


def kind(
    content: str | bytes,
    index: pd.Index = MONTHS,
    told: str = "",
    a: list[float] = A,
    b: list[float] = B,
) -> Kind:
    return Kind(content if isinstance(content, bytes) else content.encode(), index, a, b, told)


def months(freq: str) -> pd.PeriodIndex:
    return pd.period_range("2000-01", periods=6, freq=freq)


PLAIN = text([f"{date:%Y-%m-%d}" for date in MONTHS])
LONG = "unique_id,ds,y\n" + "".join(
    f"{name},{date:%Y-%m-%d},{value:g}\n"
    for name, values in (("a", A), ("b", B))
    for date, value in zip(MONTHS, values, strict=True)
)
BUSINESS = pd.bdate_range("2023-12-21", periods=9)
HOLIDAYS = BUSINESS.drop(["2023-12-25", "2023-12-26", "2024-01-01"])
HOURS = pd.date_range("2024-03-30 22:00", periods=6, freq="h")
nan = np.nan
ON_BUSINESS_DAYS = [
    list(pd.Series(values, HOLIDAYS).reindex(BUSINESS)) for values in (A, B)
]  # Monday 25 and Tuesday 26 December and New Year are missing

KINDS = {
    "plain": kind(PLAIN),
    "semicolons and decimal commas": kind(
        text([f"{date:%d.%m.%Y}" for date in MONTHS], ";")
        .replace("1.5", "1,5")
        .replace("2.25", "2,25")
        .replace("4.75", "4,75")
        .replace("5.5", "5,5"),
        told="semicolons between the columns; decimal commas",
    ),
    "tabs": kind(PLAIN.replace(",", "\t"), told="tabs between the columns"),
    "vertical bars": kind(PLAIN.replace(",", "|"), told="vertical bars"),
    "spaces": kind(PLAIN.replace(",", "   "), told="spaces between the columns"),
    "Excel's own line and lines below": kind(
        f"sep=;\r\n{PLAIN.replace(',', ';')}".replace("\n", "\r\n") + ";;\r\n;;\r\n"
    ),
    "separators at the end of lines": kind(PLAIN.replace("\n", ",\n")),
    "blank lines": kind("\n" + PLAIN.replace("\n", "\n\n")),
    "thousands with commas": kind(
        PLAIN.replace(",10\n", ',"1,234,567.5"\n').replace(",20\n", ',"2,000"\n'),
        b=[1234567.5, 2000.0, *B[2:]],
    ),
    "thousands with points": kind(
        PLAIN.replace(",", ";")
        .replace("1.5", "1.234,5")
        .replace("2.25", "2,25")
        .replace("4.75", "4,75")
        .replace("5.5", "5,5"),
        a=[1234.5, *A[1:]],
        told="decimal commas",
    ),
    "thousands with blanks": kind(
        PLAIN.replace(",10\n", ",1 234\n").replace(",20\n", ",2\u202f000.5\n"),
        b=[1234.0, 2000.5, *B[2:]],
    ),
    "thousands with apostrophes": kind(PLAIN.replace(",10\n", ",1'234.5\n"), b=[1234.5, *B[1:]]),
    "1,234 beside points": kind(PLAIN.replace(",10\n", ',"1,234"\n'), b=[1234.0, *B[1:]]),
    "1,234 between commas": kind(
        "time,a,b\n"
        + "".join(f'{date:%Y-%m-%d},"{k},234",{k}\n' for k, date in enumerate(MONTHS, 1)),
        a=[1000.0 * k + 234 for k in range(1, 7)],
        b=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        told="1,234 read as 1234 (--decimal , reads 1.234)",
    ),
    "1,234 between semicolons": kind(
        "time;a;b\n"
        + "".join(f"{date:%Y-%m-%d};{k},234;{k}\n" for k, date in enumerate(MONTHS, 1)),
        a=[k + 0.234 for k in range(1, 7)],
        b=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        told="1,234 read as 1.234 (--decimal . reads 1234)",
    ),
    "a byte order mark": kind(b"\xef\xbb\xbf" + PLAIN.encode()),
    "UTF-16": kind(PLAIN.encode("utf-16")),
    "compressed": kind(gzip.compress(PLAIN.encode())),
    "missing cells": kind(
        PLAIN.replace("2.25", "").replace(",30\n", ",NA\n").replace(",50\n", ",..\n"),
        a=[1.5, nan, *A[2:]],
        b=[10.0, 20.0, nan, 40.0, nan, 60.0],
        told="3 cells without a value, 2 of them in 'b'",
    ),
    "business days with holidays": kind(
        text([f"{date:%d/%m/%Y}" for date in HOLIDAYS]),
        BUSINESS,
        a=ON_BUSINESS_DAYS[0],
        b=ON_BUSINESS_DAYS[1],
        told="business days, 3 missing times added as rows without values, the first 2023-12-25",
    ),
    "a missing month": kind(
        PLAIN.replace("2000-03-01,3,30\n", ""),
        a=[*A[:2], nan, *A[3:]],
        b=[*B[:2], nan, *B[3:]],
        told="1 missing time added as a row without values, 2000-03-01",
    ),
    "a date somewhere in each month": kind(
        text(["2000-01-03", "2000-02-01", "2000-03-01", "2000-04-03", "2000-05-02", "2000-06-01"]),
        months("M"),
        told="a date in each of the months, read as months",
    ),
    "newest first": kind(
        "\n".join([PLAIN.splitlines()[0], *PLAIN.splitlines()[:0:-1]]),
        told="rows turned round, the newest came first",
    ),
    "series below one another": kind(LONG, told="series below one another, named by 'unique_id'"),
    "series below one another, under other names": kind(
        LONG.replace("unique_id,ds,y", "Region,Date,Sales"), told="named by 'Region'"
    ),
    "series below one another, time by time": kind(
        "when,what,value\n"
        + "".join(
            f"{date:%Y-%m-%d},{name},{value:g}\n"
            for date, *values in zip(MONTHS, A, B, strict=True)
            for name, value in zip("ab", values, strict=True)
        ),
        told="named by 'what'",
    ),
    "series of unequal length below one another": kind(
        LONG.replace("b,2000-01-01,10\n", ""),
        b=[nan, *B[1:]],
        told="1 cell without a value, in 'b'",
    ),
    "2000M01": kind(text([f"2000M0{k}" for k in range(1, 7)]), months("M")),
    "2015m1": kind(
        text([f"2015m{k}" for k in range(7, 13)]),
        pd.period_range("2015-07", periods=6, freq="M"),
    ),
    "2000Q1": kind(
        text([f"{2000 + k // 4}Q{k % 4 + 1}" for k in range(6)]),
        pd.period_range("2000Q1", periods=6, freq="Q"),
    ),
    "Q1 2000": kind(
        text([f"Q{k % 4 + 1} {2000 + k // 4}" for k in range(6)]),
        pd.period_range("2000Q1", periods=6, freq="Q"),
    ),
    "2000-W01": kind(
        text([f"2000-W0{k}" for k in range(1, 7)]),
        pd.date_range("2000-01-03", periods=6, freq="7D"),
        told="2000-W01 read as the ISO week, each week by its Monday",
    ),
    "200001": kind(
        text([f"20000{k}" for k in range(1, 7)]), months("M"), told="200001 read as a month"
    ),
    "20000101": kind(text([f"{date:%Y%m%d}" for date in MONTHS])),
    "Jan-00": kind(
        text([f"{date:%b-%y}" for date in MONTHS]),
        months("M"),
        told="Jan-00 read as January 2000",
    ),
    "Dec-68": kind(
        text(["Oct-68", "Nov-68", "Dec-68", "Jan-69", "Feb-69", "Mar-69"]),
        pd.period_range("1968-10", periods=6, freq="M"),
        told="Oct-68 read as October 1968",
    ),
    "1 January 2000": kind(text([f"{date.day} {date:%B %Y}" for date in MONTHS])),
    "2000.25": kind(
        text([f"{2000 + k / 4:.2f}" for k in range(6)]),
        pd.period_range("2000Q1", periods=6, freq="Q"),
        told="2000.00 read as the quarter 2000Q1",
    ),
    "2000.083": kind(
        text([f"{2000 + k / 12:.3f}" for k in range(6)]),
        months("M"),
        told="2000.000 read as the month 2000-01",
    ),
    "middles of months, by the day": kind(
        text(["1958.2027", "1958.2877", "1958.3699", "1958.4548", "1958.5370", "1958.6219"]),
        pd.period_range("1958-03", periods=6, freq="M"),
        told="1958.2027 read as the month 1958-03",
    ),
    "2000.10 after 2000.09": kind(
        text(["2000.07", "2000.08", "2000.09", "2000.10", "2000.11", "2000.12"]),
        pd.period_range("2000-07", periods=6, freq="M"),
        told="2000.07 read as the month 2000-07",
    ),
    "years": kind(text([str(year) for year in range(2000, 2006)]), pd.Index(range(2000, 2006))),
    "years with a decimal": kind(
        text([f"{year}.0" for year in range(2000, 2006)]), pd.Index(range(2000, 2006))
    ),
    "hours with offsets, across summer time": kind(
        text(
            [str(t).replace(" ", "T") for t in HOURS.tz_localize("UTC").tz_convert("Europe/Paris")]
        ),
        HOURS,
        told="times in UTC, for their offsets change",
    ),
    "days with offsets, across summer time": kind(
        text([str(t) for t in pd.date_range("2024-03-28", periods=6, freq="D", tz="Europe/Paris")]),
        pd.date_range("2024-03-28", periods=6, freq="D"),
        told="times as on the clock of the place",
    ),
    "hours of Z": kind(text([f"{t:%Y-%m-%dT%H:%MZ}" for t in HOURS]), HOURS, told="at Z"),
    "seconds since 1970": kind(
        text([str(int(t.timestamp())) for t in HOURS]),
        HOURS,
        told="read as s since 1970, times in UTC",
    ),
    "milliseconds since 1970": kind(
        text([str(int(t.timestamp() * 1000)) for t in HOURS]), HOURS, told="read as ms since 1970"
    ),
    "3/4/2016, ambiguous": kind(
        text([f"{k:02d}/01/2016" for k in range(1, 7)]),
        pd.date_range("2016-01-01", periods=6, freq="MS"),
        told="01/01/2016 read as 1 January 2016 (--dates day-first decides otherwise)",
    ),
}
