"""A file of a checkpoint is whole, or the file before stands in."""

from __future__ import annotations

import pytest

from samovar_forecast.checkpoint_file import (
    newest_checkpoint,
    path_before,
    read_bytes,
    read_checkpoint,
    write_checkpoint,
)
from samovar_forecast.exceptions import ArtifactError


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "new" / "run.safetensors"
    for content in (b"first", b"second", b"third"):
        write_checkpoint(path, content)
    return path


def test_a_checkpoint_comes_back_and_the_one_before_is_kept(path):
    assert read_checkpoint(path) == b"third"
    assert read_checkpoint(path_before(path)) == b"second"
    names = sorted(file.name for file in path.parent.iterdir())
    assert names == ["run.before.safetensors", "run.safetensors"]


def test_in_place_of_a_damaged_file_the_file_before_is_read_and_the_warning_says_what_follows(path):
    assert newest_checkpoint(path, read_checkpoint, "so be it") == (path, b"third")
    path.write_bytes(read_bytes(path)[:-1])
    with pytest.warns(UserWarning, match=r"run.safetensors is not as it was written.*; so be it"):
        assert newest_checkpoint(path, read_checkpoint, "so be it") == (
            path_before(path),
            b"second",
        )
    path.unlink()  # as a kill between the two files leaves them
    assert newest_checkpoint(path, read_checkpoint, "so be it") == (path_before(path), b"second")
    path_before(path).unlink()
    assert newest_checkpoint(path, read_checkpoint, "so be it") is None


def fail(*arguments):
    raise OSError("no space left")


def test_a_write_that_fails_changes_nothing(path, monkeypatch):
    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="no space left"):
        write_checkpoint(path, b"fourth")
    assert read_checkpoint(path) == b"third"
    assert read_checkpoint(path_before(path)) == b"second"
    assert len(list(path.parent.iterdir())) == 2


def test_a_damaged_file_does_not_take_the_place_of_the_checkpoint_before(path, monkeypatch):
    path.write_bytes(read_bytes(path)[:-1])
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", fail)
        with pytest.raises(OSError, match="no space left"):
            write_checkpoint(path, b"fourth")
    assert read_checkpoint(path_before(path)) == b"second"
    write_checkpoint(path, b"fourth")
    assert read_checkpoint(path) == b"fourth"
    assert read_checkpoint(path_before(path)) == b"second"


def test_what_cannot_be_read_is_an_artifact_error(path):
    for wrong in (path.parent, path.with_name("nothing"), path.with_name("a\0b")):
        with pytest.raises(ArtifactError, match="cannot be read"):
            read_checkpoint(wrong)
