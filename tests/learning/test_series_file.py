"""A training reads series of a file batch by batch, and a Parquet file becomes such a file."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from samovar_forecast.exceptions import DataError
from samovar_forecast.learning.series_file import array_from_parquet, series_from_array
from samovar_forecast.learning.windows import WindowSet

ROOT = Path(__file__).resolve().parents[2]
N_TIME, N_SERIES = 131_072, 512  # 256 MiB
SCRIPT = """
import sys, threading
from samovar_forecast.config import NetworkConfig, TrainingConfig
from samovar_forecast.learning.series_file import array_from_parquet, series_from_array
from samovar_forecast.learning.training import fit_network
from samovar_forecast.learning.windows import WindowSet
from samovar_forecast.network import SAMoVARNetwork


def anonymous():
    lines = open("/proc/self/status").read().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("RssAnon")).split()[1])


def train(path):
    series = series_from_array(path)
    train, validation = WindowSet.from_series([series], 24, 8).split_in_time(0.1)
    network = SAMoVARNetwork(NetworkConfig(series.target.shape[1], 8, 24, d_model=8, n_heads=1))
    fit_network(
        network, train.thinned(40), validation.thinned(8),
        TrainingConfig(max_epochs=2, batch_size=4), random_state=0, progress=False,
    )


def growth(call):
    before, peak, is_over = anonymous(), [0], threading.Event()

    def watch():
        while not is_over.wait(0.005):
            peak[0] = max(peak[0], anonymous())

    watcher = threading.Thread(target=watch)
    watcher.start()
    call()
    is_over.set()
    watcher.join()
    return peak[0] - before


small, large = sys.argv[1:]
train(small)  # what the libraries load, and what the allocator keeps
print(min(growth(lambda: train(large)) for _ in range(2)))  # an allocator only ever adds
"""


def write_array(path: Path, n_time: int) -> Path:
    """Write an array of walks, some rows at a time."""
    file = np.lib.format.open_memmap(path, "w+", np.float32, (n_time, N_SERIES))
    generator = np.random.default_rng(0)
    for row in range(0, n_time, 8192):
        some = file[row : row + 8192]
        some[:] = generator.standard_normal(some.shape, dtype=np.float32)
    file.flush()
    return path


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read as of Linux")
def test_a_training_on_a_file_does_not_hold_the_file(tmp_path):
    small = write_array(tmp_path / "small.npy", 1024)
    large = write_array(tmp_path / "large.npy", N_TIME)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, small, large],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "OMP_NUM_THREADS": "1", "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.splitlines()[-1]) < large.stat().st_size / 8


def test_an_array_in_a_file_gives_the_windows_of_the_same_array_in_memory(tmp_path):
    values = np.arange(60, dtype=np.float32).reshape(20, 3)
    values[4, 1] = np.nan
    np.save(tmp_path / "series.npy", values)
    opened = series_from_array(tmp_path / "series.npy").target
    assert torch.equal(opened.nan_to_num(-1), torch.from_numpy(values).nan_to_num(-1))


@pytest.mark.parametrize("values", [np.zeros((3, 2)), np.zeros(5, np.float32), None])
def test_another_array_is_refused(values, tmp_path):
    path = tmp_path / "series.npy"
    if values is None:
        path.write_bytes(b"no array")
    else:
        np.save(path, values)
    with pytest.raises(DataError, match=r"holds another array|is no array of numpy"):
        series_from_array(path)


def parquet(folder: Path) -> tuple[Path, pd.DataFrame]:
    """Write a Parquet file of several row groups, one of its columns a text."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    values = np.random.default_rng(0).normal(size=(25, 2))
    frame = pd.DataFrame(values, columns=["a", "b"]).assign(n=range(25), name="x")
    frame.loc[7, "b"] = np.nan
    frame.to_parquet(folder / "series.parquet", row_group_size=10)
    return folder / "series.parquet", frame


def test_columns_of_a_parquet_file_become_an_array_row_group_by_row_group(tmp_path, monkeypatch):
    source, frame = parquet(tmp_path)
    from pyarrow.parquet import ParquetFile

    read, sizes = ParquetFile.read_row_group, []

    def counted(*arguments, **options):
        table = read(*arguments, **options)
        sizes.append(table.shape)
        return table

    monkeypatch.setattr(ParquetFile, "read_row_group", counted)
    path = array_from_parquet(source, tmp_path / "series.npy", ["b", "n", "a"])
    assert sizes == [(10, 3), (10, 3), (5, 3)]
    wanted = np.ascontiguousarray(frame[["b", "n", "a"]], dtype=np.float32)
    np.save(tmp_path / "wanted.npy", wanted)
    assert path.read_bytes() == (tmp_path / "wanted.npy").read_bytes()
    windows = WindowSet.from_series([series_from_array(path)], 4, 2)
    assert windows.batch(torch.tensor([9])).target[0, 0, 1] == 9


@pytest.mark.parametrize(
    ("columns", "told"), [(None, "without numbers"), (["a", "c"], "no such column")]
)
def test_what_holds_no_numbers_is_refused_and_leaves_no_file(columns, told, tmp_path):
    source, _ = parquet(tmp_path)
    with pytest.raises(DataError, match=told):
        array_from_parquet(source, tmp_path / "series.npy", columns)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["series.parquet"]


def test_an_error_half_way_leaves_the_old_file_and_no_draft(tmp_path, monkeypatch):
    source, _ = parquet(tmp_path)
    from pyarrow.parquet import ParquetFile

    read = ParquetFile.read_row_group

    def failing(self, number, **options):
        if number == 2:
            raise OSError(28, "No space left on device")
        return read(self, number, **options)

    (tmp_path / "series.npy").write_bytes(b"old")
    monkeypatch.setattr(ParquetFile, "read_row_group", failing)
    with pytest.raises(OSError, match="No space left"):
        array_from_parquet(source, tmp_path / "series.npy", ["a"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["series.npy", "series.parquet"]
    assert (tmp_path / "series.npy").read_bytes() == b"old"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_an_error_and_leaves_no_file(tmp_path, monkeypatch):
    source, _ = parquet(tmp_path)
    real_open = os.open

    def open_full(path, flags, *mode):
        if str(path).endswith(".unfinished"):
            os.close(real_open(path, flags, *mode))
            path, flags = "/dev/full", os.O_WRONLY
        return real_open(path, flags, *mode)

    monkeypatch.setattr("samovar_forecast.bundle.os.open", open_full)
    with pytest.raises(OSError, match="No space left"):
        array_from_parquet(source, tmp_path / "series.npy", ["a"])
    assert [path.name for path in tmp_path.iterdir()] == ["series.parquet"]


@pytest.mark.parametrize("name", [".series.npy.unfinished", "series.npy"])
def test_a_planted_link_is_not_followed(name, tmp_path):
    source, frame = parquet(tmp_path)
    victim = tmp_path / "victim"
    victim.write_text("dear")
    (tmp_path / name).symlink_to(victim)
    path = array_from_parquet(source, tmp_path / "series.npy", ["a"])
    assert victim.read_text() == "dear"
    assert not path.is_symlink()
    np.testing.assert_array_equal(np.load(path), frame[["a"]].to_numpy(np.float32))


def test_a_parquet_file_without_rows_becomes_an_array_without_rows(tmp_path):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    pd.DataFrame({"a": np.zeros(0), "b": np.zeros(0)}).to_parquet(tmp_path / "series.parquet")
    path = array_from_parquet(tmp_path / "series.parquet", tmp_path / "series.npy")
    assert np.load(path).shape == (0, 2)


def test_the_recipe_of_the_page_trains_a_network(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"^```python memory\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    walks = np.random.default_rng(0).normal(size=(200, 2)).cumsum(axis=0)
    pd.DataFrame(walks, columns=["a", "b"]).to_parquet("series.parquet")
    names: dict = {}
    exec(compile(recipe, "performance.md", "exec"), names)
    window = torch.from_numpy(walks[None, -96:]).float()
    assert names["network"](window, last_only=True).forecast.isfinite().all()


def test_a_file_of_another_kind_is_refused(tmp_path):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    (tmp_path / "series.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="is no Parquet file"):
        array_from_parquet(tmp_path / "series.csv", tmp_path / "series.npy")
