"""A bundle: a folder or a zip file of named bytes and a JSON document, written whole or not at all.

The document says what the bundle is, by format and version, and holds the name and the SHA-256
checksum of every file. The name of a file ends in the first digits of the file's checksum. So a
bundle in a folder is replaced in one step: the new files stand beside the old files, then the new
document takes the place of the old document, then the old files go. Whoever is interrupted on the
way leaves the old bundle or the new bundle. Reading executes nothing and writes nothing, and takes
no more memory than the files on the disk are long: what a bundle holds is not compressed.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import secrets
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samovar_forecast.exceptions import ArtifactError, ConfigurationError

DOCUMENT = "artifact.json"
LONGEST_DOCUMENT = 32 * 2**20
"""Bytes of the document; a longer document is refused before it is read, and before it is written.

A default forecaster of 10,000 instances takes about 20 MB.
"""

_FILE = re.compile(r"[a-z]+-[0-9a-f]{16}\.safetensors")
_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{16}\.unfinished")
_FIELDS = {"format": str, "version": int, "content": dict, "files": dict, "checksum": str}
_READING_ERRORS = (
    OSError,
    ValueError,  # a path with a NUL, a name that is no text
    KeyError,
    EOFError,
    RuntimeError,  # an encrypted member
    NotImplementedError,  # a method of compression
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)


@dataclass(frozen=True)
class Bundle:
    """What a bundle holds.

    Attributes
    ----------
    content : dict
        As JSON has it.
    files : dict of str to bytes
        By name.
    """

    content: dict[str, Any]
    files: dict[str, bytes]


def write_whole(
    path: str | Path,
    content: bytes | Iterable[bytes | memoryview],
    make_way: Callable[[], None] | None = None,
) -> None:
    """Write a file so that at any moment the path holds the old content or the new content.

    The bytes go to a new file with a random name in the same folder, and to the disk; then the
    new file takes the place of the old file.

    Parameters
    ----------
    path : str or Path
    content : bytes, or iterable of bytes
        An iterable is read while the new file is written, so that its parts need not be in memory
        together. An error of the iterable is raised, and nothing has changed.
    make_way : callable, optional
        Called when the new file is whole on the disk, just before it takes the place of the old
        file; it may move the old file away.

    Raises
    ------
    OSError
        If the folder cannot be written, or the disk is full. Then nothing has changed.
    """
    path = Path(path)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}.unfinished")
    # O_EXCL: a file or a link that somebody has put there is never followed.
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
        if make_way is not None:
            make_way()
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def write_file(path: str | Path, content: bytes) -> None:
    """Write a file that a user has named.

    It is written whole or not at all (:func:`write_whole`). A link stays a link: the file that it
    names is written. A pipe or a terminal takes the content as it comes.

    Parameters
    ----------
    path : str or Path
    content : bytes

    Raises
    ------
    OSError
        If the file cannot be written; the error holds the name that the user gave.
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
        else:
            write_whole(path.resolve(), content)
    except OSError as error:
        if error.errno is not None:
            error.filename = str(path)  # and not that of the unfinished file
        raise


def _checked_path(path: Any) -> Path:
    """Return a path as a `Path`; anything else is refused by its words."""
    if not isinstance(path, (str, Path)):
        raise ArtifactError(
            "the place of an artifact is no path", found=repr(path), wanted="str or Path"
        )
    return Path(path)


def write_bundle(
    path: str | Path,
    kind: tuple[str, int],
    content: Mapping[str, Any],
    files: Mapping[str, bytes],
) -> None:
    """Write a bundle to a folder, or to a file ending in ``.zip``.

    An earlier bundle of the same format at the path is replaced; anything else is not.

    Parameters
    ----------
    path : str or Path
        Missing parent folders are made.
    kind : (str, int)
        Format and version of the content.
    content : mapping
        Names and values that JSON can hold.
    files : mapping of str to bytes
        By name, in small letters.

    Raises
    ------
    ArtifactError
        If another file or folder is at ``path``, or ``path`` cannot be written.
    ConfigurationError
        If JSON cannot hold the content, or the document would be too long to be read.
    """
    path = _checked_path(path)
    names = {
        name: f"{name}-{hashlib.sha256(data).hexdigest()[:16]}.safetensors"
        for name, data in files.items()
    }
    document = _document(kind, content, {names[name]: data for name, data in files.items()})
    text = json.dumps(document, separators=(",", ":")).encode()
    if len(text) > LONGEST_DOCUMENT:
        raise ConfigurationError(
            f"the description is too long for {DOCUMENT}",
            found=f"{len(text)} bytes",
            wanted=f"at most {LONGEST_DOCUMENT}",
            remedy="fit and save fewer instances together, in several artifacts",
        )
    try:
        _check_replaceable(path, kind[0])
        path.parent.mkdir(parents=True, exist_ok=True)
        if _is_zip(path):
            write_whole(path, _zipped({names[name]: data for name, data in files.items()}, text))
        else:
            _write_folder(path, {names[name]: data for name, data in files.items()}, text)
    except (OSError, ValueError) as error:
        if isinstance(error, ArtifactError):
            raise
        raise ArtifactError(
            f"{path} cannot be written: {error}",
            remedy="free space or choose another path; what was there before is still there",
        ) from error


def read_bundle(path: str | Path, kind: tuple[str, int], names: tuple[str, ...]) -> Bundle:
    """Read a bundle that :func:`write_bundle` wrote.

    Parameters
    ----------
    path : str or Path
    kind : (str, int)
        Format and version that are known.
    names : tuple of str
        The files that the bundle must have.

    Returns
    -------
    Bundle

    Raises
    ------
    ArtifactError
        If there is no bundle of that kind at the path, or a byte of the bundle has changed.
    """
    path = _checked_path(path)
    try:
        if path.is_dir():
            document = _parsed(path, _read_file(path / DOCUMENT, LONGEST_DOCUMENT), kind)
            found = {name: _read_file(path / name) for name in document["files"]}
        else:
            with zipfile.ZipFile(path) as archive:
                members = _members(path, archive)
                if DOCUMENT not in members:
                    raise KeyError(f"{DOCUMENT} is not there")
                if members[DOCUMENT].file_size > LONGEST_DOCUMENT:
                    raise ValueError(f"{DOCUMENT} is too long")
                document = _parsed(path, archive.read(members[DOCUMENT]), kind)
                found = {name: archive.read(members[name]) for name in document["files"]}
    except ArtifactError:
        raise
    except _READING_ERRORS as error:
        raise ArtifactError(
            f"{path} is no artifact",
            found=str(error) or type(error).__name__,
            wanted=f"a folder or zip file with {DOCUMENT} and the files that it names",
        ) from error
    by_name = {}
    for file, checksum in document["files"].items():
        if hashlib.sha256(found[file]).hexdigest() != checksum:
            raise ArtifactError(
                f"{file} in {path} is not as it was written",
                found="another checksum",
                remedy="copy the artifact again from where it was saved",
            )
        by_name[file.partition("-")[0]] = found[file]
    if sorted(by_name) != sorted(names) or len(by_name) != len(document["files"]):
        raise ArtifactError(
            f"{path} has other files than an artifact", found=sorted(by_name), wanted=sorted(names)
        )
    return Bundle(document["content"], by_name)


def _document(
    kind: tuple[str, int], content: Mapping[str, Any], files: Mapping[str, bytes]
) -> dict[str, Any]:
    try:
        plain = json.loads(json.dumps(dict(content), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"the description is nothing that JSON can hold: {error}"
        ) from error
    document = {
        "format": kind[0],
        "version": kind[1],
        "content": plain,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    return {**document, "checksum": checksum_of(document)}


def checksum_of(document: Mapping[str, Any]) -> str:
    """Return the checksum of a document without its own checksum."""
    others = {name: value for name, value in document.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(others, sort_keys=True).encode()).hexdigest()


def _write_folder(path: Path, files: Mapping[str, bytes], text: bytes) -> None:
    is_new = not path.exists()
    path.mkdir(exist_ok=True)
    try:
        for name, data in files.items():
            write_whole(path / name, data)
        write_whole(path / DOCUMENT, text)
    except BaseException:
        if is_new:
            _remove(path, kept=())
            with contextlib.suppress(OSError):
                path.rmdir()
        raise
    _remove(path, kept=(DOCUMENT, *files))


def _remove(folder: Path, kept: tuple[str, ...]) -> None:
    """Remove what a bundle, or a write that was interrupted, has left behind; nothing else."""
    for entry in folder.iterdir():
        is_ours = _FILE.fullmatch(entry.name) or _UNFINISHED.fullmatch(entry.name)
        if is_ours and entry.name not in kept:
            entry.unlink(missing_ok=True)


def _zipped(files: Mapping[str, bytes], text: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # stored, not compressed
        for name, data in {**files, DOCUMENT: text}.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def _members(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the members of a zip file, by name; refuse what a bundle never has."""
    members = {member.filename: member for member in archive.infolist()}
    if len(members) != len(archive.infolist()):
        raise ArtifactError(f"{path} has two files of one name")
    for member in members.values():
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 0x1:
            raise ArtifactError(
                f"{member.filename} in {path} is compressed or encrypted, and no artifact is"
            )
    if sum(member.file_size for member in members.values()) > path.stat().st_size:
        raise ArtifactError(f"the files in {path} are longer than {path} itself")
    return members


def _read_file(path: Path, longest: int | None = None) -> bytes:
    if not path.is_file():  # a pipe would be waited for
        raise ValueError(f"{path.name} is not there")
    with path.open("rb") as file:
        if longest is not None and os.fstat(file.fileno()).st_size > longest:
            raise ValueError(f"{path.name} is too long")
        return file.read()


def _parsed(path: Path, text: bytes, kind: tuple[str, int]) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{DOCUMENT} in {path} is no JSON: {error}") from error
    is_whole = isinstance(document, dict) and document.keys() == _FIELDS.keys()
    if not is_whole or not all(type(document[name]) is kind for name, kind in _FIELDS.items()):
        raise ArtifactError(f"{DOCUMENT} in {path} is that of no artifact", wanted=list(_FIELDS))
    if (document["format"], document["version"]) != kind:
        raise ArtifactError(
            f"{path} is of a format that is not known here",
            found=f"{document['format']} {document['version']}",
            wanted=f"{kind[0]} {kind[1]}",
            remedy="read it with the version of samovar_forecast that wrote it, or a later version",
        )
    are_names = all(_FILE.fullmatch(name) for name in document["files"])
    if document["checksum"] != checksum_of(document) or not are_names:
        raise ArtifactError(f"{DOCUMENT} in {path} is not as it was written")
    return document


def _check_replaceable(path: Path, form: str) -> None:
    """Refuse to write where something lies that no bundle of this format is."""
    if path.is_dir() and not _is_zip(path):
        entries = [entry.name for entry in path.iterdir()]
        is_free = all(_UNFINISHED.fullmatch(name) or _FILE.fullmatch(name) for name in entries)
    else:
        is_free = not (path.exists() or path.is_symlink())
    if not is_free and _format_of(path) != form:
        raise ArtifactError(
            f"{path} is something else than an artifact",
            wanted="an empty or new folder, a new file ending in .zip, or an artifact to replace",
            remedy="give another path",
        )


def _format_of(path: Path) -> str | None:
    """Return the format that the document at a path names; None if there is no document."""
    try:
        if path.is_dir():
            if _is_zip(path):
                return None
            text = _read_file(path / DOCUMENT, LONGEST_DOCUMENT)
        elif _is_zip(path):
            with zipfile.ZipFile(path) as archive:
                members = _members(path, archive)
                if any(not _FILE.fullmatch(name) for name in members if name != DOCUMENT):
                    return None
                text = archive.read(members[DOCUMENT])
        else:
            return None
        document = json.loads(text)
        form = document["format"] if document.keys() == _FIELDS.keys() else None
    except (*_READING_ERRORS, AttributeError, TypeError, RecursionError):
        return None
    return form if isinstance(form, str) else None


def _is_zip(path: Path) -> bool:
    return path.suffix.lower() == ".zip"


def _sync_folder(folder: Path) -> None:
    """Write the names of a folder to the disk, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
