"""The cells of a text file: encoding, separator and header are told from the file itself.

The cells stay text. The csv module of the standard library splits the lines, because pandas takes
a line with too few cells for a line with missing cells, and does not say where a cell stands.
"""

from __future__ import annotations

import bz2
import codecs
import contextlib
import csv
import gzip
import io
import lzma
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from samovar_forecast.exceptions import DataError

SEPARATORS = {"\t": "tabs", ";": "semicolons", "|": "vertical bars", ",": "commas", " ": "spaces"}
"""Separators with their names, in the order in which they are tried: a comma may be decimal."""
COMPRESSED = {b"\x1f\x8b": gzip.decompress, b"BZh": bz2.decompress, b"\xfd7zXZ": lzma.decompress}
"""First bytes of compressed files, and what decompresses them."""
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""First bytes of texts that say their encoding."""
OTHER_FILES = {
    b"PK\x03\x04": "an Excel workbook or a zip file",
    b"\xd0\xcf\x11\xe0": "Excel's .xls",
}
MISSING = frozenset(
    ("", "na", "n/a", "n.a.", "#n/a", "nan", "null", "none", "-", "--", ".", "..", "...", ":", "?")
)
"""What stands for a missing value, in lower case."""
LINES_LOOKED_AT = 100
NUMBER = re.compile(r"[+-]?[\d.,'\u2019\u00a0\u202f ]*\d[.,]?(?:[eE][+-]?\d+)?")


class Guess(str):
    """Words on a reading that could be another: the file leaves it open, an option decides."""

    __slots__ = ()


@dataclass(frozen=True)
class Reading:
    """How a text file is to be read; what is None is told from the file.

    Parameters
    ----------
    separator : str, optional
        Character between two cells.
    decimal : {".", ","}, optional
        Mark before the decimals; the other mark may then stand between thousands.
    encoding : str, optional
        Encoding of the text, by a name that Python knows.
    header : bool, optional
        Whether the first line holds the names of the columns.
    day_first : bool, optional
        Whether 3/4/2016 is the third of April, not the fourth of March.
    """

    separator: str | None = None
    decimal: Literal[".", ","] | None = None
    encoding: str | None = None
    header: bool | None = None
    day_first: bool | None = None


@dataclass(frozen=True)
class Table:
    """Columns of a file, before any cell is read as a number or a time.

    Parameters
    ----------
    columns : sequence of (str, Series)
        Name and cells of each column. The cells of a text file are text without blanks at its
        ends; cells of a typed file are as they are.
    lines : int array of shape (n_rows,)
        Number of the line that each row stands in, from 1.
    separator : str, optional
        Character between two cells; None in a typed file.
    told : list of str
        What a reader must know of the reading.
    """

    columns: list[tuple[str, pd.Series]]
    lines: np.ndarray
    separator: str | None = None
    told: list[str] = field(default_factory=list)


def file_content(path: Path) -> bytes:
    """Return the bytes of a file, decompressed.

    Raises
    ------
    DataError
        If there is no file, if the file is damaged, or if it is a workbook. A pipe is a file.
    """
    if path.is_dir():
        raise DataError(f"{str(path)!r} is a folder", wanted="a CSV or Parquet file")
    if not path.exists():
        raise DataError(
            f"there is no file {str(path)!r}",
            remedy="check the path, or give /dev/stdin to read what is piped in",
        )
    content = path.read_bytes()
    for mark, decompress in COMPRESSED.items():
        if content.startswith(mark):
            try:
                content = decompress(content)
            except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
                raise DataError(f"{path} cannot be decompressed", found=error) from error
    for mark, name in OTHER_FILES.items():
        if content.startswith(mark):
            raise DataError(
                f"{path} is no text", found=name, wanted="CSV or Parquet", remedy="save it as CSV"
            )
    return content


def read_text_table(path: Path, content: bytes, reading: Reading) -> Table:
    """Return the cells of a text file.

    Parameters
    ----------
    path : Path
        The file, for messages.
    content : bytes
        Content of the file.
    reading : Reading
        What the user says of the file.

    Raises
    ------
    DataError
        If the content is no text, if there is no line, or if a line has another number of cells
        than the first; the message names the line.
    """
    told: list[str] = []
    text = _decoded(path, content, reading.encoding, told)
    separator = reading.separator
    if text[:4].lower() == "sep=":  # Excel's own note to itself
        first, _, text = text.partition("\n")
        separator, text = separator or first[4:5], f"\n{text}"
    try:
        separator = separator or _separator_of(text)
        rows = list(_split(text, separator))
    except csv.Error as error:
        raise DataError(f"{path} cannot be read as CSV", found=error) from error
    if separator != ",":
        told.append(f"{SEPARATORS.get(separator, repr(separator))} between the columns")
    n_empty = 0
    while rows and not any(rows[-1][1]):  # Excel leaves such lines below a table
        n_empty += bool(rows.pop()[1])
    if n_empty:
        told.append(f"{n_empty} lines of separators alone left out at the end")
    rows = rows[next((place for place, (_, cells) in enumerate(rows) if any(cells)), 0) :]
    if not rows:
        raise DataError(f"{path} cannot be read as CSV", found="no line with text")
    width = Counter(len(cells) for _, cells in rows[:LINES_LOOKED_AT]).most_common(1)[0][0]
    # Between the rows of a single column, a blank line is a missing value.
    rows = [(line, cells or [""]) for line, cells in rows if cells or width == 1]
    for line, cells in rows:
        if len(cells) != width:
            raise DataError(
                f"{path} cannot be read as CSV",
                found=f"{len(cells)} cells in line {line}, {width} in most lines, between "
                f"{SEPARATORS.get(separator, repr(separator))}",
                remedy="correct or remove the line, quote cells that hold the separator, or name "
                "the separator with --separator",
            )
    header = reading.header
    if header is None:
        header, is_sure = _has_header([cells for _, cells in rows[:LINES_LOOKED_AT]])
        if not header:
            told.append(
                Guess(
                    f"line {rows[0][0]} taken for values, not for names (--header yes decides "
                    f"otherwise), the columns called column_1 to column_{width}"
                )
            )
        elif not is_sure:
            told.append(
                Guess(
                    f"line {rows[0][0]} taken for names: {', '.join(rows[0][1][:4])} (--header no "
                    "decides otherwise)"
                )
            )
    elif header and not _has_header([cells for _, cells in rows[:LINES_LOOKED_AT]])[0]:
        told.append(
            f"line {rows[0][0]}, which looks like values, taken for names by --header yes: "
            f"{', '.join(rows[0][1][:4])}"
        )
    names = rows[0][1] if header else [""] * width
    body = rows[1:] if header else rows
    columns = []
    for place, name in enumerate(names):
        cells = [row[place] for _, row in body]
        if not name and not any(cells):  # each line ends with a separator
            continue
        if not name:
            name = "time" if header and place == 0 else f"column_{place + 1}"
            if header and place:
                told.append(f"column {place + 1} without a name called {name}")
        columns.append((name, pd.Series(cells, dtype=object)))
    return Table(columns, np.array([line for line, _ in body], dtype=int), separator, told)


def _decoded(path: Path, content: bytes, encoding: str | None, told: list[str]) -> str:
    """Return the content as text; what is not UTF-8 is told."""
    marked = next((name for mark, name in BYTE_ORDER_MARKS.items() if content.startswith(mark)), "")
    try:
        if encoding is not None:
            text = content.decode(encoding).lstrip("\ufeff")
            if marked and text != content.decode(marked):
                raise DataError(
                    f"{path} is not written in {encoding}",
                    found=f"the byte order mark of {marked}",
                    remedy="leave --encoding out",
                )
            with contextlib.suppress(UnicodeDecodeError):
                if text != content.decode("utf-8").lstrip("\ufeff"):
                    told.append(f"text in {encoding} by --encoding, though it reads as utf-8 too")
            return text
        if marked:
            return content.decode(marked)
        if b"\0" in content[:4096]:
            raise DataError(f"{path} is no text", found="bytes of zero", remedy="save it as CSV")
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            told.append("text in Windows' Latin-1 (--encoding)")
            return content.decode("cp1252", errors="replace")
    except (LookupError, UnicodeError) as error:
        raise DataError(
            f"{path} cannot be read as text", found=error, remedy="name another --encoding"
        ) from error


def _split(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each line and its cells; a blank line has none."""
    if separator == " ":
        yield from ((line, row.split()) for line, row in enumerate(text.splitlines(), 1) if row)
        return
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    line = 1
    for cells in rows:
        yield line, [cell.strip() for cell in cells]
        line = rows.line_num + 1


def _separator_of(text: str) -> str:
    """Return the separator that cuts the most lines into equally many cells, two at least."""
    best, largest = ",", 0.0
    for separator in SEPARATORS:
        lines = islice((cells for _, cells in _split(text, separator) if cells), LINES_LOOKED_AT)
        widths = Counter(map(len, lines))
        width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(1, 0))
        share = count / max(1, widths.total()) if width > 1 else 0.0
        if share > largest:
            best, largest = separator, share
    return best


def kind_of(cell: str) -> str:
    """Return whether a cell is missing, a number, text with a digit (a date, say), or words."""
    if cell.lower() in MISSING:
        return "missing"
    if NUMBER.fullmatch(cell):
        return "number"
    return "digits" if any(character.isdigit() for character in cell) else "words"


def _has_header(rows: list[list[str]]) -> tuple[bool, bool]:
    """Return whether the first row holds names, and whether that is beyond doubt.

    A column votes for names if its first cell is of a kind that no cell below has. Names may be
    numbers (2019, 2020), and a value may be missing: a missing first cell votes in the first
    column alone, where the others are times. There is doubt if columns disagree and the first
    column does not begin with a word.
    """
    for_names = for_values = 0
    for place, cell in enumerate(rows[0]):
        first = kind_of(cell)
        below = {kind_of(row[place]) for row in rows[1:]}
        if not below - {"missing"}:
            continue
        if first == "missing":
            for_names += place == 0 and "missing" not in below
        elif first not in below:
            for_names += 1
        else:
            for_values += first != "words"
    is_sure = kind_of(rows[0][0]) == "words" or not (for_names and for_values)
    return bool(for_names) or not for_values, is_sure
