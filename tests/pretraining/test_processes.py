"""Processes that train together: the step of the mean of their gradients, and one run for all."""

import json
import sys
import time

import pytest
import torch
from torch import nn
from torch.multiprocessing.spawn import ProcessContext, ProcessRaisedException

from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from samovar_forecast.pretraining import training
from samovar_forecast.pretraining.batches import Sizes, batches
from samovar_forecast.pretraining.command import main
from samovar_forecast.pretraining.draws import Draws, seed_of
from samovar_forecast.pretraining.known_responses import draw_batch, response_loss
from samovar_forecast.pretraining.objective import pretraining_loss
from samovar_forecast.pretraining.processes import (
    number_of_this_process,
    share_gradients,
    sum_of_processes,
    train_in_processes,
)
from samovar_forecast.pretraining.training import Budget, Pretraining, Recipe

RECIPE = Recipe(
    network=ZeroShotConfig(width=16, n_layers=1),
    sizes=Sizes(contexts=(64,), context_weights=(1.0,), positions=64),
    seed=3,
    response_weight=2.0,
)
N_STEPS = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What two processes left: imports make their start slow, so that all tests share it."""
    left = tmp_path_factory.mktemp("processes")
    train_in_processes(2, _work, left)
    return left


def _work(folder):
    _keep_gradients(folder)
    _train(folder)


def _keep_gradients(folder):
    number = number_of_this_process()
    mine, of_the_second, of_none = (nn.Parameter(torch.zeros(2)) for _ in range(3))
    mine.grad = torch.tensor([1.0, 3.0]) * (number + 1)
    if number == 1:
        of_the_second.grad = torch.ones(2)
    share_gradients([mine, of_the_second, of_none])
    kept = {
        "mine": mine.grad.tolist(),
        "of the second": of_the_second.grad.tolist(),
        "of none": of_none.grad,
        "sums": sum_of_processes(number, 10.0),
    }
    (folder / f"{number}.json").write_text(json.dumps(kept))


def test_gradients_are_the_mean_over_the_processes(folder):
    first, second = (json.loads((folder / f"{number}.json").read_text()) for number in range(2))
    assert first == second
    assert first == {
        "mine": [1.5, 4.5],
        "of the second": [0.5, 0.5],
        "of none": None,
        "sums": [1.0, 20.0],
    }


def _train(folder):
    torch.set_num_threads(1)
    training.validate = lambda network, device: {"loss": 1.0, "alone": 1.0, "error": 1.0}
    run = Pretraining(RECIPE)
    run.run(Budget(steps=N_STEPS))
    number = number_of_this_process()
    torch.save(run.network.state_dict(), folder / f"{number}.pt")
    torch.save([run.progress.series, run.progress.loss, run.progress.cpu_seconds], folder / "told")


def _loss(run, batch, process):
    """Return the loss of one batch, written out."""
    output = run.network(
        batch.values,
        batch.season,
        future=batch.future,
        with_others=batch.with_others,
        positions=batch.positions,
    )
    loss = pretraining_loss(output, run.recipe.network.quantiles)
    if run.progress.step % training.RESPONSES_EVERY == 0:
        draws = Draws(seed_of("responses", RECIPE.seed, process, run.progress.step))
        loss = loss + 2 * response_loss(run.network, draw_batch(draws), draws)
    return loss


def test_a_step_is_that_of_the_mean_of_the_losses(folder):
    """A loop that adds up the losses of both batches moves the weights alike."""
    alone = Pretraining(RECIPE)
    sources = [
        batches(RECIPE.seed, 0, RECIPE.network, alone.device, RECIPE.sizes, process)
        for process in range(2)
    ]
    series, losses = 0, []
    for _ in range(N_STEPS):
        for group in alone.optimizer.param_groups:
            group["lr"] = alone._rate(alone.progress.step / N_STEPS)
        drawn = [next(source) for source in sources]
        loss = sum(_loss(alone, batch, process) for process, batch in enumerate(drawn))
        alone.optimizer.zero_grad()
        (loss / 2).backward()
        nn.utils.clip_grad_norm_(alone.network.parameters(), RECIPE.clip)
        alone.optimizer.step()
        alone.progress.step += 1
        series += sum(batch.values.shape[0] * batch.values.shape[2] for batch in drawn)
        losses.append(loss.item() / 2)
    together = [torch.load(folder / f"{number}.pt", weights_only=True) for number in range(2)]
    for name, expected in alone.network.state_dict().items():
        assert torch.equal(together[0][name], together[1][name])
        torch.testing.assert_close(together[0][name], expected, rtol=1e-4, atol=1e-6)
    told = torch.load(folder / "told", weights_only=True)
    assert told[0] == series
    mean = losses[0]
    for loss in losses[1:]:
        mean = 0.995 * mean + 0.005 * loss
    assert told[1] == pytest.approx(mean, rel=1e-5)
    assert told[2] > 0


@pytest.mark.parametrize("bad", [["--processes", "0"], ["--processes", "2", "--device", "cuda"]])
def test_processes_that_cannot_be_are_refused(tmp_path, bad, capsys):
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path), "--steps", "1", *bad])
    assert "--processes" in capsys.readouterr().err


def _fail():
    if number_of_this_process() == 1:
        raise ValueError("of the second process")
    sum_of_processes(1.0)


def test_an_error_of_one_process_ends_the_wait_of_the_others():
    with pytest.raises(ProcessRaisedException, match="of the second process"):
        train_in_processes(2, _fail)


def _wait(folder):
    (folder / str(number_of_this_process())).touch()
    time.sleep(600)


def test_no_process_outlives_an_interrupt(tmp_path, monkeypatch):
    """The interrupt reaches the first process alone, as one by `kill` does."""

    class Interrupted(ProcessContext):
        def join(self, timeout=None, grace_period=None):
            while len(list(tmp_path.iterdir())) < 2:
                time.sleep(0.1)
            started.extend(self.processes)
            raise KeyboardInterrupt

    started = []
    monkeypatch.setattr(sys.modules[ProcessContext.__module__], "ProcessContext", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_in_processes(2, _wait, tmp_path)
    assert [process.is_alive() for process in started] == [False, False]
