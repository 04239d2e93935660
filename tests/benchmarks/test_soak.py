"""The soak counts what grows, and a leak of any kind is against its rule."""

from __future__ import annotations

import threading

import pytest

pytest.importorskip("sktime", reason="sktime is not installed")

from pathlib import Path

from benchmarks import soak
from benchmarks.records import Records

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")


def test_forecasts_by_the_dozen_leave_nothing_behind():
    for kind in soak.KINDS:
        found = soak.soak("linear", kind, 8 if kind != "fits" else 2)
        assert found["others"] == 0
        assert found["looks"][-1]["threads"] <= found["looks"][0]["threads"]


@pytest.mark.parametrize("kind", ["bytes", "files", "threads", "answers"])
def test_a_leak_is_against_the_rule(kind, tmp_path):
    held, done = [], threading.Event()

    def leak(n_calls: int) -> int:
        if kind == "bytes":
            held.append(b"x" * 20_000_000)
        elif kind == "files":
            held.append((tmp_path / "file").open("w"))
        elif kind == "threads":
            held.append(threading.Thread(target=done.wait))
            held[-1].start()
        return int(kind == "answers")

    try:
        against = soak.faults(*soak.watched(10, leak))
    finally:
        done.set()
        for one in held:
            if kind == "files":
                one.close()
            elif kind == "threads":
                one.join()
    words = {"bytes": "memory grew by", "answers": "10 other forecasts"}.get(kind, f"7 more {kind}")
    assert any(fault.startswith(words) for fault in against), against


def test_memory_may_grow_while_the_process_gets_warm():
    sizes = [100, 150, 200, 200, 200, 200, 200, 200, 201, 200]
    looks = [{"bytes": size, "files": 3, "children": 0, "threads": 1} for size in sizes]
    assert soak.faults(looks, 0) == []
    assert soak.growth(looks) == pytest.approx(0.5 / 200)


def test_cases_become_a_table():
    looks = [{"bytes": 2**20, "files": 3, "children": 0, "threads": 1}] * 10
    records = Records(None)
    records.keep("linear: fits", {"calls": 200, "looks": looks, "others": 0, "commit": "x"})
    table = soak.sections(records)["soak"]
    assert "| 1 -> 1 MiB" in table
    assert "| nothing " in table
