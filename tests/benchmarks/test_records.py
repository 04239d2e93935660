"""Records survive a kill, stay apart by entry, and are kept only as long as they are current."""

from __future__ import annotations

import json

from benchmarks.records import Records, fingerprint, provenance, stamp


def test_an_interrupted_run_goes_on_and_a_finished_one_starts_anew(tmp_path):
    path = tmp_path / "records" / "some.json"
    measured = []

    def run(until_killed):
        records = Records(path)
        records.begin({"A": "same", "B": "same"}, {"date": "today"})
        for case in ("A", "B"):
            records.measured(case, "time", lambda case=case: measured.append(case) or 1.0)
            if until_killed and case == "A":
                return
            records.finish(case)

    run(until_killed=True)
    assert json.loads(path.read_text())["A"]["time"] == 1.0
    run(until_killed=False)
    assert measured == ["A", "B"]
    run(until_killed=False)
    assert measured == ["A", "B", "A", "B"]


def test_measurements_of_other_sources_are_not_kept(tmp_path):
    path = tmp_path / "some.json"
    records = Records(path)
    records.begin({"A": "old"}, {})
    records.measured("A", "time", lambda: 1.0)
    again = Records(path)
    again.begin({"A": "new"}, {})
    assert again.measured("A", "time", lambda: 2.0) == 2.0


def test_each_entry_lies_on_a_line_of_its_own_and_every_number_is_kept_to_the_bit(tmp_path):
    path = tmp_path / "some.json"
    numbers = {"a": 0.1 + 0.2, "b": [1e-300, 1.7976931348623157e308], "c": {"d": 2**60}}
    records = Records(path)
    records.keep("first", numbers)
    records.keep("second", {"text": "é, \n"})
    lines = path.read_text().splitlines()
    assert [line[:8] for line in lines] == ["{", '"first":', '"second"', "}"]
    assert Records(path).entries == {"first": numbers, "second": {"text": "é, \n"}}


def test_two_runs_fill_different_entries_of_a_file(tmp_path):
    path = tmp_path / "some.json"
    first, second = Records(path), Records(path)
    first.keep("a", {"value": 1})
    second.keep("b", {"value": 2})
    first.keep("a", {"value": 3})
    assert Records(path).entries == {"a": {"value": 3}, "b": {"value": 2}}


def test_a_fingerprint_changes_with_settings_and_with_the_sources_named():
    word = fingerprint({"repeats": 3}, sources=["benchmarks/records.py"])
    assert fingerprint({"repeats": 3}, sources=["benchmarks/records.py"]) == word
    assert fingerprint({"repeats": 4}, sources=["benchmarks/records.py"]) != word
    assert fingerprint({"repeats": 3}, sources=["benchmarks/core.py"]) != word
    assert fingerprint({"repeats": 3}, sources=["benchmarks"]) != word


def test_a_stamp_tells_of_the_newest_entry():
    old, new = provenance(), {**provenance(), "date": "2999-01-01", "commit": "abc"}
    text = stamp([old, new], 12.3)
    assert text.startswith("2999-01-01, commit abc, ")
    assert "12 s of CPU, torch " in text
