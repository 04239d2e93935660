"""What was saved comes back bit for bit, and what is not as it was written is refused."""

from __future__ import annotations

import hashlib
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from samovar_forecast.config import NetworkConfig
from samovar_forecast.exceptions import ArtifactError, ConfigurationError
from samovar_forecast.learning.artifact import _checksum, load_artifact, save_artifact
from samovar_forecast.network import SAMoVARNetwork

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


def contents(path: Path) -> dict[str, bytes]:
    if path.is_dir():
        return {one.name: one.read_bytes() for one in path.iterdir()}
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path: Path, files: dict[str, bytes]) -> None:
    if path.is_dir():
        for name, content in files.items():
            (path / name).write_bytes(content)
        return
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def forged(files: dict[str, bytes], **changes: object) -> dict[str, bytes]:
    """Change the document and compute all checksums anew, as someone who knows how would."""
    document = json.loads(files["artifact.json"]) | changes
    document["checksums"] = {
        name: hashlib.sha256(content).hexdigest()
        for name, content in files.items()
        if name != "artifact.json"
    }
    document["checksum"] = _checksum(document)
    return files | {"artifact.json": json.dumps(document).encode()}


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
    assert contents(again) == contents(saved)


def test_an_artifact_holds_no_pickle_and_none_is_read(saved, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("unpickled")

    for content in contents(saved).values():
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the unpickler says
            pickle.loads(content)
    monkeypatch.setattr(torch, "load", refuse)
    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    assert load_artifact(saved).description == DESCRIPTION


def test_an_artifact_is_replaced_and_anything_else_is_not(saved, tmp_path):
    save_artifact(saved, network(seed=5), {}, {})
    assert load_artifact(saved).arrays == {}
    for path in (tmp_path / "folder of mine", tmp_path / "file of mine"):
        if path.name.startswith("folder"):
            path.mkdir()
            (path / "letter.txt").write_text("dear")
        else:
            path.write_text("dear")
        with pytest.raises(ArtifactError, match="is something else than an artifact"):
            save_artifact(path, network(), {}, {})
    assert (tmp_path / "file of mine").read_text() == "dear"
    assert [one.name for one in (tmp_path / "folder of mine").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("name", ["artifact.json", "weights.safetensors", "arrays.safetensors"])
def test_one_changed_byte_or_a_missing_file_is_refused(saved, name):
    files = contents(saved)
    for place in (10, len(files[name]) // 2, len(files[name]) - 2):
        changed = bytearray(files[name])
        changed[place] ^= 1
        write(saved, files | {name: bytes(changed)})
        with pytest.raises(ArtifactError, match=r"as it was written|no JSON|no artifact"):
            load_artifact(saved)
    if saved.is_dir():
        (saved / name).unlink()
    else:
        write(saved, {key: one for key, one in files.items() if key != name})
    with pytest.raises(ArtifactError, match="is no artifact"):
        load_artifact(saved)


def test_a_configuration_that_does_not_fit_the_weights_is_refused_however_large(saved):
    huge = CONFIG.to_dict() | {"d_model": 2**20, "n_layers": 100}  # terabytes, if it were built
    write(saved, forged(contents(saved), network=huge))
    with pytest.raises(ArtifactError, match="do not fit the network of its configuration"):
        load_artifact(saved)
    write(saved, forged(contents(saved), network=CONFIG.to_dict() | {"n_series": -1}))
    with pytest.raises(ArtifactError, match="n_series must be an integer"):
        load_artifact(saved)
    write(saved, forged(contents(saved), network=CONFIG.to_dict() | {"surprise": 1}))
    with pytest.raises(ArtifactError, match="no field 'surprise'"):
        load_artifact(saved)


def test_other_weights_formats_and_versions_are_refused(saved):
    files = contents(saved)
    state = network().state_dict()
    some = {name: one.clone() for name, one in list(state.items())[1:]}
    write(saved, forged(files | {"weights.safetensors": save(some)}))
    with pytest.raises(ArtifactError, match=r"found: .*nothing"):
        load_artifact(saved)
    write(saved, forged(files | {"weights.safetensors": b"\x80\x04K\x01."}))  # a pickle
    with pytest.raises(ArtifactError, match="cannot be read"):
        load_artifact(saved)
    write(saved, forged(files, version=2))
    with pytest.raises(ArtifactError, match=r"not known here.*samovar_forecast 2"):
        load_artifact(saved)
    write(saved, forged(files, hook="import os"))
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
    files = contents(saved)
    document = json.loads(files["artifact.json"])
    document["network"].pop("qv_norm")
    write(saved, forged(files, network=document["network"]))
    assert load_artifact(saved).network.config == CONFIG
