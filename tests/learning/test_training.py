"""Training is deterministic, resumable, stops by validation, and keeps the best weights."""

from __future__ import annotations

import logging
import random
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from samovar_forecast.config import TrainingConfig
from samovar_forecast.exceptions import ConfigurationError, DataError, TrainingError
from samovar_forecast.learning.checkpoints import CheckedCheckpoints
from samovar_forecast.learning.training import fit_network, one_cycle_optimizer
from samovar_forecast.learning.windows import SeriesTensors, WindowSet
from samovar_forecast.network import Loss, SAMoVARNetwork, samovar_loss
from samovar_forecast.network.heads import ParameterHead
from samovar_forecast.network.losses import head_loss
from samovar_forecast.network.roll_out import roll_forecast
from tests.builders.learning import network, sines, window_sets

SHORT = TrainingConfig(max_epochs=4)


def test_an_interrupted_training_ends_in_the_interruption_and_the_next_one_is_heard(monkeypatch):
    train, validation = window_sets()

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(WindowSet, "batch", interrupt)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            fit_network(network(), train, validation, SHORT, random_state=0, progress=False)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_weights_that_no_epoch_betters_are_kept_if_they_are_judged_too():
    train, validation = window_sets()
    learned = network()
    fit_network(learned, train, validation, SHORT, random_state=0, progress=False)
    before = {name: one.clone() for name, one in learned.state_dict().items()}
    ruinous = TrainingConfig(max_epochs=2, learning_rate=0.5)
    options = {"random_state": 0, "progress": False}
    result = fit_network(learned, train, validation, ruinous, judge_start=True, **options)
    assert result.best_epoch is None
    assert len(result.history) == 2
    assert all(torch.equal(one, before[name]) for name, one in learned.state_dict().items())
    result = fit_network(learned, train, validation, ruinous, **options)
    assert result.best_epoch is not None
    assert not torch.equal(learned.head.weight, before["head.weight"])


def test_judging_the_start_changes_nothing_where_an_epoch_is_better():
    train, validation = window_sets()
    one, other = network(), network()
    options = {"random_state": 0, "progress": False}
    plain = fit_network(one, train, validation, SHORT, **options)
    judged = fit_network(other, train, validation, SHORT, judge_start=True, **options)
    assert plain == judged
    assert torch.equal(one.head.weight, other.head.weight)


def weights(of: SAMoVARNetwork) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in of.parameters()])


def test_training_lowers_the_error_below_that_of_the_last_value() -> None:
    train, validation = window_sets()
    trained = network()
    result = fit_network(
        trained,
        train,
        validation,
        TrainingConfig(max_epochs=40, learning_rate=5e-3),
        random_state=0,
    )
    batch = validation.batch(torch.arange(len(validation)))
    with torch.no_grad():
        error = (trained(*batch[:4]).forecast[..., 0] - batch.future).square().mean()
    naive = (batch.target[:, -1:] - batch.future).square().mean()
    assert error < 0.2 * naive
    assert result.history[result.best_epoch]["validation_loss"] == pytest.approx(
        error.item(), rel=1e-4
    )


def test_the_best_weights_are_those_of_the_best_epoch() -> None:
    train, validation = window_sets(sines(noise=1.0))
    long = network()
    config = TrainingConfig(max_epochs=30, learning_rate=5e-3, patience=3)
    result = fit_network(long, train, validation, config, random_state=1)
    losses = [entry["validation_loss"] for entry in result.history]
    assert result.best_epoch == int(np.argmin(losses))
    assert result.n_epochs == result.best_epoch + 1 + 3 < 30  # stopped by patience


def test_the_same_random_state_gives_the_same_weights_bit_for_bit() -> None:
    train, validation = window_sets()
    fitted = []
    for seed in (0, 0, 1):
        one = network()
        fit_network(one, train, validation, SHORT, random_state=seed)
        fitted.append(weights(one))
    assert torch.equal(fitted[0], fitted[1])
    assert not torch.equal(fitted[0], fitted[2])


def _global_random_states() -> tuple[list, list, tuple]:
    legacy_state = np.random.get_state()[1].tolist()
    return torch.get_rng_state().tolist(), legacy_state, random.getstate()


def test_the_global_random_states_and_loggers_are_left_alone() -> None:
    train, validation = window_sets()
    before = _global_random_states()
    level = logging.getLogger("pytorch_lightning.utilities.rank_zero").level
    fit_network(network(), train, validation, SHORT, random_state=3)
    assert _global_random_states() == before
    assert logging.getLogger("pytorch_lightning.utilities.rank_zero").level == level


def test_dropout_is_on_in_training_whatever_the_mode_that_the_network_comes_in() -> None:
    train, validation = window_sets()
    fitted = []
    for one in (network(), network().eval(), network(dropout=0.0)):
        fit_network(one, train, validation, SHORT, random_state=0)
        fitted.append(weights(one))
    assert torch.equal(fitted[0], fitted[1])
    assert not torch.equal(fitted[0], fitted[2])


def test_a_fit_is_silent_when_it_is_short(capfd: pytest.CaptureFixture[str]) -> None:
    train, validation = window_sets()
    fit_network(network(), train, validation, SHORT, random_state=0)
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""
    fit_network(network(), train, validation, SHORT, random_state=0, progress=True)
    assert "training" in capfd.readouterr().err


def test_a_fit_in_mixed_precision_comes_near_that_in_the_full_one() -> None:
    train, validation = window_sets()
    losses = []
    for precision in ("bf16-mixed", "32-true"):
        config = TrainingConfig(max_epochs=10, learning_rate=5e-3, precision=precision)
        result = fit_network(network(), train, validation, config, random_state=0)
        losses.append([epoch["validation_loss"] for epoch in result.history])
    mixed, full = losses
    assert min(mixed) < 0.5 * mixed[0]
    assert min(mixed) == pytest.approx(min(full), rel=0.4)


class _KilledError(Exception):
    pass


def test_a_killed_fit_goes_on_from_its_checkpoint_as_if_nothing_had_happened(
    tmp_path, monkeypatch
) -> None:
    train, validation = window_sets()
    config = TrainingConfig(max_epochs=6)
    uninterrupted = network()
    expected = fit_network(uninterrupted, train, validation, config, random_state=0)

    calls = 0
    plain_batch = WindowSet.batch

    def killed_in_the_fourth_epoch(self: WindowSet, indices: torch.Tensor):
        nonlocal calls
        calls += len(self) == len(train)
        if calls > 3.5 * (len(train) / config.batch_size + 1):
            raise _KilledError
        return plain_batch(self, indices)

    with monkeypatch.context() as patch:
        patch.setattr(WindowSet, "batch", killed_in_the_fourth_epoch)
        with pytest.raises(_KilledError):
            fit_network(
                network(), train, validation, config, random_state=0, checkpoint_dir=tmp_path
            )
    resumed = network()
    started = []
    with monkeypatch.context() as patch:
        patch.setattr(
            WindowSet, "batch", lambda self, i: (started.append(1), plain_batch(self, i))[1]
        )
        result = fit_network(
            resumed, train, validation, config, random_state=0, checkpoint_dir=tmp_path
        )
    assert result == expected
    assert torch.equal(weights(resumed), weights(uninterrupted))
    assert len(started) <= 4 * (len(train) // 32 + 2)  # it did not begin anew


@pytest.mark.parametrize(
    ("config", "judge_start"),
    [
        (TrainingConfig(max_epochs=9, patience=1, learning_rate=0.3), False),  # stops on the way
        (TrainingConfig(max_epochs=3, accumulate=2, learning_rate=0.3), True),
        (TrainingConfig(max_epochs=3, patience=None), None),  # without validation windows
    ],
    ids=["stopped early", "start judged", "no validation"],
)
def test_a_fit_ends_with_the_same_bits_from_every_checkpoint_that_it_wrote(
    tmp_path, monkeypatch, config, judge_start
) -> None:
    train, validation = window_sets(sines(noise=1.0))
    options = {"random_state": 0, "progress": False, "judge_start": bool(judge_start)}
    windows = (train, None if judge_start is None else validation)
    save, kept = CheckedCheckpoints.save_checkpoint, []

    def save_and_keep(self, checkpoint, path, storage_options=None):
        save(self, checkpoint, path, storage_options)
        kept.append(Path(path).read_bytes())

    monkeypatch.setattr(CheckedCheckpoints, "save_checkpoint", save_and_keep)
    whole = network(dropout=0.1)
    expected = fit_network(whole, *windows, config, checkpoint_dir=tmp_path / "whole", **options)
    assert len(kept) == expected.n_epochs
    assert (expected.n_epochs < config.max_epochs) == (config.patience == 1)
    for number, content in enumerate(kept.copy()):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "training.ckpt").write_bytes(content)
        resumed = network(dropout=0.1)
        result = fit_network(resumed, *windows, config, checkpoint_dir=folder, **options)
        assert result == expected
        assert torch.equal(weights(resumed), weights(whole))


def test_a_checkpoint_of_another_fit_is_refused(tmp_path) -> None:
    train, validation = window_sets()
    fit_network(network(), train, validation, SHORT, random_state=0, checkpoint_dir=tmp_path)
    with pytest.raises(ConfigurationError, match="another fit"):
        fit_network(network(), train, validation, SHORT, random_state=1, checkpoint_dir=tmp_path)


def test_accumulated_batches_make_the_step_of_the_whole_batch() -> None:
    train, _ = window_sets()
    train = train._select(torch.arange(len(train)) < 64)
    fitted = []
    for batch_size, accumulate in ((64, 1), (16, 4)):
        one = network(dropout=0.0).double()
        config = TrainingConfig(
            max_epochs=2, batch_size=batch_size, accumulate=accumulate, precision="64-true"
        )
        doubled = WindowSet.from_series([SeriesTensors(train.table.double()[:83])], 16, 4)
        assert len(doubled) == 64
        fit_network(one, doubled, None, config, random_state=0)
        fitted.append(weights(one))
    torch.testing.assert_close(fitted[0], fitted[1], rtol=1e-9, atol=1e-12)


def test_the_rate_never_falls_below_the_end_of_its_cycle() -> None:
    train, _ = window_sets()
    config = TrainingConfig(max_epochs=3)
    n_steps = 3 * -(-len(train) // 32)
    one = network()
    optimizer, schedule = one_cycle_optimizer(one.parameters(), config, n_steps)
    rates, betas = [], []
    for _ in range(n_steps):
        samovar_loss(
            one(train.batch(torch.arange(4)).target), torch.zeros(4, 4, 2)
        ).total.backward()
        rates.append(optimizer.param_groups[0]["lr"])
        betas.append(optimizer.param_groups[0]["betas"][0])
        optimizer.step()
        if schedule.last_epoch + 1 < schedule.total_steps:
            schedule.step()
    assert rates[0] == pytest.approx(6e-5)
    assert max(rates) <= 6e-4
    assert rates[-1] == pytest.approx(6e-5 / 1e4)
    assert max(betas) == pytest.approx(0.95)
    assert min(betas) >= 0.85


def test_training_that_diverges_is_an_error_and_not_a_forecast() -> None:
    train, validation = window_sets()
    broken = network()
    with torch.no_grad():
        broken.head.weight.fill_(float("nan"))
    with pytest.raises(TrainingError, match="no finite loss"):
        fit_network(broken, train, validation, SHORT, random_state=0)


def test_without_validation_all_epochs_are_trained_and_the_last_weights_stand() -> None:
    train, _ = window_sets()
    result = fit_network(network(), train, None, SHORT, random_state=0)
    assert result.n_epochs == 4
    assert result.best_epoch == 3


def test_a_long_horizon_is_rolled_patch_by_patch() -> None:
    one = network().eval()
    window = sines()[None, :16]
    rolled = roll_forecast(one, window, 10)
    with torch.no_grad():
        first = one(window).forecast[..., 0]
        second = one(torch.cat([window, first], dim=1)[:, -16:]).forecast[..., 0]
    assert rolled.shape == (1, 10, 2, 1)
    rolled = rolled[..., 0]
    torch.testing.assert_close(rolled[:, :4], first)
    torch.testing.assert_close(rolled[:, 4:8], second)
    torch.testing.assert_close(roll_forecast(one, window, 3)[..., 0], rolled[:, :3])


def test_rolling_says_when_future_covariates_are_too_short() -> None:
    one = network(n_future_covariates=1).eval()
    window, ahead = sines()[None, :16], torch.zeros(1, 20, 1)
    assert roll_forecast(one, window, 4, future_covariates=ahead).shape == (1, 4, 2, 1)
    with pytest.raises(DataError, match=r"too short.*20 steps.*24"):
        roll_forecast(one, window, 5, future_covariates=ahead)


def test_a_device_that_is_not_there_is_refused() -> None:
    train, validation = window_sets()
    with pytest.raises(ConfigurationError, match="unknown device"):
        fit_network(network(), train, validation, SHORT, device="abacus")


def test_numbers_whose_loss_is_a_hosts_are_refused_before_any_weight_moves() -> None:
    train, validation = window_sets()
    fitted, head = network(n_params=2), ParameterHead(("count", "positive"))
    before = weights(fitted)
    with pytest.raises(ConfigurationError, match=r"no loss.*'point', 'gaussian', 'quantiles'"):
        fit_network(fitted, train, validation, SHORT, head=head, random_state=0, progress=False)
    assert torch.equal(weights(fitted), before)


def test_the_default_loss_and_optimiser_are_those_that_can_be_given() -> None:
    train, validation = window_sets()
    plain, given = network(), network()
    fit_network(plain, train, validation, SHORT, random_state=0)
    fit_network(
        given,
        train,
        validation,
        SHORT,
        random_state=0,
        loss=lambda *parts: head_loss(*parts),
        optimizer=lambda one, *parts: one_cycle_optimizer(one.parameters(), *parts),
    )
    assert torch.equal(weights(plain), weights(given))


def test_a_loss_of_the_users_own_is_what_the_training_lowers() -> None:
    train, validation = window_sets()

    def hundredfold(*parts: object) -> Loss:
        return Loss(*(100 * part for part in head_loss(*parts)))

    one = TrainingConfig(max_epochs=1, learning_rate=1e-9)
    plain = fit_network(network(), train, validation, one, random_state=0)
    scaled = fit_network(network(), train, validation, one, random_state=0, loss=hundredfold)
    losses = [result.history[0]["training_loss"] for result in (plain, scaled)]
    assert losses[1] == pytest.approx(100 * losses[0], rel=1e-4)


def test_an_optimiser_of_the_users_own_needs_no_schedule() -> None:
    train, validation = window_sets()
    asked = []

    def optimize(one: SAMoVARNetwork, config: TrainingConfig, n_steps: int):
        asked.append((config, n_steps))
        return torch.optim.SGD(one.parameters(), lr=0.0), None

    fitted = network()
    fit_network(fitted, train, validation, SHORT, random_state=0, optimizer=optimize)
    assert asked == [(SHORT, 4 * -(-len(train) // 32))]
    assert torch.equal(weights(fitted), weights(network()))  # its rate is 0


def test_another_loss_or_optimiser_is_another_fit(tmp_path) -> None:
    train, validation = window_sets()
    options = {"random_state": 0, "checkpoint_dir": tmp_path}
    fit_network(network(), train, validation, SHORT, **options)
    with pytest.raises(ConfigurationError, match="state of another fit"):
        fit_network(network(), train, validation, SHORT, loss=lambda *a: head_loss(*a), **options)
