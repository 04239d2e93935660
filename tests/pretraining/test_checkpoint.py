"""A checkpoint holds a run to the bit, or is refused."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from samovar_forecast.artifact.tensors import about_of, from_bytes, to_bytes
from samovar_forecast.checkpoint_file import path_before
from samovar_forecast.exceptions import ArtifactError
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from samovar_forecast.pretraining.batches import Sizes, batches
from samovar_forecast.pretraining.checkpoint import load_checkpoint, save_checkpoint
from samovar_forecast.pretraining.training import Pretraining, Recipe

SMALL = Recipe(network=ZeroShotConfig(width=16, n_layers=1), response_weight=0.0)


def test_a_checkpoint_is_whole_or_not_at_all(tmp_path):
    path = tmp_path / "run.safetensors"
    save_checkpoint(Pretraining(SMALL), path)
    assert [file.name for file in tmp_path.iterdir()] == ["run.safetensors"]
    path.write_bytes(path.read_bytes()[:1000])
    with (
        pytest.warns(UserWarning, match="cannot be read"),
        pytest.raises(ArtifactError, match="cannot be read"),
    ):
        load_checkpoint(path)
    with pytest.raises(ArtifactError, match="cannot be read"):
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


def test_a_later_checkpoint_replaces_an_earlier_one_which_is_kept(tmp_path):
    path = tmp_path / "run.safetensors"
    save_checkpoint(Pretraining(SMALL), path)
    save_checkpoint(trained(), path)
    assert load_checkpoint(path).progress.step == 2
    assert load_checkpoint(path_before(path)).progress.step == 0
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["run.before.safetensors", "run.safetensors"]


def test_every_flipped_bit_and_every_cut_falls_back_with_a_warning(tmp_path):
    path, draw = tmp_path / "run.safetensors", random.Random(0)
    save_checkpoint(Pretraining(SMALL), path)
    save_checkpoint(Pretraining(replace(SMALL, seed=1)), path)
    whole = path.read_bytes()
    n_header = 8 + int.from_bytes(whole[:8], "little")
    for number in range(30):
        place = draw.randrange(n_header if number % 2 else len(whole))
        flipped = bytearray(whole)
        flipped[place] ^= 1 << draw.randrange(8)
        for damaged in (bytes(flipped), whole[:place], whole[:-32]):
            path.write_bytes(damaged)
            with pytest.warns(UserWarning, match="goes on from the checkpoint before"):
                assert load_checkpoint(path).recipe.seed == 0


def in_the_format_of_before(path, **changes):
    """Write a run as files without a checksum were written."""
    content = path.read_bytes()[:-32]
    about = about_of(content, "it") | {"format": "samovar_forecast pretraining 1"} | changes
    path.write_bytes(to_bytes(from_bytes(content, "it"), about))


def test_a_file_of_the_format_before_is_read_to_the_bit(tmp_path):
    run, path = trained(), tmp_path / "run"
    save_checkpoint(run, path)
    in_the_format_of_before(path)
    read = load_checkpoint(path)
    assert read.progress == run.progress
    assert torch.equal(read.network.head.weight, run.network.head.weight)
    moments = (one.optimizer.state[one.network.head.weight] for one in (read, run))
    assert len({float(state["exp_avg"].sum()) for state in moments}) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"recipe": "{"},
        {"recipe": "[" * 50_000},
        {"recipe": "{}"},
        {"recipe": '{"network": {"n_layers": 100000000}, "sizes": {}}'},
        {"progress": '{"wrong": 1}'},
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path, changes):
    save_checkpoint(Pretraining(SMALL), tmp_path / "run")
    in_the_format_of_before(tmp_path / "run", **changes)
    with pytest.warns(UserWarning, match="run"), pytest.raises(ArtifactError):
        load_checkpoint(tmp_path / "run")


def test_a_file_of_another_kind_is_refused(tmp_path):
    save_file({"x": torch.zeros(2)}, tmp_path / "other", {"format": "something 1"})
    save_file({"x": torch.zeros(2)}, tmp_path / "plain")
    for name in ("other", "plain"):
        with (
            pytest.warns(UserWarning, match="no checkpoint of a pretraining"),
            pytest.raises(ArtifactError, match="no checkpoint"),
        ):
            load_checkpoint(tmp_path / name)


def test_the_run_behind_the_weights_of_the_package_can_go_on():
    path = Path(__file__).parents[2] / "benchmarks" / "pretraining" / "checkpoint.safetensors"
    run = load_checkpoint(path)
    assert run.progress.step > 1000
    assert len(run.optimizer.state) == len(list(run.network.parameters()))
