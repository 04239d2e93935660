"""Tensors as bytes in the form of safetensors; bytes of strangers are checked before they are read.

A header may ask for any size. Here each size is held against the length of the bytes first, so that
reading takes no more memory than the bytes are long.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from samovar_forecast.exceptions import ArtifactError

WIDTHS = {"F64": 8, "F32": 4, "I64": 8, "I32": 4, "BOOL": 1}
"""Bytes of the kinds of numbers that are read, by the names of safetensors."""


def to_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """Return tensors, on any device, as bytes; their strides are not kept."""
    # Tensors that share their memory, or lie across it, cannot be written.
    return save(
        {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    )


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
    except (
        *(struct.error, SafetensorError, ValueError, KeyError, TypeError, AttributeError),
        *(RuntimeError, OverflowError, MemoryError, RecursionError),
    ) as error:
        raise ArtifactError(f"{what} cannot be read: {error}") from error


def _check_header(content: bytes) -> None:
    (length,) = struct.unpack_from("<Q", content)
    n_after = len(content) - 8 - length
    if n_after < 0:
        raise ValueError("the header is longer than the file")
    for name, about in json.loads(content[8 : 8 + length]).items():
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
