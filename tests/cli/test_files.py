"""Files are written whole or not at all, in the format of their name, and harmless."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.bundle import write_file
from samovar_forecast.cli.files import table_format, write_table
from samovar_forecast.exceptions import ConfigurationError

TABLE = pd.DataFrame(
    {
        "time": pd.period_range("2000-01", periods=5, freq="M"),
        "series": ["=1+1", "+a", "-a", "@a", "a=1"],
        "forecast": [-1.5, np.nan, 2.0, 3.0, 4.0],
    }
)


def test_a_name_that_a_spreadsheet_would_run_stands_behind_an_apostrophe(tmp_path):
    write_table(TABLE.rename(columns={"forecast": "=x"}), tmp_path / "f.csv")
    lines = (tmp_path / "f.csv").read_text(encoding="utf-8").splitlines()
    assert lines[:3] == ["time,series,'=x", "2000-01,'=1+1,-1.5", "2000-02,'+a,"]
    read = pd.read_csv(tmp_path / "f.csv")
    assert read["series"].tolist() == ["'=1+1", "'+a", "'-a", "'@a", "a=1"]
    assert read["'=x"].iloc[0] == -1.5


def test_the_end_of_the_name_is_the_format(tmp_path):
    write_table(TABLE, tmp_path / "f.json")
    rows = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert rows[1] == {"time": "2000-02", "series": "+a", "forecast": None}
    write_table(TABLE, tmp_path / "f.csv.gz")
    assert len(pd.read_csv(tmp_path / "f.csv.gz")) == 5
    with pytest.raises(ConfigurationError, match=r"found: '\.xlsx'; wanted: .* \.csv"):
        table_format(tmp_path / "f.xlsx")


def test_json_holds_every_digit_of_a_number_and_null_for_a_gap(tmp_path):
    numbers = [3.2e-11, 0.1 + 0.2, -1e300, np.nan, np.inf]
    write_table(pd.DataFrame({"step": range(5), "forecast": numbers}), tmp_path / "f.json")
    rows = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert [row["forecast"] for row in rows] == [*numbers[:3], None, None]
    assert [row["step"] for row in rows] == [0, 1, 2, 3, 4]


def test_parquet_holds_the_same_rows(tmp_path):
    pytest.importorskip("pyarrow")
    write_table(TABLE, tmp_path / "f.parquet")
    assert pd.read_parquet(tmp_path / "f.parquet")["series"].iloc[0] == "=1+1"


def test_a_file_that_cannot_be_finished_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "f.csv"
    path.write_text("before", encoding="utf-8")

    def fail(handle):
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="no space"):
        write_table(TABLE, path)
    assert path.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link_and_a_pipe_takes_what_comes(tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "there.csv")
    write_table(TABLE, tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert len(pd.read_csv(tmp_path / "there.csv")) == 5
    with pytest.raises(OSError, match=r"link\.csv'"):
        write_file(tmp_path / "no folder" / "link.csv", b"nowhere")
    write_file(Path("/dev/null"), b"gone")
    assert not Path("/dev/null").is_file()
