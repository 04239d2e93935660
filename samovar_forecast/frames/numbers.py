"""Text as numbers: which mark stands before the decimals, which between thousands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from samovar_forecast.frames.text_table import MISSING, NUMBER

Decimal = Literal[".", ","]

BLANKS = " \u00a0\u202f"
"""Blanks that may stand between thousands, the narrow ones too."""
SIGNS = str.maketrans({"\u2212": "-", "\u2019": "'"})
"""Typographic minus and apostrophe, as statistical offices write them."""
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
    return np.array(
        [cell.lower() in MISSING if isinstance(cell, str) else pd.isna(cell) for cell in column],
        dtype=bool,
    )


def looks_numeric(column: pd.Series) -> bool:
    """Return whether most cells of a column look like numbers; missing cells do not count."""
    if column.dtype != object:
        return pd.api.types.is_numeric_dtype(column.dtype)
    known = column[~is_missing(column)]
    fits = sum(NUMBER.fullmatch(str(cell).translate(SIGNS)) is not None for cell in known)
    return 2 * fits > len(known) or not len(known)


def choose_marks(
    columns: Sequence[pd.Series], separator: str | None, decimal: Decimal | None
) -> Marks:
    """Return the decimal mark under which the most cells are numbers.

    Where both marks serve all cells, as with 1,234 alone, a point is decimal, and so is a comma,
    unless commas stand between the columns.

    Parameters
    ----------
    columns : sequence of Series
        Columns of text that look like numbers.
    separator : str or None
        Character between the columns of the file.
    decimal : {".", ","}, optional
        What the user says.
    """
    cells = {
        cell.translate(SIGNS)
        for column in columns
        if column.dtype == object
        for cell in column
        if isinstance(cell, str) and cell.lower() not in MISSING
    }
    if decimal is None:
        point, comma = (sum(_fits(cell, mark) for cell in cells) for mark in (".", ","))
        if point != comma:
            decimal = "." if point > comma else ","
        else:
            with_comma = any("," in cell for cell in cells)
            decimal = "," if with_comma and separator != "," else "."
            both = sorted(cell for cell in cells if GROUPED.fullmatch(cell))
            commas = [cell for cell in both if "," in cell]
            if both and (commas or separator != ","):
                return Marks(decimal, _told_of(commas[0] if commas else both[0], decimal))
    return Marks(decimal, "decimal commas" if decimal == "," else None)


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
    cells = [str(cell).translate(SIGNS) for cell in column]
    fits = np.array([_fits(cell, decimal) for cell in cells], dtype=bool)
    other = {".": ",", ",": "."}[decimal]
    plain = str.maketrans({decimal: ".", **dict.fromkeys(f"{other}'{BLANKS}")})
    values = np.full(len(cells), np.nan)
    usable = fits & ~missing
    values[usable] = [float(cells[row].translate(plain)) for row in np.flatnonzero(usable)]
    values[np.isinf(values)] = np.nan
    return values, np.isnan(values) & ~missing


def _pattern(decimal: str, other: str) -> re.Pattern[str]:
    mark = re.escape(decimal)
    whole = rf"(?:\d+|[1-9]\d{{0,2}}(?:([{re.escape(other)}'{BLANKS}])\d{{3}})(?:\1\d{{3}})*)"
    return re.compile(rf"[+-]?(?:{whole}(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d+)?")


_NUMBERS = {".": _pattern(".", ","), ",": _pattern(",", ".")}


def _fits(cell: str, decimal: str) -> bool:
    return _NUMBERS[decimal].fullmatch(cell) is not None


def _told_of(cell: str, decimal: str) -> str:
    """Return how a cell that can be read in two ways is read, and what decides otherwise."""
    mark = "," if "," in cell else "."
    whole = cell.replace(mark, "")
    read = cell.replace(mark, ".") if mark == decimal else whole
    return (
        f"{cell} read as {read} (--decimal {'.' if decimal == ',' else ','} reads "
        f"{whole if read != whole else cell.replace(mark, '.')})"
    )
