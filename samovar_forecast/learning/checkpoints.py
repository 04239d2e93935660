"""Checkpoints of a training: written whole, with a checksum, and the checkpoint before is kept.

A file ends in the SHA-256 of all bytes before. A damaged file is never half read: the file of the
epoch before stands in.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import CheckpointIO

from samovar_forecast.bundle import write_whole
from samovar_forecast.exceptions import ArtifactError

_DIGEST = hashlib.sha256().digest_size


class CheckedCheckpoints(CheckpointIO):
    """How Lightning writes and reads the checkpoints of a training."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        """Write a checkpoint; the checkpoint that was there becomes the one before."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        content = buffer.getvalue()
        if path.exists():
            path.replace(path_before(path))
        write_whole(path, content + hashlib.sha256(content).digest())

    def load_checkpoint(
        self, path: Any, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Return a checkpoint; nothing in it is executed.

        Raises
        ------
        ArtifactError
            If the file is not as it was written.
        """
        return read_checkpoint(Path(path))

    def remove_checkpoint(self, path: Any) -> None:
        """Remove a checkpoint, if it is there."""
        Path(path).unlink(missing_ok=True)


def path_before(path: Path) -> Path:
    """Return where the checkpoint of the epoch before lies."""
    return path.with_name(f"{path.stem}.before{path.suffix}")


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return a checkpoint, on the CPU.

    Raises
    ------
    ArtifactError
        If the file cannot be read or is not as it was written.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error}") from error
    content, digest = content[:-_DIGEST], content[-_DIGEST:]
    if hashlib.sha256(content).digest() != digest:
        raise ArtifactError(f"{path} is not as it was written", found="another checksum")
    found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    assert isinstance(found, dict)  # by its checksum it is ours
    return found


def newest_checkpoint(path: Path) -> tuple[Path, dict[str, Any]] | None:
    """Return the newest checkpoint that is as it was written, and its content; None for none.

    A damaged checkpoint is told by a warning.
    """
    for candidate in (path, path_before(path)):
        if not candidate.exists():
            continue
        try:
            return candidate, read_checkpoint(candidate)
        except ArtifactError as error:
            warnings.warn(
                f"{error}; the training goes on from the epoch before, or starts anew",
                UserWarning,
                stacklevel=2,
            )
    return None
