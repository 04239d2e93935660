"""Pretrained weights: what was written is what is read, or it is refused."""

import json

import pytest
import torch

from samovar_forecast import exceptions
from samovar_forecast.network import pretrained
from samovar_forecast.network.pretrained import load_pretrained, save_pretrained
from samovar_forecast.network.zero_shot import ZeroShotConfig, ZeroShotNetwork
from tests.builders.panels import seasonal_walks

SMALL = ZeroShotConfig(width=16, n_layers=1)


def written(folder, **card):
    network = ZeroShotNetwork(SMALL, torch.Generator().manual_seed(0))
    save_pretrained(network, card, folder)
    return network


def test_weights_that_are_not_as_written_are_refused(tmp_path):
    with pytest.raises(exceptions.NotFittedError, match="no pretrained weights"):
        load_pretrained(tmp_path)
    network = ZeroShotNetwork(SMALL)
    save_pretrained(network, {"seed": 3}, tmp_path)
    loaded = load_pretrained(tmp_path)
    assert loaded.card["seed"] == 3
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.network.state_dict()[name], value)
    path = tmp_path / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\1")
    with pytest.raises(exceptions.ConfigurationError, match="not as it was written"):
        load_pretrained(tmp_path)


def test_a_network_that_was_read_forecasts_as_the_one_that_was_written(tmp_path):
    network = written(tmp_path / "new" / "folder", steps=7)
    loaded = load_pretrained(str(tmp_path / "new" / "folder"))
    y = seasonal_walks()
    assert torch.equal(loaded.network.forecast(y, 70, 12), network.eval().forecast(y, 70, 12))
    assert loaded.network.config == SMALL
    assert not loaded.network.training
    assert loaded.card["steps"] == 7
    assert loaded.card["parameters"] == sum(value.numel() for value in network.parameters())


def test_writing_replaces_what_was_there_and_leaves_nothing_unfinished(tmp_path):
    written(tmp_path, seed=1)
    written(tmp_path, seed=2)
    assert load_pretrained(tmp_path).card["seed"] == 2
    assert sorted(file.name for file in tmp_path.iterdir()) == ["card.json", "weights.safetensors"]


def edited(folder, **changes):
    path = folder / "card.json"
    card = json.loads(path.read_text("utf-8")) | changes
    path.write_text(json.dumps({key: value for key, value in card.items() if value is not None}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "another 3"}, "another format"),
        ({"sha256": "0" * 64}, "not as it was written"),
        ({"network": {"width": 32, "n_layers": 1}}, "no pretrained network"),
        ({"network": {"size": 32}}, "no pretrained network"),
        ({"network": None}, "no pretrained network"),
        ({"format": None}, "no pretrained network"),
    ],
)
def test_a_card_that_does_not_fit_the_weights_is_refused(tmp_path, changes, message):
    written(tmp_path)
    edited(tmp_path, **changes)
    with pytest.raises(exceptions.ConfigurationError, match=message):
        load_pretrained(tmp_path)


def test_a_card_that_is_no_json_is_refused(tmp_path):
    written(tmp_path)
    (tmp_path / "card.json").write_text("{")
    with pytest.raises(exceptions.ConfigurationError, match="no pretrained network"):
        load_pretrained(tmp_path)


def test_without_weights_the_error_says_how_to_train_some(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "weights")
    with pytest.raises(exceptions.NotFittedError, match=r"samovar_forecast\.pretraining"):
        load_pretrained()
    written(tmp_path / "weights")
    assert load_pretrained().network.config == SMALL


def test_the_weights_of_the_package_are_whole_small_and_say_where_they_come_from():
    found = load_pretrained()
    assert (pretrained.FOLDER / "weights.safetensors").stat().st_size < 8e6
    assert {"trained_on", "parts", "seed", "steps", "curve", "sha256"} <= found.card.keys()
    assert "no real series" in found.card["trained_on"]


def test_the_network_of_the_package_forecasts_what_goes_on_as_it_was():
    time = torch.arange(144.0 + 12)
    y = (0.1 * time + torch.sin(2 * torch.pi * time / 12))[None, :, None]
    network = load_pretrained().network
    median = network.forecast(y[:, :144], 12, 12)[..., network.config.quantiles.index(0.5)]
    error = (median - y[:, 144:]).abs().mean()
    assert error < 0.1 * (y[:, 143:144] - y[:, 144:]).abs().mean()
