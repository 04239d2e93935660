"""Tensors as bytes in the form of safetensors; bytes of strangers are checked before they are read.

A header may ask for any size. Here each size is held against the length of the bytes first, so that
reading takes no more memory than the bytes are long.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from samovar_forecast.exceptions import ArtifactError

WIDTHS = {"F64": 8, "F32": 4, "I64": 8, "I32": 4, "BOOL": 1}
"""Bytes of the kinds of numbers that are read, by the names of safetensors."""

_FOREIGN = (
    *(struct.error, SafetensorError, ValueError, KeyError, TypeError, AttributeError),
    *(RuntimeError, OverflowError, MemoryError, RecursionError),
)
"""What bytes of strangers may end in."""


def to_bytes(tensors: Mapping[str, Tensor], about: Mapping[str, str] | None = None) -> bytes:
    """Return tensors, on any device, as bytes; their strides are not kept.

    ``about`` is text beside them, which :func:`about_of` returns.
    """
    # Tensors that share their memory, or lie across it, cannot be written.
    own = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    return save(own, None if about is None else dict(about))


def about_of(content: bytes, what: str) -> dict[str, str]:
    """Return the text beside the tensors of :func:`to_bytes`; bytes after them do not matter.

    Raises
    ------
    ArtifactError
        If the bytes do not begin as those of :func:`to_bytes`.
    """
    try:
        about = _header(content).get("__metadata__", {})
        if not all(isinstance(text, str) for pair in about.items() for text in pair):
            raise TypeError("there is something else than text beside the numbers")
        return about
    except _FOREIGN as error:
        raise ArtifactError(f"{what} cannot be read: {error}") from error


def from_bytes(content: bytes, what: str) -> dict[str, Tensor]:
    """Return the tensors of :func:`to_bytes`, on the CPU, by name.

    Parameters
    ----------
    content : bytes
    what : str
        What the bytes are, for the message: ``"the numbers of model.zip"``.

    Raises
    ------
    ArtifactError
        If the bytes are something else, cut off, or hold numbers of an unknown kind.
    """
    try:
        _check_header(content)
        return load(content)
    except _FOREIGN as error:
        raise ArtifactError(f"{what} cannot be read: {error}") from error


def _header(content: bytes) -> dict[str, Any]:
    (length,) = struct.unpack_from("<Q", content)
    if 8 + length > len(content):
        raise ValueError("the header is longer than the file")
    header = json.loads(content[8 : 8 + length])
    if not isinstance(header, dict):
        raise TypeError("the header is no object of JSON")
    return header


def _check_header(content: bytes) -> None:
    (length,) = struct.unpack_from("<Q", content)
    n_after = len(content) - 8 - length
    for name, about in _header(content).items():
        if name == "__metadata__":
            continue
        shape = about["shape"]
        if about["dtype"] not in WIDTHS:
            raise ValueError(f"{name} holds numbers of kind {about['dtype']}")
        if not all(type(size) is int and size >= 0 for size in shape):
            raise ValueError(f"{name} has the shape {shape}")
        start, stop = (int(place) for place in about["data_offsets"])
        if stop > n_after:
            raise ValueError(f"{name} is cut off")
        # Each size by itself too: beside a size of 0, any other size would pass.
        is_long = any(size > len(content) for size in shape)
        if is_long or math.prod(shape) * WIDTHS[about["dtype"]] != stop - start:
            raise ValueError(f"{name} has another length than its shape {shape} says")
