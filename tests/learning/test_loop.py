"""What Lightning calls: batches in an order of their epoch, a journal, a bar that says little."""

from __future__ import annotations

import copy
import re
from types import SimpleNamespace

import pytest
import torch

from samovar_forecast.config import TrainingConfig
from samovar_forecast.learning.loop import Batches, HeadObjective, Journal, TrainingLoop, mix_seed
from samovar_forecast.learning.training import fit_network, one_cycle_optimizer
from samovar_forecast.learning.windows import SeriesTensors, WindowSet
from samovar_forecast.network.heads import Head
from samovar_forecast.network.losses import head_loss
from tests.builders.learning import network, window_sets


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_log_that_is_not_watched_gets_few_lines_of_progress(
    is_terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    train, _ = window_sets()
    monkeypatch.setattr("sys.stderr.isatty", lambda: is_terminal, raising=False)
    # An hour, so that also a busy machine draws no second line.
    monkeypatch.setattr("samovar_forecast.learning.loop.SECONDS_BETWEEN_LINES_OF_A_LOG", 3600.0)
    config = TrainingConfig(max_epochs=40)
    fit_network(network(), train, None, config, random_state=0, progress=True)
    n_drawn = capsys.readouterr().err.count("training:")
    assert n_drawn > 3 if is_terminal else n_drawn == 1


def test_the_bar_counts_epochs_and_reaches_its_end_where_no_epoch_was_better_for_long(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    train, validation = window_sets()
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    config = TrainingConfig(max_epochs=40, patience=1, learning_rate=1.0)
    found = fit_network(network(), train, validation, config, random_state=0, progress=True)
    n_epochs = len(found.history)
    assert n_epochs < 40
    told = capsys.readouterr().err
    assert re.search(rf"training: 100%\|[#\u2588]+\| {n_epochs}/{n_epochs} ", told)
    assert ", validation " in told


def test_a_worker_process_draws_no_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    train, _ = window_sets()
    monkeypatch.setattr("samovar_forecast.learning.training.is_worker", lambda: True)
    fit_network(network(), train, None, TrainingConfig(max_epochs=1), random_state=0, progress=True)
    assert "training:" not in capsys.readouterr().err


def test_batches_hold_every_window_once_in_the_order_of_the_seed_and_the_epoch() -> None:
    counted = WindowSet.from_series([SeriesTensors(torch.arange(60.0)[:, None])], 16, 4)

    def starts(batches: Batches) -> list[float]:
        return torch.cat([batch.target[:, 0, 0] for batch in batches]).tolist()

    in_order, shuffled = Batches(counted, 16, None), Batches(counted, 16, seed=3)
    assert len(in_order) == 3
    assert starts(in_order) == list(range(41))
    first = starts(shuffled)
    assert sorted(first) == list(range(41)) != first
    assert starts(shuffled) == first
    shuffled.epoch = 1
    assert starts(shuffled) != first


def test_each_epoch_has_a_seed_of_its_own() -> None:
    assert len({mix_seed(seed, epoch) for seed in range(3) for epoch in range(3)}) == 9
    assert mix_seed(2, 1) == mix_seed(2, 1)


def training_loop() -> TrainingLoop:
    config = TrainingConfig()

    def optimize(fitted, config, n_steps):
        return one_cycle_optimizer(fitted.parameters(), config, n_steps)

    objective = HeadObjective(Head.point(), 1.0, head_loss)
    return TrainingLoop(network(), objective, config, 10, 0, optimize)


def test_the_journal_keeps_the_weights_of_the_best_epoch_and_survives_a_checkpoint() -> None:
    loop, journal = training_loop(), Journal("a fit", has_validation=True)
    kept = []
    for loss in (3.0, 1.0, 2.0, float("nan")):
        with torch.no_grad():
            loop.network.head.weight.add_(1.0)
        kept.append(copy.deepcopy(loop.network.state_dict()))
        loop._training_losses = [torch.tensor(loss)]
        trainer = SimpleNamespace(callback_metrics={"validation_loss": torch.tensor(loss)})
        loop._trainer = SimpleNamespace(current_epoch=len(kept) - 1)
        journal.on_train_epoch_end(trainer, loop)
    restored = Journal("a fit", has_validation=True)
    restored.load_state_dict(journal.state_dict())
    for kept_journal in (journal, restored):
        found = (kept_journal.best_epoch, kept_journal.best_loss, len(kept_journal.history))
        assert found == (1, 1.0, 4)
        assert torch.equal(kept_journal.best_weights["head.weight"], kept[1]["head.weight"])


def test_a_schedule_of_a_known_length_stops_at_its_end_and_another_goes_on() -> None:
    loop = training_loop()
    (optimizer,), (planned,) = loop.configure_optimizers()
    schedule = planned["scheduler"]
    optimizer.step()
    for _ in range(30):
        loop.lr_scheduler_step(schedule, None)
    assert schedule.last_epoch == 9
    assert optimizer.param_groups[0]["lr"] >= 0
    endless = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.9**step)
    for _ in range(30):
        loop.lr_scheduler_step(endless, None)
    assert endless.last_epoch == 30
