"""Series in a file as training reads them: an array of float32 in a file, rows below one another.

An array in a file is opened, not read: a batch of windows reads the rows of its windows alone. A
Parquet file is made such an array once, row group by row group.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from samovar_forecast.bundle import write_whole
from samovar_forecast.exceptions import DataError, require
from samovar_forecast.learning.windows import SeriesTensors

__all__ = ["array_from_parquet", "series_from_array"]


def series_from_array(path: str | Path) -> SeriesTensors:
    """Open the series of an array in a file; nothing is read yet.

    Parameters
    ----------
    path : str or Path
        A file of numpy (``.npy``) with an array of float32, (n_time, n_series), NaN where a value
        is missing.

    Returns
    -------
    SeriesTensors
        Its rows are read from the file where a window holds them.

    Raises
    ------
    DataError
        If the file holds another array, or none.
    """
    try:
        values = np.load(path, mmap_mode="c")
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is no array of numpy", found=str(error)) from error
    if values.dtype != np.float32 or values.ndim != 2:
        raise DataError(
            f"{path} holds another array",
            found=f"{values.dtype} of shape {values.shape}",
            wanted="float32 of shape (n_time, n_series)",
        )
    return SeriesTensors(torch.from_numpy(values))


def array_from_parquet(
    source: str | Path, target: str | Path, columns: Sequence[str] | None = None
) -> Path:
    """Write columns of a Parquet file into an array in a file, a row group in memory at a time.

    Parameters
    ----------
    source : str or Path
        Parquet file; a row is a time, in order.
    target : str or Path
        File of numpy that is written, whole or not at all.
    columns : sequence of str, optional
        Columns of numbers, by default all.

    Returns
    -------
    Path
        The file that was written, for :func:`series_from_array`.

    Raises
    ------
    DataError
        If the file is no Parquet file, has no such column, or a column holds no numbers.
    MissingPackageError
        If pyarrow is not installed.
    OSError
        If the folder cannot be written, or the disk is full.
    """
    parquet = require("pyarrow.parquet", feature="series of a Parquet file", extra="parquet")
    try:
        file = parquet.ParquetFile(source)
    except (OSError, ValueError) as error:
        raise DataError(f"{source} is no Parquet file", found=str(error)) from error
    with file:
        names = list(file.schema_arrow.names if columns is None else columns)
        unknown = [name for name in names if name not in file.schema_arrow.names]
        if unknown:
            raise DataError(
                f"{source} has no such column", found=unknown, wanted=file.schema_arrow.names
            )
        write_whole(target, _array_as_bytes(file, names, source))
    return Path(target)


def _array_as_bytes(
    file: Any, names: Sequence[str], source: str | Path
) -> Iterator[bytes | memoryview]:
    """Yield the header of numpy, then the rows of each row group in float32, in C order."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header,
        {
            "descr": np.dtype(np.float32).str,
            "fortran_order": False,
            "shape": (file.metadata.num_rows, len(names)),
        },
    )
    yield header.getvalue()
    for number in range(file.num_row_groups):
        table = file.read_row_group(number, columns=names)
        rows = np.empty((len(table), len(names)), np.float32)
        for place, name in enumerate(names):
            rows[:, place] = _numbers(table[name], source, name)
        yield rows.data


def _numbers(column: Any, source: str | Path, name: str) -> np.ndarray:
    """Return a column of a table of arrow as numbers, NaN where a value is missing."""
    values = column.to_numpy()
    if values.dtype.kind not in "fiu":
        raise DataError(
            f"{source} has a column without numbers",
            found=f"{name!r} of {column.type}",
            wanted="floats or integers",
            remedy="name the columns of the series",
        )
    return values
