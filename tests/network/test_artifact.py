"""A network comes back with the same weights, and none is built that its weights do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmarks.harness import peak_tensor_bytes
from samovar_forecast import NetworkConfig, SAMoVARNetwork
from samovar_forecast.artifact import KIND, NUMBERS
from samovar_forecast.artifact.tensors import from_bytes, to_bytes
from samovar_forecast.bundle import read_bundle, write_bundle
from samovar_forecast.exceptions import ArtifactError
from samovar_forecast.network.artifact import build_network
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
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


def network(seed: int = 0, config: NetworkConfig = CONFIG) -> SAMoVARNetwork:
    return SAMoVARNetwork(config, torch.Generator().manual_seed(seed)).eval()


@pytest.fixture(params=["folder", "file.zip"])
def saved(request, tmp_path) -> Path:
    path = tmp_path / "new" / request.param
    network().save_artifact(path)
    return path


def forge(path: Path, config: dict | None = None, **tensors: torch.Tensor | None) -> None:
    """Change configuration and tensors, all checksums right, as someone who knows how would."""
    known = read_bundle(path, KIND, (NUMBERS,))
    state = {"config": {**known.content["state"]["config"], **(config or {})}}
    numbers = {**from_bytes(known.files[NUMBERS], "it"), **tensors}
    numbers = {name: tensor for name, tensor in numbers.items() if tensor is not None}
    write_bundle(path, KIND, {**known.content, "state": state}, {NUMBERS: to_bytes(numbers)})


@pytest.mark.parametrize("structure", ["direct", "none"])
@pytest.mark.parametrize("double", [False, True])
def test_a_network_comes_back_bit_for_bit_on_the_cpu_in_eval_mode(tmp_path, structure, double):
    config = NetworkConfig(2, 3, 9, d_model=8, n_layers=2, structure=structure)
    own = network(1, config).train()
    own = own.double() if double else own
    own.save_artifact(tmp_path / "network.zip")
    state = torch.random.get_rng_state()
    found = SAMoVARNetwork.load_artifact(tmp_path / "network.zip")
    assert torch.equal(torch.random.get_rng_state(), state)
    assert found.config == config
    assert not found.training
    assert all(parameter.requires_grad for parameter in found.parameters())
    window = torch.randn(3, 9, 2, generator=torch.Generator().manual_seed(1))
    window = window.double() if double else window
    assert torch.equal(found(window).forecast, own.eval()(window).forecast)


def test_it_comes_back_whatever_the_defaults_of_torch_are(saved):
    window = torch.ones(1, 9, 2)
    torch.set_default_dtype(torch.float64)
    try:
        with torch.inference_mode(), torch.device("meta"):
            found = SAMoVARNetwork.load_artifact(saved)
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(found(window).forecast, network()(window).forecast)
    assert not any(parameter.is_inference() for parameter in found.parameters())


def test_the_same_network_gives_the_same_bytes_and_is_replaced(saved, tmp_path):
    again = tmp_path / f"again{saved.suffix}"
    network().save_artifact(again)
    assert files_of(again) == files_of(saved)
    network(5).save_artifact(saved)
    found = SAMoVARNetwork.load_artifact(saved)
    assert torch.equal(found.head.weight, network(5).head.weight)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"d_model": 2**13, "n_heads": 1}, "do not fit its configuration"),
        ({"n_layers": 1000}, "do not fit its configuration"),
        ({"d_model": 2**20, "n_layers": 100}, "has about 1e"),
        ({"n_layers": 10**12}, "at most 1000"),
        ({"n_series": -1}, "n_series must be an integer"),
        ({"n_series": True}, "n_series cannot be read|is no int"),
        ({"surprise": 1}, "no field 'surprise'"),
        ({"qv_norm": 1}, "is no bool"),
    ],
)
def test_a_configuration_that_does_not_fit_the_weights_is_refused_at_once(
    saved, config, told, monkeypatch
):
    forge(saved, config)
    made = []
    initialize = torch.nn.Module.__init__
    monkeypatch.setattr(
        torch.nn.Module,
        "__init__",
        lambda self, *a, **k: made.append(1) or initialize(self, *a, **k),
    )
    network()
    of_a_network = len(made)
    made.clear()

    def load() -> None:
        with pytest.raises(ArtifactError, match=told):
            SAMoVARNetwork.load_artifact(saved)

    assert peak_tensor_bytes(load) < 1_000_000  # those that are asked for take a gigabyte and more
    assert len(made) <= of_a_network


def test_weights_that_are_missing_not_known_or_not_finite_are_refused(saved):
    for changes, told in (
        ({"network.head.weight": None}, "nothing"),
        ({"network.more": torch.zeros(2)}, r"more: torch\.float32 \(2,\)"),
        ({"network.head.weight": torch.full((3, 8), torch.nan)}, "not finite"),
        ({"network.head.weight": torch.full((3, 8), torch.inf)}, "not finite"),
        ({"network.head.weight": torch.zeros(3, 8).double()}, "do not fit"),
        ({"other": torch.zeros(2)}, "belong to nothing"),
    ):
        network().save_artifact(saved)
        forge(saved, **changes)
        with pytest.raises(ArtifactError, match=told):
            SAMoVARNetwork.load_artifact(saved)


def test_an_artifact_of_something_else_is_refused(saved):
    known = read_bundle(saved, KIND, (NUMBERS,))
    for change, told in (
        ({"holds": "sktime forecaster"}, "holds something else"),
        ({"hook": "import os"}, "that of no artifact"),
        ({"state": "mine"}, "cannot be read|is no network"),
        ({"card": []}, "that of no artifact"),
    ):
        write_bundle(saved, KIND, {**known.content, **change}, known.files)
        with pytest.raises(ArtifactError, match=told):
            SAMoVARNetwork.load_artifact(saved)


def test_the_pretrained_network_is_built_from_its_weights_alone():
    config = ZeroShotConfig(width=8, n_layers=1)
    own = ZeroShotNetwork(config, torch.Generator().manual_seed(0)).eval()
    found = build_network(ZeroShotNetwork, config, own.state_dict(), "it")
    values = torch.randn(1, 40, 2, generator=torch.Generator().manual_seed(1)).cumsum(1)
    assert torch.equal(found.forecast(values, 3), own.forecast(values, 3))
