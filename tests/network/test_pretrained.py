"""Pretrained weights: what was written is what is read, or it is refused."""

import hashlib
import json
import random

import pytest
import torch

from samovar_forecast import exceptions
from samovar_forecast.artifact.tensors import from_bytes, to_bytes
from samovar_forecast.bundle import checksum_of
from samovar_forecast.network import pretrained
from samovar_forecast.network.pretrained import load_pretrained, save_pretrained
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
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
    with pytest.raises(exceptions.ArtifactError, match="not as it was written"):
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
    """Change the card, its checksum right, as someone who knows how would."""
    path = folder / "card.json"
    card = json.loads(path.read_text("utf-8")) | changes
    card = {key: value for key, value in card.items() if value is not None}
    if "checksum" in card:
        card["checksum"] = checksum_of(card)
    path.write_text(json.dumps(card))


SHAPE = SMALL.to_dict()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "another 3"}, "another format"),
        ({"format": None}, "another format"),
        ({"format": ["samovar_forecast pretrained 2"]}, "another format"),
        ({"checksum": None}, "not as it was written"),
        ({"sha256": "0" * 64}, "not as it was written"),
        ({"sha256": None}, "not as it was written"),
        ({"network": {"width": 32, "n_layers": 1}}, "no pretrained network"),
        ({"network": {"size": 32}}, "no pretrained network"),
        ({"network": None}, "no pretrained network"),
        ({"network": SHAPE | {"heads": 0, "decays": []}}, "heads must divide"),
        ({"network": SHAPE | {"heads": 4.0}}, "no pretrained network"),
        ({"network": SHAPE | {"n_layers": 10**12}}, "no pretrained network"),
        ({"network": SHAPE | {"width": 10**30}}, "no pretrained network"),
        ({"network": SHAPE | {"decays": [1.0, 1.0, 1.0, "nan"]}}, "has a decay"),
        ({"network": SHAPE | {"quantiles": [0.5, 1.5]}}, r"inside \(0, 1\)"),
        ({"network": SHAPE | {"structure": "none"}}, "no pretrained network"),
    ],
)
def test_a_card_that_does_not_fit_the_weights_is_refused(tmp_path, changes, message):
    written(tmp_path)
    edited(tmp_path, **changes)
    with pytest.raises(exceptions.ArtifactError, match=message):
        load_pretrained(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[1]", b"[" * 50_000, b"null", b" " * (16 * 2**20 + 1)],
    ids=["empty", "cut", "no text", "a list", "nested", "nothing", "long"],
)
def test_a_card_that_is_no_card_is_refused(tmp_path, content):
    written(tmp_path)
    (tmp_path / "card.json").write_bytes(content)
    with pytest.raises(exceptions.ArtifactError, match=r"no pretrained network|another format"):
        load_pretrained(tmp_path)


@pytest.mark.parametrize("name", ["card.json", "weights.safetensors"])
def test_one_file_without_the_other_is_refused(tmp_path, name):
    written(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(exceptions.ArtifactError, match="no pretrained network"):
        load_pretrained(tmp_path)
    (tmp_path / name).mkdir()
    with pytest.raises(exceptions.ArtifactError, match="no pretrained network"):
        load_pretrained(tmp_path)


@pytest.mark.parametrize("name", ["card.json", "weights.safetensors"])
def test_every_flipped_bit_and_every_cut_is_refused(tmp_path, name):
    written(tmp_path)
    path, draw = tmp_path / name, random.Random(0)
    whole = path.read_bytes()
    told = json.loads(whole) if name == "card.json" else None
    for _ in range(40):
        place = draw.randrange(len(whole) - 2)  # the end of the line says nothing
        flipped = bytearray(whole)
        flipped[place] ^= 1 << draw.randrange(8)
        for damaged in (bytes(flipped), whole[:place]):
            path.write_bytes(damaged)
            try:
                load_pretrained(tmp_path)
            except exceptions.ArtifactError:
                continue
            assert json.loads(damaged) == told  # white space for other white space


def test_weights_that_are_not_finite_are_refused(tmp_path):
    written(tmp_path)
    path = tmp_path / "weights.safetensors"
    weights = from_bytes(path.read_bytes(), "them")
    weights["trust"][0] = torch.nan
    path.write_bytes(to_bytes(weights))
    edited(tmp_path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(exceptions.ArtifactError, match="not finite"):
        load_pretrained(tmp_path)


def test_a_card_of_the_format_before_is_read_and_becomes_one_of_the_new_format(tmp_path):
    network = written(tmp_path, seed=3)
    edited(tmp_path, checksum=None, format="samovar_forecast pretrained 1")
    old = load_pretrained(tmp_path)
    assert torch.equal(old.network.head.weight, network.head.weight)
    save_pretrained(old.network, old.card, tmp_path / "new")
    new = load_pretrained(tmp_path / "new")
    assert new.card["format"] == "samovar_forecast pretrained 2"
    assert new.card["seed"] == 3
    weights = [
        (folder / "weights.safetensors").read_bytes() for folder in (tmp_path, tmp_path / "new")
    ]
    assert weights[0] == weights[1]


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


def test_a_row_more_moves_every_token_and_a_whole_patch_more_still_some():
    network = load_pretrained().network
    patch = network.config.patch_length
    values = torch.randn(1, 512 + patch, 1, generator=torch.Generator().manual_seed(0)).cumsum(1)

    def tokens(n_rows):
        return network.remember(values[:, :n_rows], torch.ones(1, dtype=torch.long)).tokens[0, 0]

    before = tokens(512)
    n_patches = len(before)
    moved = [(tokens(512 + n)[:n_patches] - before).abs().amax(-1) > 1e-4 for n in (1, patch)]
    assert moved[0].all()
    assert 0 < moved[1].float().mean() < 1
