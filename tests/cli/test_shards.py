"""Shards, from the command line."""

from __future__ import annotations

import pandas as pd
import pytest

from samovar_forecast import forecast_long_frame
from tests.builders.cli import run
from tests.builders.long_frames import long_frame

pytest.importorskip("pyarrow", reason="pyarrow is not installed")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "series.parquet"
    long_frame((24, 24, 20)).to_parquet(path, index=False, row_group_size=48)
    return path


def test_a_shard_writes_its_parts_and_says_so(capsys, path, tmp_path):
    command = ("forecast", "--input", path, "--output", tmp_path / "out", "--horizon", 2)
    for number, told in (("1/2", "2 series"), ("2/2", "1 series")):
        code, out, err = run(capsys, *command, "--shard", number)
        assert (code, err) == (0, "")
        assert told in out
    found = [pd.read_parquet(file) for file in sorted((tmp_path / "out").glob("part-*"))]
    frame = long_frame((24, 24, 20))
    wanted = [forecast_long_frame(part, 2) for part in (frame[:48], frame[48:])]
    pd.testing.assert_frame_equal(pd.concat(found), pd.concat(wanted), check_dtype=False)
    code, out, _ = run(capsys, *command, "--shard", "2/2")
    assert "part-000001.parquet: 1 series, as before" in out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--shard", "1/2", "--plot", "next.png"), "--plot has no effect on a shard"),
        (("--shard", "1/2"), "name one by --output"),
        (("--freq", "MS"), "--freq has an effect with --shard alone"),
    ],
)
def test_what_a_shard_does_not_know_is_refused(capsys, path, more, message):
    code, _, err = run(capsys, "forecast", path, "--horizon", 2, *more)
    assert code == 2
    assert message in " ".join(err.split())


def test_a_file_is_named_once(capsys, path):
    for named in ((), (path, "--input", path)):
        code, _, err = run(capsys, "forecast", *named, "--horizon", 2)
        assert code == 2
        assert "a file of series is wanted" in " ".join(err.split())


@pytest.mark.parametrize("text", ["3/2", "0/2", "1", "one/two"])
def test_a_shard_that_there_is_not_is_refused(capsys, path, text):
    with pytest.raises(SystemExit):
        run(capsys, "forecast", path, "--horizon", 2, "--shard", text)
    assert "give i/n with i from 1 to n" in " ".join(capsys.readouterr().err.split())
