"""Files that a command writes: never over a file that it reads, and whole or not at all."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from samovar_forecast.bundle import write_file
from samovar_forecast.exceptions import ConfigurationError, MissingPackageError

if TYPE_CHECKING:
    import pandas as pd

TABLES = (".csv", ".csv.gz", ".json", ".parquet")
"""Formats of tables, by the end of the file's name."""
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings of a text that a spreadsheet takes for a formula, and runs."""


def check_outputs(outputs: Sequence[Path | None], inputs: Sequence[Path | None]) -> None:
    """Check the files to write before the work begins, and make their folders.

    Raises
    ------
    ConfigurationError
        If a file to write is a folder, is read by the same command, or is named twice.
    """
    taken = [(file, "is read by this command, and would be lost") for file in inputs if file]
    for output in outputs:
        if output is None:
            continue
        if output.is_dir():
            raise ConfigurationError(
                f"{output} is a folder", wanted="the name of a file", remedy="add one to it"
            )
        for other, why in taken:
            if _is_same(output, other):
                raise ConfigurationError(
                    f"{output} {why}", wanted="another name for the file to write"
                )
        taken.append((output, "is to be written twice by this command"))
        output.parent.mkdir(parents=True, exist_ok=True)


def _is_same(first: Path, second: Path) -> bool:
    if first.exists() and second.exists():
        return first.samefile(second)  # a link, or another case of the letters
    return first.resolve() == second.resolve()


def table_format(path: Path) -> str:
    """Return the end of a name that says the format of its table.

    Raises
    ------
    ConfigurationError
        If no format has this end.
    MissingPackageError
        If the format is Parquet and pyarrow is not installed.
    """
    for suffix in TABLES:
        if path.name.lower().endswith(suffix):
            break
    else:
        raise ConfigurationError(
            f"{path} names no format of a table",
            found=repr(path.suffix),
            wanted=f"a name that ends in {', '.join(TABLES)}",
        )
    if suffix == ".parquet" and find_spec("pyarrow") is None:
        raise MissingPackageError(
            f"{path}: Parquet needs the package 'pyarrow', which is not installed",
            remedy="install it with: pip install 'samovar_forecast[parquet]'; or write CSV",
        )
    return suffix


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, JSON or Parquet, by the end of the name.

    In CSV, a text that a spreadsheet would take for a formula stands behind an apostrophe.

    Parameters
    ----------
    table : DataFrame
        Its index is not written. Times become text, as ISO 8601 writes them.
    path : Path

    Raises
    ------
    ConfigurationError
        If no format has the end of the name.
    """
    suffix = table_format(path)
    # JSON and Parquet know no periods; dates without a clock look like dates.
    table = table.assign(
        **{
            name: column.astype(str)
            for name, column in table.items()
            if column.dtype.kind == "M" or hasattr(column.dtype, "freq")
        }
    )
    if suffix == ".json":
        content = _as_json(table).encode()
    elif suffix == ".parquet":
        content = table.to_parquet(index=False)
    else:
        texts = {name: table[name].map(harmless) for name in table.select_dtypes(exclude="number")}
        content = table.assign(**texts).rename(columns=harmless).to_csv(index=False).encode()
        content = gzip.compress(content) if suffix == ".csv.gz" else content
    write_file(path, content)


def _as_json(table: pd.DataFrame) -> str:
    """Return the rows as JSON objects: numbers with all of their digits, a gap as null."""
    is_known = table.notna() & ~table.isin([math.inf, -math.inf])
    rows = table.astype(object).where(is_known, None).to_dict("records")
    return json.dumps(rows, indent=2, allow_nan=False)


def harmless(cell: object) -> object:
    """Return a text that begins like a formula behind an apostrophe, anything else as it is."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULAS) else cell
