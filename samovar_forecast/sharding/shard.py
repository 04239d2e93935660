"""A shard of a Parquet file: its row groups forecast one by one, each into a file written whole.

A part holds the series that begin in one row group, so parts are the same however many shards there
are, and may be made in any order. A manifest beside the parts says what was asked, and names each
finished part with its checksum: a shard that was killed goes on where it stopped, and a shard that
is run again changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from samovar_forecast.bundle import checksum_of, write_whole
from samovar_forecast.exceptions import ConfigurationError, DataError, require
from samovar_forecast.process import one_thread, versions
from samovar_forecast.sharding.long_frame import COLUMNS, check_question, forecast_long_frame

FORMAT = "samovar_forecast shard 1"

Finished = Callable[[str, int, bool], object]


@dataclass(frozen=True)
class Shard:
    """One of ``of`` parts of the row groups of a file; ``number`` counts from 1.

    Raises
    ------
    ConfigurationError
        If there is no such part.
    """

    number: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise ConfigurationError(
                "there is no such shard", found=f"{self.number}/{self.of}", wanted="i/n, 1 to n"
            )

    def row_groups(self, n_row_groups: int) -> range:
        """Return the numbers of its row groups, which follow each other."""
        first, stop = (
            number * n_row_groups // self.of for number in (self.number - 1, self.number)
        )
        return range(first, stop)

    @property
    def manifest(self) -> str:
        """Name of its manifest."""
        return f"shard-{self.number}-of-{self.of}.json"


def forecast_shard(
    path: Path,
    folder: Path,
    horizon: int,
    shard: Shard,
    *,
    interval: float | None = 0.8,
    freq: str | None = None,
    tell: Finished = lambda name, n_series, is_new: None,
) -> dict[str, Any]:
    """Forecast the series that begin in the row groups of a shard, and return its manifest.

    No more than a few row groups are in memory, and torch works on one thread.

    Parameters
    ----------
    path : Path
        Parquet file with the columns ``unique_id``, ``ds`` and ``y``; the rows of a series stand
        together, sorted by time, and may lie in several row groups.
    folder : Path
        Made if it is missing. A file ``part-NUMBER.parquet`` is written for each row group.
    horizon : int
    shard : Shard
    interval : float or None, default=0.8
    freq : str, optional
        See :func:`~samovar_forecast.forecast_long_frame`.
    tell : callable, optional
        Called after each part with its name, its number of series, and whether it was made now.

    Returns
    -------
    dict

    Raises
    ------
    ConfigurationError
        If the folder holds parts of another question or another file.
    DataError
        If the file cannot be read, or holds a series that cannot be forecast.
    MissingPackageError
        If pyarrow is not installed.
    """
    check_question(horizon, interval)
    file = _opened(path)
    asked = {
        "format": FORMAT,
        "package": versions()["samovar_forecast"],
        "input": _fingerprint(path, file),
        "horizon": int(horizon),
        "interval": interval,
        "freq": freq,
        "shard": f"{shard.number}/{shard.of}",
    }
    folder.mkdir(parents=True, exist_ok=True)
    done = _parts_of(folder / shard.manifest, asked)
    is_done = {name: _checksum(folder / name) == part["sha256"] for name, part in done.items()}
    parts: dict[str, Any] = {name: part for name, part in done.items() if is_done[name]}
    numbers = shard.row_groups(file.num_row_groups)
    wanted = [number for number in numbers if _name(number) not in parts]
    for name in (_name(number) for number in numbers):
        if name in parts:
            tell(name, parts[name]["series"], False)
    for number in wanted:
        rows = _series_beginning_in(file, number)
        with one_thread():
            answer = forecast_long_frame(rows, horizon, interval, freq)
        content = answer.to_parquet(index=False)
        name = _name(number)
        for left in folder.glob(f".{name}.*.unfinished"):  # by whoever was killed
            left.unlink(missing_ok=True)
        write_whole(folder / name, content)
        n_series = int(rows["unique_id"].nunique())
        parts[name] = {
            "series": n_series,
            "rows": len(answer),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        _write_manifest(folder / shard.manifest, asked, parts, is_finished=False)
        tell(name, n_series, True)
    return _write_manifest(folder / shard.manifest, asked, parts, is_finished=True)


def _name(number: int) -> str:
    return f"part-{number:06d}.parquet"


def _opened(path: Path) -> Any:
    """Return pyarrow's ParquetFile, from which single row groups are read."""
    parquet = require("pyarrow.parquet", feature="a shard of a Parquet file", extra="parquet")
    try:
        file = parquet.ParquetFile(path)
    except ValueError as error:  # of pyarrow
        raise DataError(f"{path} cannot be read as Parquet", found=error) from error
    names = file.schema_arrow.names
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise DataError(
            f"{path} has no column {missing[0]!r}",
            found=names,
            wanted=f"the columns {', '.join(COLUMNS)}",
        )
    return file


def _fingerprint(path: Path, file: Any) -> dict[str, Any]:
    """Return what tells a file from another: its footer knows every row group."""
    with path.open("rb") as opened:
        opened.seek(-8, 2)
        length = int.from_bytes(opened.read(4), "little")
        opened.seek(-8 - length, 2)
        footer = opened.read(length)
    return {
        "bytes": path.stat().st_size,
        "rows": file.metadata.num_rows,
        "row_groups": file.num_row_groups,
        "footer_sha256": hashlib.sha256(footer).hexdigest(),
    }


def _series_beginning_in(file: Any, number: int) -> pd.DataFrame:
    """Return all rows of the series that begin in a row group."""
    rows = _read(file, number)
    if number > 0 and len(rows):
        before = _last_series(file, number)
        rows = rows[_leading(rows, before) :]
    for later in range(number + 1, file.num_row_groups):
        if not len(rows):
            break
        more = _read(file, later)
        n_more = _leading(more, rows["unique_id"].iloc[-1])
        rows = pd.concat([rows, more[:n_more]], ignore_index=True)
        if n_more < len(more):
            break
    return rows


def _last_series(file: Any, number: int) -> Any:
    """Return the series of the last row before a row group."""
    for earlier in range(number - 1, -1, -1):
        names = file.read_row_group(earlier, columns=["unique_id"]).column(0)
        if len(names):
            return names[-1].as_py()
    return None


def _read(file: Any, number: int) -> pd.DataFrame:
    rows = file.read_row_group(number, columns=list(COLUMNS)).to_pandas()
    return rows.reset_index(drop=True)


def _leading(rows: pd.DataFrame, name: Any) -> int:
    """Return how many of the first rows are of a series."""
    others = (rows["unique_id"] != name).to_numpy()
    return int(others.argmax()) if others.any() else len(rows)


def _parts_of(path: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Return the parts that a manifest names; none if there is no manifest.

    Raises
    ------
    ConfigurationError
        If the manifest is that of another question.
    """
    try:
        document = json.loads(path.read_bytes())
        is_whole = document["checksum"] == checksum_of(document)
        before = {name: document[name] for name in asked}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{path} is no manifest of a shard", remedy="choose another folder"
        ) from error
    if not is_whole or before != asked:
        differing = [name for name in asked if before[name] != asked[name]]
        raise ConfigurationError(
            f"{path} belongs to another question or another file",
            found=f"another {', '.join(differing) or 'content than was written'}",
            remedy="choose another folder, or remove this one",
        )
    parts: dict[str, Any] = document["parts"]
    return parts


def _checksum(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None


def _write_manifest(
    path: Path, asked: dict[str, Any], parts: dict[str, Any], *, is_finished: bool
) -> dict[str, Any]:
    document = {**asked, "parts": dict(sorted(parts.items())), "finished": is_finished}
    document["checksum"] = checksum_of(document)
    write_whole(path, json.dumps(document, indent=1).encode() + b"\n")
    return document
