"""Tensors come back as they were, and bytes of anything else are refused before they are read."""

from __future__ import annotations

import json
import struct

import pytest
import torch

from samovar_forecast.artifact.tensors import from_bytes, to_bytes
from samovar_forecast.exceptions import ArtifactError


def header(**entries: dict) -> bytes:
    """Return a safetensors file of this header, without a number in it."""
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text


def entry(kind: str, shape: object, stop: int = 0) -> dict:
    return {"dtype": kind, "shape": shape, "data_offsets": [0, stop]}


def test_tensors_of_every_kind_come_back_even_if_they_share_their_memory():
    whole = torch.arange(12.0).reshape(3, 4)
    tensors = {
        "across": whole.T,
        "part": whole[1:],
        "whole": whole.double(),
        "none": torch.empty(0, 3, dtype=torch.int64),
        "yes": torch.tensor([True, False]),
        "number": torch.tensor(3, dtype=torch.int32),
    }
    found = from_bytes(to_bytes(tensors), "the numbers")
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x04K\x01.",  # a pickle
        b"",
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 100_000) + b"[" * 100_000,
        struct.pack("<Q", 2) + b"[]",
        header(scores=entry("F64", [0, 2**60, 3])),
        header(scores=entry("F64", [-1, -1])),
        header(scores=entry("F64", [2**62, 2**62])),
        header(scores=entry("F64", "many")),
        header(scores=entry("F64", [1.0], 8)) + bytes(8),
        header(scores=entry("BF16", [4], 8)) + bytes(8),
        header(scores=entry("F8_E4M3", [8], 8)) + bytes(8),
        header(scores=entry("F64", [True], 8)) + bytes(8),
        header(scores={"dtype": "F64"}),
        header(scores=entry("F64", [1], 8)),  # cut off
        header(scores=entry("F64", [1], 8)) + bytes(16),  # too long
    ],
)
def test_crafted_bytes_are_refused(content):
    with pytest.raises(ArtifactError, match=r"the numbers of model\.zip cannot be read"):
        from_bytes(content, "the numbers of model.zip")
