"""The file of the quick start is what its script writes."""

from __future__ import annotations

from pathlib import Path

from examples import kiosk

PAGE = Path(__file__).resolve().parents[2] / "docs" / "static" / "kiosk.csv"


def test_the_file_of_the_quick_start_is_what_the_script_writes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    kiosk.main()
    assert capsys.readouterr().out == "kiosk.csv\n"
    assert (tmp_path / "kiosk.csv").read_bytes() == PAGE.read_bytes()
