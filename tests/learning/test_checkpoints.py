"""A checkpoint that is damaged anywhere is never read; the epoch before stands in."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
import torch

from samovar_forecast.checkpoint_file import path_before
from samovar_forecast.exceptions import ArtifactError
from samovar_forecast.learning.checkpoints import (
    CheckedCheckpoints,
    newest_checkpoint,
    read_checkpoint,
)


@pytest.fixture(params=["the file system of temporary files", "another file system"])
def folder(request, tmp_path):
    if request.param == "the file system of temporary files":
        yield tmp_path
        return
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other file system at /dev/shm")
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


@pytest.fixture
def path(folder):
    path = folder / "new" / "training.ckpt"
    for epoch in range(3):
        CheckedCheckpoints().save_checkpoint({"epoch": epoch, "w": torch.ones(3) * epoch}, path)
    return path


def test_a_checkpoint_comes_back_and_the_one_before_is_kept(path):
    found = CheckedCheckpoints().load_checkpoint(path)
    assert found["epoch"] == 2
    assert torch.equal(found["w"], torch.full((3,), 2.0))
    assert read_checkpoint(path_before(path))["epoch"] == 1
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "training.before.ckpt",
        "training.ckpt",
    ]


def test_every_flipped_bit_and_every_cut_falls_back_with_a_warning(path):
    whole, draw = path.read_bytes(), random.Random(0)
    for _ in range(40):
        place = draw.randrange(len(whole))
        flipped = bytearray(whole)
        flipped[place] ^= 1 << draw.randrange(8)
        for damaged in (bytes(flipped), whole[:place]):
            path.write_bytes(damaged)
            with pytest.warns(UserWarning, match="is not as it was written"):
                found = newest_checkpoint(path)
            assert found is not None
            assert found[1]["epoch"] == 1
            with pytest.raises(ArtifactError):
                read_checkpoint(path)


def test_without_a_checkpoint_there_is_none_and_with_two_damaged_a_training_starts_anew(path):
    assert newest_checkpoint(path.with_name("other.ckpt")) is None
    path.write_bytes(b"")
    path_before(path).write_bytes(b"x" * 100)
    with pytest.warns(UserWarning, match="starts anew"):
        assert newest_checkpoint(path) is None


def test_a_full_disk_leaves_the_checkpoint_before(path, monkeypatch):
    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("samovar_forecast.bundle.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        CheckedCheckpoints().save_checkpoint({"epoch": 3}, path)
    monkeypatch.undo()
    found = newest_checkpoint(path)
    assert found is not None
    assert found[1]["epoch"] == 2
