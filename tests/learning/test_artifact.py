"""What was saved comes back bit for bit, and what is not as it was written is refused."""

from __future__ import annotations

import json
import pickle
import struct
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from samovar_forecast.bundle import read_bundle, write_bundle
from samovar_forecast.config import NetworkConfig
from samovar_forecast.exceptions import ArtifactError, ConfigurationError
from samovar_forecast.learning.artifact import KIND, load_artifact, save_artifact
from samovar_forecast.network import SAMoVARNetwork
from tests.builders.bundles import files_of

CONFIG = NetworkConfig(
    n_series=2,
    patch_length=3,
    context_length=9,
    d_model=8,
    n_layers=1,
    missing_values=True,
    anchor=(2, 1),
)
DESCRIPTION = {"names": ["a", 2], "nested": {"ready": True, "levels": [0.1, 0.9]}}
ARRAYS = {"scores": np.random.default_rng(0).normal(size=(4, 3, 2))}


def network(seed: int = 0) -> SAMoVARNetwork:
    return SAMoVARNetwork(CONFIG, torch.Generator().manual_seed(seed)).eval()


@pytest.fixture(params=["folder", "file.zip"])
def saved(request, tmp_path) -> Path:
    path = tmp_path / "new" / request.param
    save_artifact(path, network(), DESCRIPTION, ARRAYS)
    return path


def forge(path: Path, changes: dict, **files: bytes) -> None:
    """Change the document and some files, all checksums right, as someone who knows how would."""
    known = read_bundle(path, KIND, ("weights", "arrays"))
    write_bundle(path, KIND, known.content | changes, known.files | files)


def test_network_description_and_arrays_come_back_bit_for_bit(saved):
    found = load_artifact(saved)
    assert found.description == DESCRIPTION
    np.testing.assert_array_equal(found.arrays["scores"], ARRAYS["scores"])
    assert found.arrays["scores"].dtype == np.float64
    assert found.network.config == CONFIG
    window = torch.randn(3, 9, 2, generator=torch.Generator().manual_seed(1))
    assert torch.equal(found.network(window).forecast, network()(window).forecast)
    assert not found.network.training
    assert all(parameter.requires_grad for parameter in found.network.parameters())


def test_the_same_network_gives_the_same_bytes(saved, tmp_path):
    again = tmp_path / f"again{saved.suffix}"
    save_artifact(again, network(), DESCRIPTION, ARRAYS)
    if saved.is_file():
        assert again.read_bytes() == saved.read_bytes()
    assert files_of(again) == files_of(saved)


def test_an_artifact_holds_no_pickle_and_none_is_read(saved, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("unpickled")

    for content in files_of(saved).values():
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the unpickler says
            pickle.loads(content)
    monkeypatch.setattr(torch, "load", refuse)
    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    assert load_artifact(saved).description == DESCRIPTION


def test_an_artifact_is_replaced(saved):
    save_artifact(saved, network(seed=5), {}, {})
    assert load_artifact(saved).arrays == {}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"d_model": 2**20, "n_layers": 100}, "do not fit the network of its configuration"),
        ({"n_layers": 100_000}, "do not fit the network of its configuration"),
        ({"n_layers": 10**12}, "do not fit the network of its configuration"),
        ({"n_series": -1}, "n_series must be an integer"),
        ({"surprise": 1}, "no field 'surprise'"),
    ],
)
def test_a_configuration_that_does_not_fit_the_weights_is_refused_at_once(saved, changes, told):
    forge(saved, {"network": CONFIG.to_dict() | changes})
    began = time.process_time()
    with pytest.raises(ArtifactError, match=told):
        load_artifact(saved)
    assert time.process_time() - began < 5


def header(**entries: dict) -> bytes:
    """Return a safetensors file of this header, without a number in it."""
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text


def entry(kind: str, shape: list, stop: int = 0) -> dict:
    return {"dtype": kind, "shape": shape, "data_offsets": [0, stop]}


@pytest.mark.parametrize(
    "scores",
    [
        b"\x80\x04K\x01.",  # a pickle
        b"",
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 100_000) + b"[" * 100_000,
        header(scores=entry("F64", [0, 2**60, 3])),
        header(scores=entry("F64", [-1, -1])),
        header(scores=entry("F64", [2**62, 2**62])),
        header(scores=entry("F64", "many")),
        header(scores=entry("F64", [1.0], 8)) + bytes(8),
        header(scores=entry("BF16", [4], 8)) + bytes(8),
        header(scores=entry("F8_E4M3", [8], 8)) + bytes(8),
        header(scores={"dtype": "F64"}),
        header(scores=entry("F64", [1], 8)),  # cut off
    ],
)
@pytest.mark.parametrize("part", ["weights", "arrays"])
def test_a_crafted_file_of_numbers_is_refused(saved, part, scores):
    forge(saved, {}, **{part: scores})
    with pytest.raises(ArtifactError, match=rf"the {part} of .* cannot be read|cannot be read:"):
        load_artifact(saved)


def test_weights_that_are_not_there_or_not_finite_are_refused(saved):
    state = network().state_dict()
    some = {name: one.clone() for name, one in list(state.items())[1:]}
    forge(saved, {}, weights=save(some))
    with pytest.raises(ArtifactError, match=r"found: .*nothing"):
        load_artifact(saved)
    for bad in (torch.nan, torch.inf):
        spoilt = {name: one.clone() for name, one in state.items()}
        spoilt["head.weight"][0, 0] = bad
        forge(saved, {}, weights=save(spoilt))
        with pytest.raises(ArtifactError, match=r"not finite.*head\.weight"):
            load_artifact(saved)


def test_other_fields_of_the_document_are_refused(saved):
    forge(saved, {"hook": "import os"})
    with pytest.raises(ArtifactError, match="that of no artifact"):
        load_artifact(saved)
    save_artifact(saved, network(), DESCRIPTION, ARRAYS)
    forge(saved, {"network": "mine"})
    with pytest.raises(ArtifactError, match="that of no artifact"):
        load_artifact(saved)


def test_nothing_there_is_refused_by_name(tmp_path):
    with pytest.raises(ArtifactError, match=r"nowhere is no artifact.*artifact\.json"):
        load_artifact(tmp_path / "nowhere")


def test_a_description_that_json_cannot_hold_is_refused(tmp_path):
    for bad in ({"when": object()}, {"loss": float("nan")}):
        with pytest.raises(ConfigurationError, match="nothing that JSON can hold"):
            save_artifact(tmp_path / "new", network(), bad, {})
    assert not (tmp_path / "new").exists()


def test_an_artifact_of_before_a_setting_was_there_is_read_with_its_default(saved):
    earlier = CONFIG.to_dict()
    earlier.pop("qv_norm")
    forge(saved, {"network": earlier})
    assert load_artifact(saved).network.config == CONFIG
