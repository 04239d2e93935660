"""A checkpoint holds a run to the bit, or is refused."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from samovar_forecast import exceptions
from samovar_forecast.network.zero_shot import ZeroShotConfig
from samovar_forecast.pretraining.batches import Sizes, batches
from samovar_forecast.pretraining.checkpoint import load_checkpoint, save_checkpoint
from samovar_forecast.pretraining.training import Pretraining, Recipe

SMALL = Recipe(network=ZeroShotConfig(width=16, n_layers=1))


def test_a_checkpoint_is_whole_or_not_at_all(tmp_path):
    path = tmp_path / "run.safetensors"
    save_checkpoint(Pretraining(SMALL), path)
    assert [file.name for file in tmp_path.iterdir()] == ["run.safetensors"]
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(exceptions.ConfigurationError, match="cannot be read"):
        load_checkpoint(path)
    with pytest.raises(exceptions.ConfigurationError, match="cannot be read"):
        load_checkpoint(tmp_path / "nothing")


def trained():
    """Return a run after two steps, so that every part of it has moved."""
    recipe = replace(SMALL, sizes=Sizes(contexts=(64,), context_weights=(1.0,), positions=64))
    run = Pretraining(recipe)
    source = batches(0, 0, recipe.network, run.device, recipe.sizes)
    for _ in range(2):
        run._step(next(source), 1e-3)
    run.progress.curve.append({"step": 2, "loss": 0.5, "families": {"levels": 1.0}})
    run.progress.parts.append({"commit": "abc", "from_step": 0})
    return run


def test_what_is_read_is_what_was_written_to_the_bit(tmp_path):
    run = trained()
    save_checkpoint(run, tmp_path / "run")
    read = load_checkpoint(tmp_path / "run")
    assert read.recipe == run.recipe
    assert read.progress == run.progress
    for mine, its in ((run.network, read.network), (run.average, read.average)):
        for name, value in mine.state_dict().items():
            assert torch.equal(its.state_dict()[name], value), name
    assert not torch.equal(run.network.head.weight, run.average.head.weight)
    for mine, its in zip(run.network.parameters(), read.network.parameters(), strict=True):
        moments, its_moments = run.optimizer.state[mine], read.optimizer.state[its]
        assert moments.keys() == its_moments.keys()
        for name, value in moments.items():
            assert torch.equal(its_moments[name], value), name


def test_a_run_that_has_not_begun_can_be_written_and_read(tmp_path):
    save_checkpoint(Pretraining(SMALL), tmp_path / "new" / "run")
    read = load_checkpoint(tmp_path / "new" / "run")
    assert read.progress.step == 0
    assert not read.optimizer.state


def test_a_later_checkpoint_replaces_an_earlier_one(tmp_path):
    save_checkpoint(Pretraining(SMALL), tmp_path / "run")
    save_checkpoint(trained(), tmp_path / "run")
    assert load_checkpoint(tmp_path / "run").progress.step == 2
    assert [file.name for file in tmp_path.iterdir()] == ["run"]


def test_a_file_of_another_kind_is_refused(tmp_path):
    save_file({"x": torch.zeros(2)}, tmp_path / "other", {"format": "something 1"})
    with pytest.raises(exceptions.ConfigurationError, match="no checkpoint"):
        load_checkpoint(tmp_path / "other")
    save_file({"x": torch.zeros(2)}, tmp_path / "plain")
    with pytest.raises(exceptions.ConfigurationError, match="no checkpoint"):
        load_checkpoint(tmp_path / "plain")
