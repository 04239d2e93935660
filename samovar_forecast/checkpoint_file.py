"""Files of checkpoints: written whole, with a checksum, and the checkpoint before is kept.

A file ends in the SHA-256 of all bytes before. A damaged file is never half read: the checkpoint
before stands in.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from samovar_forecast.bundle import write_whole
from samovar_forecast.exceptions import ArtifactError

_DIGEST = hashlib.sha256().digest_size

Content = TypeVar("Content")


def write_checkpoint(path: Path, content: bytes) -> None:
    """Write a checkpoint; the checkpoint that was there becomes the checkpoint before.

    A damaged file never becomes the checkpoint before: the new file takes its place.

    Raises
    ------
    OSError
        If the folder cannot be written, or the disk is full. Then nothing has changed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = content + hashlib.sha256(content).digest()
    write_whole(path, whole, make_way=lambda: _keep_as_before(path))


def _keep_as_before(path: Path) -> None:
    """Move a checkpoint to where the checkpoint before lies, if it is as it was written."""
    try:
        read_checkpoint(path)
    except ArtifactError:
        return
    path.replace(path_before(path))


def read_checkpoint(path: Path) -> bytes:
    """Return the content of a checkpoint.

    Raises
    ------
    ArtifactError
        If the file cannot be read or is not as it was written.
    """
    return without_checksum(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """Return all bytes of a file, the checksum among them.

    Raises
    ------
    ArtifactError
        If the file cannot be read.
    """
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # a name with a NUL
        raise ArtifactError(f"{path} cannot be read: {error}") from error


def without_checksum(content: bytes, path: Path) -> bytes:
    """Return the bytes of a file before its checksum.

    Raises
    ------
    ArtifactError
        If the checksum is another.
    """
    content, digest = content[:-_DIGEST], content[-_DIGEST:]
    if hashlib.sha256(content).digest() != digest:
        raise ArtifactError(f"{path} is not as it was written", found="another checksum")
    return content


def path_before(path: Path) -> Path:
    """Return where the checkpoint before lies."""
    return path.with_name(f"{path.stem}.before{path.suffix}")


def newest_checkpoint(
    path: Path, read: Callable[[Path], Content], what_follows: str
) -> tuple[Path, Content] | None:
    """Return the newest checkpoint that is as it was written, and its content; None for none.

    Parameters
    ----------
    path : Path
    read : callable
        Returns the content of a file; raises :class:`ArtifactError` if the file is damaged.
    what_follows : str
        What happens after a damaged file, for the warning that names the file.
    """
    for candidate in (path, path_before(path)):
        if not candidate.exists():
            continue
        try:
            return candidate, read(candidate)
        except ArtifactError as error:
            warnings.warn(f"{error}; {what_follows}", UserWarning, stacklevel=2)
    return None
