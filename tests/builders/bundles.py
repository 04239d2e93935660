"""The files of a bundle, for tests that look inside or change one."""

from __future__ import annotations

import zipfile
from pathlib import Path


def files_of(path: Path) -> dict[str, bytes]:
    """Return what a folder or zip file holds, by name."""
    if path.is_dir():
        return {entry.name: entry.read_bytes() for entry in path.iterdir()}
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def put_files(path: Path, files: dict[str, bytes]) -> None:
    """Make a folder or zip file hold these files, and no other."""
    if path.is_dir():
        for entry in path.iterdir():
            entry.unlink()
        for name, content in files.items():
            (path / name).write_bytes(content)
        return
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
