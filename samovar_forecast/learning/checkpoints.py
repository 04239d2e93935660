"""Checkpoints of a training, as Lightning writes and reads them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import CheckpointIO

from samovar_forecast import checkpoint_file


class CheckedCheckpoints(CheckpointIO):
    """How Lightning writes and reads the checkpoints of a training."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        """Write a checkpoint; the checkpoint that was there becomes the checkpoint before."""
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        checkpoint_file.write_checkpoint(Path(path), buffer.getvalue())

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


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return a checkpoint, on the CPU.

    Raises
    ------
    ArtifactError
        If the file cannot be read or is not as it was written.
    """
    content = io.BytesIO(checkpoint_file.read_checkpoint(path))
    found = torch.load(content, map_location="cpu", weights_only=True)
    assert isinstance(found, dict)  # by its checksum it is ours
    return found


def newest_checkpoint(path: Path) -> tuple[Path, dict[str, Any]] | None:
    """Return the newest checkpoint that is as it was written, and its content; None for none.

    A damaged checkpoint is told by a warning.
    """
    return checkpoint_file.newest_checkpoint(
        path, read_checkpoint, "the training goes on from the epoch before, or starts anew"
    )
