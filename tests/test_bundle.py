"""A bundle is written whole or not at all, replaces no file of others, and refuses what changed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from samovar_forecast.bundle import (
    DOCUMENT,
    LONGEST_DOCUMENT,
    checksum_of,
    read_bundle,
    write_bundle,
    write_whole,
)
from samovar_forecast.exceptions import ArtifactError, ConfigurationError
from tests.builders.bundles import files_of, put_files

KIND = ("test", 1)
FILES = {"weights": bytes(range(256)) * 40, "arrays": b"numbers"}


@pytest.fixture(params=["folder", "file.zip", "FILE.ZIP"])
def written(request, tmp_path) -> Path:
    path = tmp_path / "new" / request.param
    write_bundle(path, KIND, {"names": ["a", 2]}, FILES)
    return path


def read(path: Path, kind: tuple[str, int] = KIND):
    return read_bundle(path, kind, ("weights", "arrays"))


def test_a_bundle_comes_back(written):
    assert read(written) == read(written)
    assert read(written).files == FILES
    assert read(written).content == {"names": ["a", 2]}
    assert written.is_dir() == (written.name == "folder")


def test_a_replaced_bundle_leaves_nothing_of_the_old_bundle(written):
    write_bundle(written, KIND, {}, {"weights": b"other", "arrays": b""})
    assert read(written).files == {"weights": b"other", "arrays": b""}
    assert len(files_of(written)) == 3


@pytest.mark.parametrize("part", ["artifact", "weights", "arrays"])
def test_a_changed_byte_a_cut_and_a_missing_file_are_refused(written, part):
    files = files_of(written)
    (name,) = [name for name in files if name.startswith(part)]
    content = files[name]
    for place in (0, len(content) // 2, len(content) - 2):
        changed = bytearray(content)
        changed[place] ^= 1
        put_files(written, files | {name: bytes(changed)})
        with pytest.raises(ArtifactError, match=r"as it was written|no JSON|no artifact"):
            read(written)
    put_files(written, files | {name: content[: len(content) // 2]})
    with pytest.raises(ArtifactError):
        read(written)
    put_files(written, {other: data for other, data in files.items() if other != name})
    with pytest.raises(ArtifactError, match="is no artifact"):
        read(written)


@pytest.mark.parametrize(
    "document",
    [
        b"[" * 50_000 + b"]" * 50_000,
        b"{}",
        b"[1, 2]",
        b"\xff\xfe",
        b" " * (LONGEST_DOCUMENT + 1),
        b'{"format": "test"}',
    ],
)
def test_a_crafted_document_is_refused(written, document):
    put_files(written, files_of(written) | {DOCUMENT: document})
    with pytest.raises(ArtifactError):
        read(written)


def test_what_could_not_be_read_is_refused_before_anything_is_replaced(written, monkeypatch):
    content = {"names": ["a"] * 1000}
    known = files_of(written)
    write_bundle(written.with_name("longest"), KIND, content, FILES)
    length = (written.with_name("longest") / DOCUMENT).stat().st_size
    assert length < 4 * 1000 + 1000  # nothing but the content, no blanks
    monkeypatch.setattr("samovar_forecast.bundle.LONGEST_DOCUMENT", length)
    assert read(written.with_name("longest")).content == content
    monkeypatch.setattr("samovar_forecast.bundle.LONGEST_DOCUMENT", length - 1)
    with pytest.raises(ConfigurationError, match=rf"too long.*{length} bytes.*{length - 1}"):
        write_bundle(written, KIND, content, FILES)
    assert files_of(written) == known


def test_names_out_of_the_bundle_other_kinds_and_more_files_are_refused(written):
    known = files_of(written)
    document = json.loads(known[DOCUMENT])

    def forge(**changes: object) -> None:
        changed = document | changes
        changed["checksum"] = checksum_of(changed)
        put_files(written, known | {DOCUMENT: json.dumps(changed).encode()})

    secret = written.parent / "secret"
    secret.write_bytes(b"mine")
    forge(files={"../secret": hashlib.sha256(b"mine").hexdigest()})
    with pytest.raises(ArtifactError, match="not as it was written"):
        read(written)
    forge(version=2)
    with pytest.raises(ArtifactError, match=r"not known here.*test 2.*test 1"):
        read(written)
    forge(version=True)
    with pytest.raises(ArtifactError, match="that of no artifact"):
        read(written)
    write_bundle(written.with_name(f"more{written.suffix}"), KIND, {}, FILES | {"other": b""})
    with pytest.raises(ArtifactError, match="other files"):
        read(written.with_name(f"more{written.suffix}"))


def zipped(method: int = zipfile.ZIP_STORED, repeat: int = 1, fill: int = 0) -> bytes:
    source = io.BytesIO()
    with zipfile.ZipFile(source, "w", method) as archive:
        for _ in range(repeat):
            archive.writestr(DOCUMENT, b" " * fill + b"{}")
    return source.getvalue()


def encrypted() -> bytes:
    content = bytearray(zipped())
    content[6] |= 1  # the flag of the member
    content[content.index(b"PK\x01\x02") + 8] |= 1  # and of the directory
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        zipped(zipfile.ZIP_DEFLATED, fill=1000),
        zipped(zipfile.ZIP_LZMA),
        encrypted(),
        zipped()[:-10],
        zipped().replace(b"{}", b"[]", 1),  # another checksum of the member
        zipped(fill=10).replace(b"PK\x01\x02\x14\x03\x14\x00", b"PK\x01\x02\x14\x03\xff\x00"),
        b"",
        b"PK",
        b"no zip at all",
    ],
)
def test_a_crafted_zip_is_refused(tmp_path, content):
    path = tmp_path / "crafted.zip"
    path.write_bytes(content)
    with pytest.raises(ArtifactError):
        read(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path):
    (tmp_path / "twice.zip").write_bytes(zipped(repeat=2))
    with pytest.raises(ArtifactError, match="two files of one name"):
        read(tmp_path / "twice.zip")


def test_a_path_that_is_none_is_refused(tmp_path):
    for path in ("a\0b", tmp_path, tmp_path / "nowhere.zip"):
        with pytest.raises(ArtifactError):
            read(path)
    with pytest.raises(ArtifactError, match="cannot be written"):
        write_bundle("a\0b", KIND, {}, FILES)
    for path in (None, 5, b"a"):
        with pytest.raises(ArtifactError, match=f"no path; found: {path!r}"):
            read(path)
        with pytest.raises(ArtifactError, match=f"no path; found: {path!r}"):
            write_bundle(path, KIND, {}, FILES)


def test_nothing_of_others_is_replaced(tmp_path):
    folder, document, file = tmp_path / "folder", tmp_path / "document", tmp_path / "file"
    thesis, other, link = tmp_path / "thesis.zip", tmp_path / "other", tmp_path / "link.zip"
    folder.mkdir()
    (folder / "letter.txt").write_text("dear")
    document.mkdir()
    (document / DOCUMENT).write_text('{"mine": 1}')
    file.write_text("dear")
    with zipfile.ZipFile(thesis, "w") as archive:
        archive.writestr("data.csv", "1,2")
    write_bundle(other, ("another", 1), {}, FILES)
    link.symlink_to(tmp_path / "victim")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for path in (folder, document, file, thesis, other, link):
        with pytest.raises(ArtifactError, match="something else than an artifact"):
            write_bundle(path, KIND, {}, FILES)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_file_of_others_in_the_folder_of_a_bundle_stays(tmp_path):
    write_bundle(tmp_path / "bundle", KIND, {}, FILES)
    (tmp_path / "bundle" / "letter.txt").write_text("dear")
    write_bundle(tmp_path / "bundle", KIND, {}, {"weights": b"", "arrays": b""})
    assert (tmp_path / "bundle" / "letter.txt").read_text() == "dear"


@pytest.mark.parametrize("name", ["folder", "file.zip"])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_bundle_or_nothing(tmp_path, monkeypatch, name, call):
    path, new = tmp_path / name, tmp_path / f"new {name}"
    changed = {"weights": b"new", "arrays": b"new"}
    owner, function = (os, os.fsync) if call == "fsync" else (Path, Path.replace)
    n_failed = 0
    for fails_at in range(1, 8):
        write_bundle(path, KIND, {"old": True}, FILES)
        known, n_calls = files_of(path), 0

        def fail_once(*args, fails_at=fails_at):
            nonlocal n_calls
            n_calls += 1
            if n_calls == fails_at:
                raise OSError(28, "No space left on device")
            return function(*args)

        with monkeypatch.context() as patch:
            patch.setattr(owner, call, fail_once)
            failure = failure_of(path, changed)
            n_calls = 0
            failure_of_new = failure_of(new, FILES)
        if failure is None:  # a step that nothing depends on, or beyond the last step
            assert read(path).files == changed
        else:
            n_failed += 1
            assert "No space left" in str(failure)
            assert read(path).content == {"old": True}
            assert known.items() <= files_of(path).items()
        assert new.exists() == (failure_of_new is None)
        if new.is_file():
            new.unlink()
        elif new.exists():
            shutil.rmtree(new)
    assert n_failed == (3 if path.is_dir() else 1)
    write_bundle(path, KIND, {}, FILES)
    assert len(files_of(path)) == 3


def failure_of(path: Path, files: dict[str, bytes]) -> ArtifactError | None:
    try:
        write_bundle(path, KIND, {"old": False}, files)
    except ArtifactError as error:
        return error
    return None


def test_a_planted_link_is_not_followed_and_writers_do_not_meet(tmp_path, monkeypatch):
    victim = tmp_path / "victim"
    victim.write_text("dear")
    monkeypatch.setattr("secrets.token_hex", lambda n: "0" * 2 * n)
    (tmp_path / f".target.{'0' * 16}.unfinished").symlink_to(victim)
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "target", b"new")
    assert victim.read_text() == "dear"
    assert not (tmp_path / "target").exists()


def test_parts_are_written_one_after_another_and_an_error_among_them_changes_nothing(tmp_path):
    path = tmp_path / "target"
    write_whole(path, (part for part in (b"one ", memoryview(b"two"), b"")))
    assert path.read_bytes() == b"one two"

    def broken():
        yield b"three"
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        write_whole(path, broken())
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"one two"


WRITER = """
import sys
from samovar_forecast.bundle import write_bundle
print("ready", flush=True)
for number in range(1_000_000):
    files = {"weights": bytes([number % 256]) * 300_000, "arrays": bytes([number % 256])}
    write_bundle(sys.argv[1], ("test", 1), {"number": number % 256}, files)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes are killed by a signal")
@pytest.mark.parametrize("name", ["folder", "file.zip"])
def test_a_killed_writer_leaves_a_whole_bundle(tmp_path, name):
    path, generator = tmp_path / name, np.random.default_rng(0)
    for _ in range(10):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        try:
            writer.wait(timeout=float(generator.uniform(0.02, 0.1)))
        except subprocess.TimeoutExpired:
            writer.kill()
        assert writer.wait() == -signal.SIGKILL
        writer.stdout.close()
        if not path.exists() or (path.is_dir() and not (path / DOCUMENT).exists()):
            continue  # killed before the first bundle
        bundle = read(path)
        number = bundle.content["number"]
        assert bundle.files["weights"] == bytes([number]) * 300_000
    write_bundle(path, KIND, {}, FILES)
    assert len(files_of(path)) == 3
