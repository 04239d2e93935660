"""A trained network as a bundle of numbers and JSON, and no code.

The document of the bundle holds the configuration of the network and a description by the caller;
``weights`` holds the weights, ``arrays`` the other numbers. Reading executes nothing: no pickle, no
import by name. Before anything is built, the configuration is held against the header of the
weights, so that no crafted file asks for more work or memory than the file is long.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from samovar_forecast.bundle import read_bundle, write_bundle
from samovar_forecast.config import NetworkConfig
from samovar_forecast.exceptions import ArtifactError, ConfigurationError
from samovar_forecast.network import SAMoVARNetwork

KIND = ("samovar_forecast", 2)
_WIDTHS = {"F64": 8, "F32": 4, "I64": 8, "I32": 4, "BOOL": 1}
"""Bytes of the kinds of numbers that an artifact has, by the names of safetensors."""


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


class _Entry(NamedTuple):
    """What the header of a safetensors file says of a tensor."""

    kind: str
    shape: tuple[int, ...]


def save_artifact(
    path: str | Path,
    network: SAMoVARNetwork,
    description: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
) -> None:
    """Write a network, a description and arrays to a folder, or to a file ending in ``.zip``.

    An earlier artifact at the same path is replaced; any other file or folder is not. At every
    moment the path holds the old artifact or the new artifact.

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
        If another file or folder is at ``path``, or ``path`` cannot be written.
    ConfigurationError
        If JSON cannot hold the description.
    """
    weights = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    numbers = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
    write_bundle(
        path,
        KIND,
        {"network": network.config.to_dict(), "description": dict(description)},
        {"weights": _to_bytes(weights), "arrays": _to_bytes(numbers)},
    )


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
        If there is no artifact at ``path``, if the artifact changed after it was written, or if
        its weights are not those of its configuration or not finite.
    """
    bundle = read_bundle(path, KIND, ("weights", "arrays"))
    content = bundle.content
    if content.keys() != {"network", "description"} or not all(
        isinstance(part, dict) for part in content.values()
    ):
        raise ArtifactError(f"the document of {path} is that of no artifact", found=list(content))
    header = _header(path, "weights", bundle.files["weights"])
    _header(path, "arrays", bundle.files["arrays"])
    try:
        config = NetworkConfig.from_dict(content["network"])
        _check_size(path, config, header)
        with torch.device("meta"):  # shapes alone, whatever the configuration asks for
            network = SAMoVARNetwork(config)
        _check_weights(path, network, header)
        weights, arrays = load(bundle.files["weights"]), load(bundle.files["arrays"])
    except ArtifactError:
        raise
    except (
        *(SafetensorError, ConfigurationError, ValueError, TypeError, RuntimeError),
        *(OverflowError, MemoryError, RecursionError),
    ) as error:
        raise ArtifactError(f"{path} cannot be read: {error}") from error
    _check_finite(path, weights)
    network.load_state_dict(weights, assign=True)
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    return Artifact(
        network.eval(),
        content["description"],
        {name: tensor.numpy() for name, tensor in arrays.items()},
    )


def _header(path: str | Path, name: str, content: bytes) -> dict[str, _Entry]:
    """Return what a safetensors file says of its tensors; refuse what no artifact holds."""
    try:
        (length,) = struct.unpack_from("<Q", content)
        if length > len(content) - 8:
            raise ValueError("the header is longer than the file")
        document = json.loads(content[8 : 8 + length])
        entries = {
            key: _Entry(about["dtype"], tuple(about["shape"]))
            for key, about in document.items()
            if key != "__metadata__"
        }
        sizes = {key: [int(place) for place in document[key]["data_offsets"]] for key in entries}
        for key, entry in entries.items():
            if entry.kind not in _WIDTHS:
                raise ValueError(f"{key} holds numbers of kind {entry.kind}")
            if not all(type(size) is int and size >= 0 for size in entry.shape):
                raise ValueError(f"{key} has the shape {entry.shape}")
            start, stop = sizes[key]
            if stop > len(content) - 8 - length:
                raise ValueError(f"{key} is cut off")
            # Each size by itself too: beside a size of 0, any other size would pass.
            is_long = any(size > len(content) for size in entry.shape)
            if is_long or math.prod(entry.shape) * _WIDTHS[entry.kind] != stop - start:
                raise ValueError(f"{key} has another length than its shape {entry.shape} says")
    except (struct.error, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ArtifactError(f"the {name} of {path} cannot be read: {error}") from error
    return entries


def _check_size(path: str | Path, config: NetworkConfig, header: Mapping[str, _Entry]) -> None:
    """Refuse a configuration of more layers than there are tensors, before a layer is built."""
    if config.n_layers > len(header):
        raise ArtifactError(
            f"the weights in {path} do not fit the network of its configuration",
            found=f"{len(header)} tensors",
            wanted=f"those of {config.n_layers} layers",
        )


def _check_weights(path: str | Path, network: SAMoVARNetwork, header: Mapping[str, _Entry]) -> None:
    kinds = {torch.float64: "F64", torch.float32: "F32", torch.int64: "I64", torch.bool: "BOOL"}
    wanted = {
        name: _Entry(kinds.get(tensor.dtype, str(tensor.dtype)), tuple(tensor.shape))
        for name, tensor in network.state_dict().items()
    }
    different = sorted(
        name for name in wanted.keys() | header.keys() if wanted.get(name) != header.get(name)
    )
    if different:
        name = different[0]
        raise ArtifactError(
            f"the weights in {path} do not fit the network of its configuration",
            found=f"{name}: {_told(header.get(name))}",
            wanted=_told(wanted.get(name)),
        )


def _told(entry: _Entry | None) -> str:
    return "nothing" if entry is None else f"{entry.kind} {entry.shape}"


def _check_finite(path: str | Path, weights: Mapping[str, Tensor]) -> None:
    for name, tensor in weights.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise ArtifactError(
                f"the weights in {path} are not finite, and a forecast would be NaN", found=name
            )


def _to_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    # Tensors that share their memory, or lie across it, cannot be written.
    return save({name: tensor.contiguous().clone() for name, tensor in tensors.items()})
