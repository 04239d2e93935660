"""Work that is killed goes on to the answer that nobody's kill changed; another answer is told."""

from __future__ import annotations

import multiprocessing
import random
import time

import pytest

pytest.importorskip("sktime", reason="sktime is not installed")

from benchmarks import kills
from benchmarks.kills import Work
from benchmarks.records import BenchmarkError, Records

pytestmark = [
    pytest.mark.skipif(
        "fork" not in multiprocessing.get_all_start_methods(), reason="processes are forked"
    ),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]


def count_to_five(folder, until=5):
    """Count in a file, a step at a time; a killed child's count goes on."""
    file = folder / "count"
    for number in range(int(file.read_text() or 0) if file.exists() else 0, until):
        time.sleep(0.3)
        file.with_name("next").write_text(str(number + 1))
        file.with_name("next").rename(file)
    return file.read_text()


def test_work_goes_on_where_it_was_killed():
    work = Work(count_to_five, lambda folder: len(list(folder.iterdir())), "5", 0.05)
    ended = kills.killed_and_resumed(work, 3, random.Random(0))
    assert len(ended.kept) == 3  # a kill comes within 0.05 seconds, five within 1.5
    assert ended.broken is None


def test_another_answer_a_failure_and_what_cannot_be_read_are_against_the_rule():
    work = Work(count_to_five, lambda folder: 0, "6", 0.05)
    ended = kills.killed_and_resumed(work, 1, random.Random(0))
    assert ended.broken == "another answer after 1 kills"
    work = work._replace(n_kept=lambda folder: int("x"))
    assert "invalid literal" in kills.killed_and_resumed(work, 1, random.Random(0)).broken
    with pytest.raises(BenchmarkError, match="a child failed: ValueError"):
        kills.in_child(lambda: str(int("x")))


@pytest.mark.parametrize("form", ["a.zip", "a"])
def test_an_artifact_is_whole_after_a_kill(form):
    work, draw, kept = kills.saving(form), random.Random(1), []
    for _ in range(50):  # on a busy machine a child may be killed before it has saved anything
        ended = kills.killed_and_resumed(work, 2, draw)
        assert ended.broken is None
        kept += ended.kept
        if any(kept):
            break
    assert any(kept)


@pytest.mark.slow  # each child trains or compares
@pytest.mark.parametrize("name", ["training", "comparing"])
def test_training_and_comparing_are_resumed_bit_for_bit(name):
    ended = kills.killed_and_resumed(kills.WORK[name](), 2, random.Random(2))
    assert ended.broken is None


def test_kills_become_a_table():
    records = Records(None)
    records.keep("training", {"kept": [0, 3, 7], "runs": 2, "broken": [], "commit": "x"})
    table = kills.sections(records)["kills"]
    assert "| training     | 3     | 2                   | 3 to 7 " in table
