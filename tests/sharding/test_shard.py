"""A shard: whole series, whole files, the same bytes however it was cut or killed."""

from __future__ import annotations

import json

import pandas as pd
import pytest
import torch

from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.sharding import shard as room
from samovar_forecast.sharding.shard import Shard, forecast_shard
from tests.builders.long_frames import last_values, long_frame

pytest.importorskip("pyarrow", reason="pyarrow is not installed")

LENGTHS = (30, 24, 30, 2, 90, 24, 30)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(room, "forecast_long_frame", last_values)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "series.parquet"
    long_frame(LENGTHS).to_parquet(path, index=False, row_group_size=40)  # series lie across
    return path


def contents(folder, pattern="part-*"):
    return {file.name: file.read_bytes() for file in sorted(folder.glob(pattern))}


def together(folder):
    frames = [pd.read_parquet(file) for file in sorted(folder.glob("part-*"))]
    return pd.concat([frame for frame in frames if len(frame)], ignore_index=True)


def test_row_groups_are_shared_out_among_the_shards():
    for n_row_groups in (0, 1, 5, 12):
        for of in (1, 3, 7):
            shards = [Shard(number, of).row_groups(n_row_groups) for number in range(1, of + 1)]
            assert [number for own in shards for number in own] == list(range(n_row_groups))
    for number, of in ((0, 2), (3, 2)):
        with pytest.raises(ConfigurationError):
            Shard(number, of)


@pytest.mark.parametrize("of", [1, 3])
def test_every_series_is_forecast_once_by_all_shards(quick, path, tmp_path, of):
    for number in range(of, 0, -1):
        manifest = forecast_shard(path, tmp_path / "out", 2, Shard(number, of))
        assert manifest["finished"]
    wanted = last_values(long_frame(LENGTHS), 2)
    pd.testing.assert_frame_equal(together(tmp_path / "out"), wanted)
    assert sum(part["series"] for part in manifest["parts"].values()) <= len(LENGTHS)


def test_the_parts_do_not_depend_on_the_number_of_shards(quick, path, tmp_path):
    forecast_shard(path, tmp_path / "one", 2, Shard(1, 1))
    for number in (1, 2):
        forecast_shard(path, tmp_path / "two", 2, Shard(number, 2))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_shard_that_was_cut_off_goes_on_with_equal_bytes(quick, path, tmp_path, monkeypatch):
    forecast_shard(path, tmp_path / "whole", 2, Shard(1, 1))
    said = []

    def interrupt(name, n_series, is_new):
        said.append((name, is_new))
        if len(said) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        forecast_shard(path, tmp_path / "cut", 2, Shard(1, 1), tell=interrupt)
    stopped = json.loads((tmp_path / "cut" / "shard-1-of-1.json").read_text())
    assert (stopped["finished"], len(stopped["parts"])) == (False, 3)
    (tmp_path / "cut" / ".part-000003.parquet.0123456789abcdef.unfinished").write_bytes(b"half")
    (tmp_path / "cut" / "part-000004.parquet").write_bytes(b"of another run")
    said.clear()
    forecast_shard(
        path, tmp_path / "cut", 2, Shard(1, 1), tell=lambda *told: said.append((told[0], told[2]))
    )
    assert [is_new for _, is_new in sorted(said)] == [False] * 3 + [True] * (len(said) - 3)
    assert contents(tmp_path / "cut", "*") == contents(tmp_path / "whole", "*")


def test_a_finished_shard_changes_nothing_and_mends_what_was_damaged(quick, path, tmp_path):
    out = tmp_path / "out"
    forecast_shard(path, out, 2, Shard(1, 1))
    before, times = contents(out, "*"), {file: file.stat().st_mtime_ns for file in out.glob("p*")}
    forecast_shard(path, out, 2, Shard(1, 1))
    assert {file: file.stat().st_mtime_ns for file in out.glob("p*")} == times
    (out / "part-000001.parquet").write_bytes(b"damaged")
    (out / "part-000002.parquet").unlink()
    forecast_shard(path, out, 2, Shard(1, 1))
    assert contents(out, "*") == before


def test_a_shard_takes_one_thread_and_gives_the_others_back(path, tmp_path, monkeypatch):
    inside = []

    def counted(*asked):
        inside.append(torch.get_num_threads())
        return last_values(*asked)

    monkeypatch.setattr(room, "forecast_long_frame", counted)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        forecast_shard(path, tmp_path / "out", 2, Shard(1, 1))
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert set(inside) == {1}


def test_a_folder_of_another_question_is_refused(quick, path, tmp_path):
    forecast_shard(path, tmp_path / "out", 2, Shard(1, 1))
    with pytest.raises(ConfigurationError, match="another horizon"):
        forecast_shard(path, tmp_path / "out", 3, Shard(1, 1))
    long_frame((24,)).to_parquet(path, index=False)
    with pytest.raises(ConfigurationError, match="another input"):
        forecast_shard(path, tmp_path / "out", 2, Shard(1, 1))
    (tmp_path / "out" / "shard-1-of-1.json").write_text("{}")
    with pytest.raises(ConfigurationError, match="no manifest"):
        forecast_shard(path, tmp_path / "out", 2, Shard(1, 1))


def test_a_file_that_cannot_be_read_is_refused(path, tmp_path):
    long_frame((24,)).rename(columns={"y": "sales"}).to_parquet(path)
    with pytest.raises(DataError, match="no column 'y'"):
        forecast_shard(path, tmp_path / "out", 2, Shard(1, 1))
    path.write_bytes(b"no Parquet at all")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        forecast_shard(path, tmp_path / "out", 2, Shard(1, 1))
