"""The command of the pretraining: what it is asked is what it trains and writes."""

import json
from pathlib import Path

import pytest

from samovar_forecast import exceptions
from samovar_forecast.checkpoint_file import path_before
from samovar_forecast.network.pretrained import load_pretrained
from samovar_forecast.pretraining import batches, command
from samovar_forecast.pretraining.batches import Sizes
from samovar_forecast.pretraining.command import CHECKPOINT, main
from samovar_forecast.pretraining.training import Pretraining, Recipe


def test_the_command_writes_weights_with_a_card_and_goes_on(tmp_path, quick_check, monkeypatch):
    monkeypatch.setattr(batches, "BATCHES_AT_ONCE", 1)  # what else is simulated is never trained on
    options = ["--out", str(tmp_path)]
    assert main([*options, "--steps", "1", "--seed", "5", "--width", "16", "--layers", "1"]) == 0
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


@pytest.fixture
def runs(monkeypatch):
    """Collect the runs that the command makes, in place of running them."""
    made = []

    def collect(run, budget, *, on_check, check_every):
        made.append((run, budget, check_every))
        on_check(run)

    monkeypatch.setattr(Pretraining, "run", collect)
    return made


def test_the_recipe_and_the_budget_are_those_asked_for(tmp_path, runs):
    asked = (
        "--width 16 --layers 2 --seed 5 --minutes 3 --learning-rate 0.01 --alone --check-every 7"
    )
    main(["--out", str(tmp_path), *asked.split()])
    ((run, budget, check_every),) = runs
    assert (run.recipe.network.width, run.recipe.network.n_layers) == (16, 2)
    assert run.recipe.seed == 5
    assert run.recipe.learning_rate == 0.01
    assert run.recipe.sizes == Sizes(alone=1.0)
    assert (budget.minutes, budget.steps, check_every) == (3.0, None, 7.0)


def test_responses_may_weigh_differently_from_part_to_part(tmp_path, runs):
    options = ["--out", str(tmp_path), "--width", "16", "--layers", "1", "--without", "levels"]
    main([*options, "--steps", "9", "--response", "0.5"])
    main(["--out", str(tmp_path), "--steps", "9", "--resume"])
    main(["--out", str(tmp_path), "--steps", "9", "--resume", "--response", "0"])
    assert [run.recipe.response_weight for run, *_ in runs] == [0.5, 0.5, 0.0]
    assert [run.recipe.sizes.without for run, *_ in runs] == [("levels",)] * 3
    assert [part["response_weight"] for part in runs[-1][0].progress.parts] == [0.5, 0.5, 0.0]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("--minutes -1", "number above 0"),
        ("--minutes nan", "number above 0"),
        ("--steps 0", "integer from 1"),
        ("--steps 1 --width 62", "the heads must divide the width"),
        ("--steps 1 --layers 0", "integer from 1"),
        ("--steps 1 --threads 0", "integer from 1"),
        ("--steps 1 --response nan", "number from 0"),
        ("--steps 1 --device nowhere", "--device nowhere cannot be had"),
        ("--steps 1 --resume --width 16", "leave --width out"),
        ("--steps 1 --resume --learning-rate 1e-3", "leave --learning-rate out"),
    ],
)
def test_bad_options_are_told_before_anything_is_trained(tmp_path, runs, capsys, bad, told):
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path), *bad.split()])
    assert told in capsys.readouterr().err
    assert not runs


def test_a_folder_that_cannot_be_made_is_told_at_once(tmp_path, runs, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path / "file" / "run"), "--steps", "1"])
    assert "cannot be made" in capsys.readouterr().err


def test_a_run_is_not_begun_over_another(tmp_path, runs, capsys):
    options = ["--out", str(tmp_path), "--width", "16", "--layers", "1", "--steps", "9"]
    main(options)
    before = (tmp_path / CHECKPOINT).read_bytes()
    with pytest.raises(SystemExit):
        main(options)
    assert "go on with --resume" in capsys.readouterr().err
    assert (tmp_path / CHECKPOINT).read_bytes() == before


def test_a_budget_that_is_spent_is_told_and_nothing_is_written(
    tmp_path, quick_check, monkeypatch, caplog
):
    monkeypatch.setattr(batches, "BATCHES_AT_ONCE", 1)
    options = ["--out", str(tmp_path), "--steps", "1"]
    main([*options, "--width", "16", "--layers", "1"])
    before = (tmp_path / CHECKPOINT).read_bytes()
    assert main([*options, "--resume"]) == 0
    assert "has spent this budget" in caplog.text
    assert (tmp_path / CHECKPOINT).read_bytes() == before


def test_by_default_the_recipe_is_the_default_one(tmp_path, runs):
    main(["--out", str(tmp_path), "--steps", "9"])
    assert runs[0][0].recipe == Recipe()


def test_what_is_written_can_be_read_by_all_who_need_it(tmp_path, runs):
    main(["--out", str(tmp_path), "--width", "16", "--layers", "1", "--steps", "9"])
    run = runs[0][0]
    run.progress.curve.append({"step": 1, "loss": 0.5, "families": {"levels": 1.0}})
    command.write(run, tmp_path)
    card = load_pretrained(tmp_path).card
    assert card["curve"] == [{"step": 1, "loss": 0.5}]  # the families are in the curve's own file
    assert json.loads((tmp_path / "curve.json").read_text())[0]["families"] == {"levels": 1.0}
    assert {file.name for file in tmp_path.iterdir()} == {
        CHECKPOINT,
        path_before(Path(CHECKPOINT)).name,  # for it was written twice
        "curve.json",
        "weights.safetensors",
        "card.json",
    }


def test_there_is_nothing_to_go_on_with_in_an_empty_folder(tmp_path, runs):
    with pytest.raises(exceptions.ArtifactError, match="cannot be read"):
        main(["--out", str(tmp_path), "--steps", "2", "--resume"])
