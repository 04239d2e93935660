"""A trained network as a folder or a zip file that holds numbers and JSON, and no code.

An artifact has three files. ``artifact.json`` holds the configuration of the network, a
description by the caller, and the checksums of all files. ``weights.safetensors`` holds the
weights, ``arrays.safetensors`` the other numbers. Reading executes nothing: no pickle, no import by
name, nothing is written to the disk. A file that changed after it was written is refused.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from samovar_forecast.config import NetworkConfig
from samovar_forecast.exceptions import ArtifactError, ConfigurationError
from samovar_forecast.network import SAMoVARNetwork

FORMAT = "samovar_forecast"
VERSION = 1
_DOCUMENT = "artifact.json"
_WEIGHTS = "weights.safetensors"
_ARRAYS = "arrays.safetensors"


@dataclass(frozen=True)
class Artifact:
    """The content of an artifact.

    Parameters
    ----------
    network : SAMoVARNetwork
        On the CPU, in eval mode.
    description : dict
        The description that :func:`save_artifact` was given, as JSON has it.
    arrays : dict of str to array
        The numbers that :func:`save_artifact` was given, by name.
    """

    network: SAMoVARNetwork
    description: dict[str, Any]
    arrays: dict[str, np.ndarray]


def save_artifact(
    path: str | Path,
    network: SAMoVARNetwork,
    description: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
) -> None:
    """Write a network, a description and arrays to a folder, or to a file ending in ``.zip``.

    An earlier artifact at the same path is replaced; any other file or folder is not.

    Parameters
    ----------
    path : str or Path
        The folder or file to write. Missing parent folders are made.
    network : SAMoVARNetwork
        A network on any device; the weights are written as CPU tensors.
    description : mapping
        Names and values that JSON can hold.
    arrays : mapping of str to array
        Numbers that belong to the network, by name.

    Raises
    ------
    ArtifactError
        If another file or folder is at ``path``.
    ConfigurationError
        If JSON cannot hold the description.
    """
    path = Path(path)
    _check_replaceable(path)
    weights = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    files = {
        _WEIGHTS: _to_bytes(weights),
        _ARRAYS: _to_bytes(
            {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
        ),
    }
    try:
        document = {
            "format": FORMAT,
            "version": VERSION,
            "network": network.config.to_dict(),
            "description": json.loads(json.dumps(dict(description), allow_nan=False)),
            "checksums": {
                name: hashlib.sha256(content).hexdigest() for name, content in files.items()
            },
        }
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"the description is nothing that JSON can hold: {error}"
        ) from error
    document["checksum"] = _checksum(document)
    files[_DOCUMENT] = json.dumps(document, indent=2).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".zip":
        unfinished = path.with_name(f"{path.name}.unfinished")
        with zipfile.ZipFile(unfinished, "w") as archive:
            for name, content in files.items():
                archive.writestr(zipfile.ZipInfo(name), content)
        unfinished.replace(path)
        return
    path.mkdir(exist_ok=True)
    for name, content in files.items():  # the document last: without it there is no artifact
        unfinished = path / f"{name}.unfinished"
        unfinished.write_bytes(content)
        unfinished.replace(path / name)


def load_artifact(path: str | Path) -> Artifact:
    """Read an artifact that :func:`save_artifact` wrote.

    Parameters
    ----------
    path : str or Path
        The folder or zip file of the artifact.

    Returns
    -------
    Artifact

    Raises
    ------
    ArtifactError
        If there is no artifact at ``path``, or if the artifact changed after it was written.
    """
    path = Path(path)
    files = _read(path)
    document = _parsed(path, files[_DOCUMENT])
    for name, checksum in document["checksums"].items():
        if hashlib.sha256(files[name]).hexdigest() != checksum:
            raise ArtifactError(
                f"{name} in {path} is not as it was written",
                found="another checksum",
                remedy="copy the artifact again from where it was saved",
            )
    try:
        weights, arrays = load(files[_WEIGHTS]), load(files[_ARRAYS])
        with torch.device("meta"):  # shapes alone, whatever the configuration asks for
            network = SAMoVARNetwork(NetworkConfig.from_dict(document["network"]))
    except (SafetensorError, ConfigurationError, ValueError, RuntimeError) as error:
        raise ArtifactError(f"{path} cannot be read: {error}") from error
    _check_weights(path, network, weights)
    network.load_state_dict(weights, assign=True)
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    return Artifact(
        network.eval(),
        document["description"],
        {name: tensor.numpy() for name, tensor in arrays.items()},
    )


def _check_replaceable(path: Path) -> None:
    is_artifact = not path.exists()
    if path.is_file():
        is_artifact = path.suffix == ".zip" and zipfile.is_zipfile(path)
    elif path.is_dir():
        is_artifact = path.suffix != ".zip" and (
            (path / _DOCUMENT).exists() or not any(path.iterdir())
        )
    if not is_artifact:
        raise ArtifactError(
            f"{path} is something else than an artifact",
            wanted="an empty or new folder, a new file ending in .zip, or an artifact to replace",
            remedy="give another path",
        )


def _read(path: Path) -> dict[str, bytes]:
    names = (_DOCUMENT, _WEIGHTS, _ARRAYS)
    try:
        if path.is_dir():
            return {name: (path / name).read_bytes() for name in names}
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in names}
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ArtifactError(
            f"{path} is no artifact",
            found=str(error),
            wanted=f"a folder or zip file with {', '.join(names)}",
        ) from error


def _parsed(path: Path, content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise ArtifactError(f"{_DOCUMENT} in {path} is no JSON: {error}") from error
    fields = {
        "format": str,
        "version": int,
        "network": dict,
        "description": dict,
        "checksums": dict,
        "checksum": str,
    }
    is_whole = isinstance(document, dict) and document.keys() == fields.keys()
    if not is_whole or not all(isinstance(document[name], kind) for name, kind in fields.items()):
        raise ArtifactError(f"{_DOCUMENT} in {path} is that of no artifact", wanted=list(fields))
    if document["format"] != FORMAT or document["version"] != VERSION:
        raise ArtifactError(
            f"{path} is of a format that is not known here",
            found=f"{document['format']} {document['version']}",
            wanted=f"{FORMAT} {VERSION}",
            remedy="read it with the version of samovar_forecast that wrote it, or a later version",
        )
    is_as_written = document["checksum"] == _checksum(document)
    if not is_as_written or document["checksums"].keys() != {_WEIGHTS, _ARRAYS}:
        raise ArtifactError(f"{_DOCUMENT} in {path} is not as it was written")
    return document


def _check_weights(path: Path, network: SAMoVARNetwork, weights: dict[str, Tensor]) -> None:
    def shapes(state: Mapping[str, Tensor]) -> dict[str, str]:
        return {name: f"{tensor.dtype} {tuple(tensor.shape)}" for name, tensor in state.items()}

    wanted, found = shapes(network.state_dict()), shapes(weights)
    different = sorted(
        name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
    )
    if different:
        raise ArtifactError(
            f"the weights in {path} do not fit the network of its configuration",
            found=f"{different[0]}: {found.get(different[0], 'nothing')}",
            wanted=wanted.get(different[0], "nothing"),
        )


def _checksum(document: Mapping[str, Any]) -> str:
    others = {name: value for name, value in document.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(others, sort_keys=True).encode()).hexdigest()


def _to_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    # Tensors that share their memory, or lie across it, cannot be written.
    return save({name: tensor.contiguous().clone() for name, tensor in tensors.items()})
