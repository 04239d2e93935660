"""Slopes tell what is linear; sizes that are too large are left out."""

from __future__ import annotations

import math

import pytest

from benchmarks import scaling
from benchmarks.records import Records


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_the_slope_is_that_of_the_larger_sizes(power):
    points = {size: {"seconds": 1.0 + (size / 100) ** power} for size in (1, 10, 10_000, 100_000)}
    assert scaling.slope_of(points, "seconds") == pytest.approx(power, abs=0.01)
    assert math.isnan(scaling.slope_of({1: {"seconds": 1.0}, 10: {}}, "seconds"))


def test_a_point_holds_seconds_and_memory_or_nothing():
    held, size = [], 10**8  # too large for memory that the process has freed and kept
    curve = scaling.Curve("bytes", (size,), lambda size: lambda: held.append(b"x" * size))
    found = scaling.measured_point(curve, size, scaling.harness.resident_bytes())
    assert found["seconds"] >= 0
    assert found.get("bytes", size) > size / 2

    def fail() -> None:
        raise MemoryError

    full = scaling.Curve("bytes", (1,), lambda size: fail)
    assert scaling.measured_point(full, 1, 0) == {}


def test_a_curve_ends_where_it_would_take_too_long(monkeypatch):
    monkeypatch.setattr(scaling.resource, "setrlimit", lambda *limits: None)
    monkeypatch.setattr(
        scaling, "measured_point", lambda curve, size, start: {"seconds": size / 100, "bytes": size}
    )
    name = "layout and split"
    assert list(scaling.measured_curve(name, 10**9, 1.5, 0)) == ["10", "100"]
    assert list(scaling.measured_curve(name, 1000, 1e9, 0)) == ["10", "100", "1000"]


@pytest.mark.parametrize("name", ["a window and its gradient", "layout and split"])
def test_a_curve_runs_by_its_smallest_size(name):
    curve = scaling.CURVES[name]
    assert curve.sizes == tuple(sorted(curve.sizes))
    curve.prepare(curve.sizes[0])()


def test_curves_become_a_table():
    records = Records(None)
    points = {"10": {"seconds": 0.5, "bytes": 2**20}, "100": {"seconds": 5.0, "bytes": 2**21}}
    records.entries["series: a fit"] = {"points": {**points, "1000": {}}, "commit": "abc"}
    table = scaling.sections(records)["scaling"]
    for word in ("series", "a fit", "10: 0.5 s, 1 MiB", "1,000: no memory", "1.00", "0.30", "abc"):
        assert word in table


def test_a_shard_is_projected_with_its_assumptions():
    records = Records(None)
    points = {"500": {"seconds": 9.0, "bytes": 2**28}, "1000": {"seconds": 10.0, "bytes": 2**28}}
    records.entries[scaling.SHARD] = {"points": points, "commit": "abc"}
    text = scaling.sections(records)["sharding"]
    for words in (
        "1,000 series",
        "100 series a second",
        "256 MiB",
        "28 core hours",
        "none of this",
    ):
        assert words in text
