"""Text as numbers: which mark stands before the decimals, which between thousands."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from samovar_forecast.frames.text_table import MISSING, NUMBER, Guess

Decimal = Literal[".", ","]
OTHER: dict[Decimal, Decimal] = {".": ",", ",": "."}
"""The mark that may stand between thousands, by the mark before decimals."""

BLANKS = " \u00a0\u202f"
"""Blanks that may stand between thousands, the narrow ones too."""
SIGNS = str.maketrans({"\u2212": "-", "\u2019": "'"})
"""Typographic minus and apostrophe, as statistical offices write them."""
PLAIN = frozenset("0123456789+-.eE")
"""What stands in numbers without thousands, the decimal mark being a point."""
BETWEEN = "\x1f"
"""Between cells that are looked at together: ASCII's own separator, which no number holds."""
DIGITS = frozenset("0123456789")
CELLS_LOOKED_AT = 1000
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}")
"""A number with a mark that may stand before decimals or after thousands."""


class Marks(NamedTuple):
    """How the numbers of a file are written."""

    decimal: Decimal
    told: str | None = None


def is_missing(column: pd.Series) -> np.ndarray:
    """Return which cells of a column stand for a missing value."""
    if column.dtype != object:
        return column.isna().to_numpy()
    return np.array([_is_missing(cell) for cell in column], dtype=bool)


def _is_missing(cell: object) -> bool:
    if isinstance(cell, str):
        return cell[:1] not in DIGITS and cell.lower() in MISSING
    return bool(pd.isna(cell))


def looks_numeric(column: pd.Series) -> bool:
    """Return whether most cells of a column look like numbers; missing cells do not count.

    Of a long column, cells at equal distances are looked at.
    """
    if column.dtype != object:
        return pd.api.types.is_numeric_dtype(column.dtype)
    known = column[~is_missing(column)]
    known = known.iloc[:: max(1, len(known) // CELLS_LOOKED_AT)]
    fits = sum(NUMBER.fullmatch(str(cell).translate(SIGNS)) is not None for cell in known)
    return 2 * fits > len(known) or not len(known)


def choose_marks(
    columns: Sequence[pd.Series],
    separator: str | None,
    decimal: Decimal | None,
    *,
    points_in_dates: bool = False,
) -> Marks:
    """Return the decimal mark under which the most cells are numbers.

    Where both marks serve all cells, as with 1,234 alone, a point is decimal, and so is a comma,
    unless commas stand between the columns. Beside dates such as 04.07.2016 a point stands
    between thousands, unless commas stand between the columns.

    Parameters
    ----------
    columns : sequence of Series
        Columns of text that look like numbers.
    separator : str or None
        Character between the columns of the file.
    decimal : {".", ","}, optional
        What the user says.
    points_in_dates : bool, default=False
        Whether the dates of the file are written as 04.07.2016.
    """
    marked = {
        cell if cell.isascii() else cell.translate(SIGNS)
        for column in columns
        if column.dtype == object
        for cell in column
        if isinstance(cell, str) and ("," in cell or "." in cell) and not _is_missing(cell)
    }
    if decimal is None:
        decimal = _only_mark(marked)
    if decimal is None:
        both = {cell for cell in marked if GROUPED.fullmatch(cell)}
        telling = marked - both
        point, comma = (sum(_fits(cell, mark) for cell in telling) for mark in (".", ","))
        if point != comma:
            decimal = "." if point > comma else ","
        else:
            commas = sorted(cell for cell in both if "," in cell)
            is_comma = commas or (both and points_in_dates)
            decimal = "," if is_comma and separator != "," else "."
            if both and (commas or separator != ","):
                return Marks(decimal, _told_of((commas or sorted(both))[0], decimal))
    return Marks(decimal, "decimal commas" if decimal == "," else None)


def _only_mark(cells: set[str]) -> Decimal | None:
    """Return the mark that all cells have, once each, if a cell shows that it is decimal."""
    for mark, other in ((".", ","), (",", ".")):
        alone = not any(other in cell or cell.count(mark) > 1 for cell in cells)
        if alone and any(not GROUPED.fullmatch(cell) for cell in cells):
            return mark  # type: ignore[return-value]
    return None


def to_numbers(column: pd.Series, decimal: Decimal) -> tuple[np.ndarray, np.ndarray]:
    """Return a column as numbers, and which cells are neither a number nor missing.

    Returns
    -------
    values : float64 array of shape (n_rows,)
        NaN where a cell is missing or bad.
    bad : bool array of shape (n_rows,)
    """
    if pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(dtype=float, na_value=np.nan)
        return values, np.isinf(values)
    missing = is_missing(column)
    values = np.full(len(column), np.nan)
    text = BETWEEN.join(map(str, column[~missing])).translate(SIGNS)
    cells = text.split(BETWEEN) if text else []
    plain = text if decimal == "." else text.translate({ord("."): ",", ord(","): "."})
    if PLAIN.issuperset(plain.replace(BETWEEN, "")):  # no thousands: at once
        with contextlib.suppress(ValueError):
            values[~missing] = np.array(plain.split(BETWEEN) if text else [], dtype=float)
            values[np.isinf(values)] = np.nan
            return values, np.isnan(values) & ~missing
    other = OTHER[decimal]
    bare = str.maketrans({decimal: ".", **dict.fromkeys(f"{other}'{BLANKS}")})
    usable = np.array([_fits(cell, decimal) for cell in cells], dtype=bool)
    at = np.flatnonzero(~missing)[usable]
    values[at] = [float(cells[row].translate(bare)) for row in np.flatnonzero(usable)]
    values[np.isinf(values)] = np.nan
    return values, np.isnan(values) & ~missing


def _pattern(decimal: str, other: str) -> re.Pattern[str]:
    mark = re.escape(decimal)
    whole = rf"(?:\d+|[1-9]\d{{0,2}}(?:([{re.escape(other)}'{BLANKS}])\d{{3}})(?:\1\d{{3}})*)"
    return re.compile(rf"[+-]?(?:{whole}(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d+)?")


_NUMBERS = {".": _pattern(".", ","), ",": _pattern(",", ".")}


def _fits(cell: str, decimal: str) -> bool:
    return _NUMBERS[decimal].fullmatch(cell) is not None


def _told_of(cell: str, decimal: str) -> Guess:
    """Return how a cell that can be read in two ways is read, and what decides otherwise."""
    mark = "," if "," in cell else "."
    whole = cell.replace(mark, "")
    read = cell.replace(mark, ".") if mark == decimal else whole
    return Guess(
        f"{cell} read as {read} (--decimal {'.' if decimal == ',' else ','} reads "
        f"{whole if read != whole else cell.replace(mark, '.')})"
    )
