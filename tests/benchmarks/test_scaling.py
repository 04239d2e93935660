"""Slopes tell what is linear; sizes that are too large are left out."""

from __future__ import annotations

import argparse
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


NAME, KEY = "layout and split", "instances: layout and split"


@pytest.fixture
def measured(monkeypatch):
    """The sizes that were measured; each takes a hundredth of a second for each instance."""
    sizes: list[int] = []

    def in_fresh_process(function, curve, size, memory):
        assert (function, curve) == ("benchmarks.scaling:measured_size", NAME)
        sizes.append(size)
        return {"seconds": size / 100, "bytes": size} if size < memory / 2**30 else {}

    monkeypatch.setattr(scaling.harness, "in_fresh_process", in_fresh_process)
    return sizes


def asked(**limits) -> argparse.Namespace:
    wanted = {"curves": [NAME], "largest": 10**9, "seconds": 1e9, "memory": 10**9, **limits}
    return argparse.Namespace(**wanted)


def test_a_curve_ends_where_it_would_take_too_long_and_goes_on_with_larger_limits(measured):
    records = Records(None)
    scaling.measure(records, asked(seconds=1.5))
    assert measured == [10, 100]
    scaling.measure(records, asked(largest=1000))
    scaling.measure(records, asked(seconds=1.5))
    assert measured == [10, 100, 1000]
    scaling.measure(records, asked(memory=5000))
    assert measured == [10, 100, 1000, 10_000]
    scaling.measure(records, asked())
    assert len(measured) == 4  # the memory was not enough: nothing larger is tried
    points = {size: {"seconds": size / 100, "bytes": size} for size in (10, 100, 1000)}
    assert scaling.points_of(records.entries[KEY]) == {**points, 10_000: {}}


def test_other_code_is_measured_anew(measured):
    records = Records(None)
    scaling.measure(records, asked(largest=100))
    records.entries[KEY]["fingerprint"] = "that of other code"
    scaling.measure(records, asked(largest=10))
    assert measured == [10, 100, 10]
    assert list(records.entries[KEY]["points"]) == ["10"]


def test_a_size_is_measured_after_the_smallest(monkeypatch):
    monkeypatch.setattr(scaling.resource, "setrlimit", lambda *limits: None)
    made: list[int] = []
    monkeypatch.setitem(
        scaling.CURVES, NAME, scaling.Curve("x", (1, 5), lambda size: lambda: made.append(size))
    )
    assert set(scaling.measured_size(NAME, 5, 0)) == {"seconds", "bytes"}
    assert made == [1, 5, 5]


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
