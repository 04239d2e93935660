"""The training: exact to go on with, honest in its log, and it learns."""

import json

import pytest
import torch

from samovar_forecast.network.pretrained import load_pretrained
from samovar_forecast.network.zero_shot import ZeroShotConfig
from samovar_forecast.pretraining import training
from samovar_forecast.pretraining.__main__ import main
from samovar_forecast.pretraining.batches import Sizes, batches
from samovar_forecast.pretraining.checkpoint import load_checkpoint, save_checkpoint
from samovar_forecast.pretraining.training import Budget, Pretraining, Recipe
from samovar_forecast.pretraining.validation import validate

SMALL = Recipe(network=ZeroShotConfig(width=16, n_layers=1), sizes=Sizes(values=4 * 256))


@pytest.fixture
def quick_check(monkeypatch):
    """Replace the validation set, whose windows take seconds, by what it would return."""
    answer = {"loss": 1.0, "alone": 1.0, "error": 1.0, "families": {}}
    monkeypatch.setattr(training, "validate", lambda network, device: dict(answer))


def weights(run):
    return torch.cat([value.flatten() for value in run.average.state_dict().values()])


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(tmp_path, quick_check):
    whole = Pretraining(SMALL)
    whole.run(Budget(steps=10))
    parts = Pretraining(SMALL)
    for _ in range(3):  # a stop in the middle of what is simulated together
        parts._step(next(iter_from(parts)), parts._rate(parts.progress.step / 10))
    save_checkpoint(parts, tmp_path / "run.safetensors")
    resumed = load_checkpoint(tmp_path / "run.safetensors")
    resumed.run(Budget(steps=10))
    assert resumed.progress.step == 10
    assert resumed.progress.series == whole.progress.series
    assert torch.equal(weights(resumed), weights(whole))


def iter_from(run):
    config = run.recipe.network
    return batches(
        run.recipe.seed,
        run.progress.step,
        config.horizon,
        config.patch_length,
        run.device,
        run.recipe.sizes,
    )


def test_the_command_writes_weights_with_a_card_and_goes_on(tmp_path, quick_check):
    options = ["--out", str(tmp_path), "--width", "16", "--layers", "1"]
    assert main([*options, "--steps", "1", "--seed", "5"]) == 0
    assert main([*options, "--steps", "2", "--resume"]) == 0
    card = load_pretrained(tmp_path).card
    assert card["seed"] == 5
    assert card["steps"] == 2
    assert [part["from_step"] for part in card["parts"]] == [0, 1]
    assert [row["step"] for row in card["curve"]] == [1, 2]
    assert len(json.loads((tmp_path / "curve.json").read_text())) == 2
    assert "no real series" in card["trained_on"]


def test_a_command_without_a_budget_is_refused(tmp_path):
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path)])


@pytest.mark.slow
def test_two_minutes_of_training_reach_a_score():
    run = Pretraining(Recipe())
    before = validate(run.average)
    run.run(Budget(minutes=2))
    after = run.progress.curve[-1]
    assert after["loss"] < 0.9 * before["loss"]
    assert after["error"] < before["error"]
