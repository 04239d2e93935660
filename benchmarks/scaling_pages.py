"""What `benchmarks.scaling` measured: pictures, table with slopes, what a shard projects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from benchmarks.pages import as_mebibytes, markdown_table
from benchmarks.pictures import Picture
from benchmarks.pictures import shown as shown_pictures
from benchmarks.records import Records
from benchmarks.scaling_pictures import pictures

SERIES_IN_A_ROW_GROUP = 500
SHARD = "series in a file: a shard with intervals"
MANY, CORES, DOLLARS_A_CORE_HOUR = 10_000_000, 64, 0.05
"""What the figures of a shard are projected to, and the price that is assumed."""


def slope_of(points: Mapping[int, Mapping[str, float]], what: str) -> float:
    """Return the slope of a line through the logarithms of the larger half of the sizes."""
    known = [(size, found[what]) for size, found in points.items() if found.get(what, 0) > 0]
    if len(known) < 2:
        return float("nan")
    sizes, values = np.log(known[-max(2, (len(known) + 1) // 2) :]).T
    return float(np.polyfit(sizes, values, 1)[0])


def points_of(entry: Mapping[str, Any]) -> dict[int, dict[str, float]]:
    """Return the points of a record by size."""
    return {int(size): found for size, found in entry["points"].items()}


def shown(found: Mapping[str, float]) -> str:
    """Return a cell: seconds, and memory."""
    if not found:
        return "no memory"
    return f"{found['seconds']:.3g} s, {as_mebibytes(found['bytes'])}"


def rows_of(entries: Mapping[str, Mapping[str, Any]]) -> Iterator[list[str]]:
    """Yield a row of the table for each curve."""
    for name, entry in entries.items():
        axis, _, what = name.partition(": ")
        points = points_of(entry)
        cells = "; ".join(f"{size:,}: {shown(found)}" for size, found in points.items())
        slopes = [slope_of(points, key) for key in ("seconds", "bytes")]
        yield [axis, what, cells, *(f"{slope:.2f}" for slope in slopes), entry["commit"]]


def pictures_of(records: Records) -> dict[str, Picture]:
    """Return a picture for each axis."""
    return pictures(
        {
            name: {
                "points": entry["points"],
                "slopes": [slope_of(points_of(entry), key) for key in ("seconds", "bytes")],
            }
            for name, entry in records.entries.items()
        }
    )


def sections(records: Records) -> dict[str, str]:
    """Return the pictures and the table of all curves, and what a shard projects."""
    header = ["axis", "what", "size: CPU seconds, memory at the peak"]
    header += ["slope of time", "slope of memory", "commit"]
    table = markdown_table(header, list(rows_of(records.entries)))
    found = {"scaling": f"{shown_pictures(pictures_of(records))}\n\n{table}"}
    entry = records.entries.get(SHARD)
    return found if entry is None else found | {"sharding": projection(entry)}


def projection(entry: Mapping[str, Any]) -> str:
    """Return what a measured shard says of ten million series, with its assumptions."""
    points = points_of(entry)
    known = {size: found for size, found in points.items() if found}
    size = max(known)
    rate, held = size / known[size]["seconds"], as_mebibytes(known[size]["bytes"])
    hours = MANY / rate / 3600
    dollars = hours * DOLLARS_A_CORE_HOUR
    return (
        f"Measured: {size:,} series of 60 months, 12 steps ahead with intervals, in row groups of "
        f"{SERIES_IN_A_ROW_GROUP}: {rate:.0f} series a second and core, and {held} beside "
        f"the interpreter and its libraries. On paper, {MANY:,} such series take {hours:.0f} core "
        f"hours: {hours / CORES:.1f} hours on {CORES} cores, about ${dollars:.0f} at "
        f"${DOLLARS_A_CORE_HOUR} a core hour. That assumes one process a core, each with its own "
        "memory, cores as fast as the one measured, and disks that keep up; none of this was run."
    )
