"""SAMoVARModel as a darts user meets it: series, covariates, horizons, options, errors."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

pytest.importorskip("darts", reason="darts is not installed")

import pytorch_lightning as pl
from darts import TimeSeries, concatenate
from darts.utils.losses import MapeLoss, SmapeLoss
from torchmetrics import MeanAbsoluteError, MeanSquaredError, MetricCollection

import samovar_forecast
from samovar_forecast.exceptions import ConfigurationError, MissingPackageError
from tests.builders.darts import (
    QUIET,
    THIRD_PARTY,
    assert_same,
    daily,
    tiny,
    waves,
)

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]


def error(forecast: TimeSeries, actual: TimeSeries) -> float:
    return float(np.abs(forecast.values() - actual.slice_intersect(forecast).values()).mean())


# ---------------------------------------------------------------- series


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_components", [1, 3])
def test_forecasts_continue_the_series_in_its_own_precision(n_components, dtype):
    series = waves(n_components=n_components, dtype=dtype)
    forecast = tiny().fit(series).predict(9)
    assert forecast.start_time() == series.end_time() + series.freq
    assert len(forecast) == 9
    assert list(forecast.components) == list(series.components)
    assert forecast.dtype == dtype
    assert np.isfinite(forecast.values()).all()


@pytest.mark.parametrize("normalization", ["last_patch", "window"])
def test_a_shift_and_a_change_of_units_move_the_forecast_alike(normalization):
    series = waves(dtype="float64")
    model = tiny(normalization=normalization).fit(series)
    plain, moved = model.predict(4, series), model.predict(4, series * 5.0 + 1000.0)
    np.testing.assert_allclose(moved.values(), 5 * plain.values() + 1000, rtol=0, atol=1e-4)


def test_several_series_of_unequal_length_train_one_model_and_keep_their_order():
    series = [waves(60, seed=1), waves(90, seed=2, start="2021-03-01"), waves(75, seed=3)]
    model = tiny().fit(series)
    forecasts = model.predict(6, series=series)
    for one, forecast in zip(series, forecasts, strict=True):
        assert_same(forecast, model.predict(6, series=one), tolerance=1e-5)
        assert forecast.start_time() == one.end_time() + one.freq


@pytest.mark.parametrize(("lookback", "horizon"), [(1, 1), (3, 4), (4, 1), (10, 1), (8, 7), (7, 3)])
def test_any_pair_of_chunk_lengths_works_also_shorter_lookback_than_horizon(lookback, horizon):
    series = waves(40)
    model = tiny(input_chunk_length=lookback, output_chunk_length=horizon).fit(series)
    assert len(model.predict(2 * horizon + 1)) == 2 * horizon + 1


def test_the_shortest_series_that_holds_one_window_is_enough():
    model = tiny(input_chunk_length=1, output_chunk_length=1).fit(waves(2))
    assert len(model.predict(3)) == 3


def test_the_users_series_are_left_as_they_were():
    series = waves()
    before = series.values().copy()
    tiny().fit(series).predict(9)
    np.testing.assert_array_equal(series.values(), before)


# ---------------------------------------------------------------- horizons


def test_a_short_horizon_is_the_start_of_a_longer_one():
    model = tiny().fit(waves())
    whole = model.predict(4)
    assert_same(model.predict(2), whole[:2])
    assert_same(model.predict(11)[:4], whole)


def test_a_long_horizon_rolls_the_forecast_out_patch_by_patch():
    series = waves(dtype="float64")
    model = tiny().fit(series)
    first = model.predict(4)
    second = model.predict(4, series=series.append(first))
    assert_same(model.predict(8), concatenate([first, second]), tolerance=1e-10)


@pytest.mark.parametrize("shift", [1, 3, 15])
def test_a_shifted_output_chunk_starts_that_much_later(shift):
    series, model = waves(), tiny(output_chunk_shift=shift)
    model.fit(series, future_covariates=waves(120, 1, seed=7))
    forecast = model.predict(4)
    assert forecast.start_time() == series.end_time() + (shift + 1) * series.freq
    with pytest.raises(ValueError, match="output_chunk_shift"):
        model.predict(5)


def test_a_shifted_model_learns_to_forecast_across_the_gap():
    period = daily(np.sin(2 * np.pi * np.arange(300) / 8)[:, None])
    model = tiny(output_chunk_shift=2, n_epochs=15, optimizer_kwargs={"lr": 5e-3})
    forecast = model.fit(period[:280]).predict(4)
    assert error(forecast, period) < 0.2


# ---------------------------------------------------------------- covariates


def follower(kind: str) -> tuple[TimeSeries, TimeSeries]:
    """A target that follows a random covariate: by 4 days (past) or at once (future)."""
    cause = np.random.default_rng(5).normal(size=(400, 1))
    lag = 4 if kind == "past" else 0
    target = np.roll(cause, lag, axis=0) + 0.01 * np.random.default_rng(6).normal(size=(400, 1))
    return daily(target), daily(cause)


@pytest.mark.parametrize("kind", ["past", "future"])
def test_a_covariate_that_drives_the_target_lowers_the_error(kind):
    target, cause = follower(kind)
    options = {"normalization": "none", "n_epochs": 15, "optimizer_kwargs": {"lr": 5e-3}}
    errors = []
    for covariates in ({f"{kind}_covariates": cause}, {}):
        model = tiny(**options).fit(target[:300], **covariates)
        forecasts = model.historical_forecasts(
            target, **covariates, start=300, stride=4, forecast_horizon=4, retrain=False,
            last_points_only=False,
        )  # fmt: skip
        errors.append(np.mean([error(forecast, target) for forecast in forecasts]))
    assert errors[0] < 0.7 * errors[1]


def test_future_covariates_beyond_the_forecast_patch_change_nothing():
    target, cause = follower("future")
    training = target[:300]
    model = tiny().fit(training, future_covariates=cause)
    altered = cause[:304].append_values(99 + cause[304:].values())
    assert_same(
        model.predict(4, future_covariates=cause), model.predict(4, future_covariates=altered)
    )
    altered = cause[:303].append_values(99 + cause[303:].values())
    assert model.predict(4, future_covariates=altered) != model.predict(4, future_covariates=cause)


@pytest.mark.parametrize("per_component", [True, False])
def test_static_covariates_tell_series_apart(per_component):
    import pandas as pd

    up, down = (
        daily(np.tile([0, 0, 0, 0, sign, sign, sign, sign], 30)[:, None]) for sign in (1, -1)
    )

    def labelled(series: TimeSeries, label: float) -> TimeSeries:
        both = series.stack(series)
        rows = 2 if per_component else 1
        frame = pd.DataFrame({"sign": np.full(rows, label, dtype="float32")})
        return both.with_static_covariates(frame)

    series = [labelled(up, 1.0), labelled(down, -1.0)]
    options = {"normalization": "none", "n_epochs": 8, "optimizer_kwargs": {"lr": 5e-3}}
    model = tiny(input_chunk_length=4, **options).fit(series)
    zeros = [one[:-4] for one in series]  # the same last four values: zeros
    forecasts = [float(f.values().mean()) for f in model.predict(4, series=zeros)]
    assert forecasts[0] > 0.5
    assert forecasts[1] < -0.5
    ignoring = tiny(input_chunk_length=4, use_static_covariates=False, **options).fit(series)
    one, other = ignoring.predict(4, series=zeros)
    np.testing.assert_array_equal(one.values(), other.values())


def test_encoders_give_covariates_that_the_model_reads():
    encoders = {
        "cyclic": {"future": ["month"]},
        "datetime_attribute": {"past": ["dayofweek"], "future": ["dayofweek"]},
        "position": {"future": ["relative"]},
    }
    model = tiny(add_encoders=encoders).fit(waves())
    assert model.uses_past_covariates
    assert model.uses_future_covariates
    assert len(model.predict(9)) == 9


def test_all_kinds_of_covariates_work_together_over_many_series():
    import pandas as pd

    frame = pd.DataFrame({"a": [0.5, 1.0], "b": [0.0, 2.0]}, dtype="float32")
    series = [waves(60, seed=i).with_static_covariates(frame) for i in range(3)]
    past, future = [waves(80, 2, seed=9)] * 3, [waves(100, 3, seed=8)] * 3
    model = tiny().fit(series, past_covariates=past, future_covariates=future)
    forecasts = model.predict(10, series, past_covariates=past, future_covariates=future)
    assert [len(forecast) for forecast in forecasts] == [10] * 3


# ---------------------------------------------------------------- training


class Losses(pl.Callback):
    """Keeps what darts logs."""

    def __init__(self) -> None:
        self.seen: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer, pl_module):
        self.seen.append({name: float(value) for name, value in trainer.callback_metrics.items()})


class Rates(pl.Callback):
    """Keeps learning rate and momentum of every step, and the norm of the gradient after it."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, float]] = []
        self.norms: list[float] = []

    def on_train_batch_start(self, trainer, *_):
        group = trainer.optimizers[0].param_groups[0]
        self.seen.append((group["lr"], group.get("betas", (0.0,))[0]))

    def on_before_zero_grad(self, trainer, pl_module, optimizer):
        gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
        if gradients:
            norm = torch.linalg.vector_norm(torch.stack([g.norm() for g in gradients]))
            self.norms.append(float(norm))


def watched(callback: pl.Callback, **trainer) -> dict:
    return {**QUIET, "callbacks": [callback], **trainer}


def test_the_training_loss_holds_the_next_patches_and_the_validation_loss_does_not():
    series = waves(120)
    seen = {}
    for weight in (0.0, 1.0):
        losses = Losses()
        model = tiny(
            next_patch_loss_weight=weight,
            dropout=0.0,
            optimizer_kwargs={"lr": 1e-9},
            pl_trainer_kwargs=watched(losses),
        )
        model.fit(series, val_series=series)
        seen[weight] = losses.seen[-1]
    assert seen[0.0]["train_loss"] == pytest.approx(seen[0.0]["val_loss"], rel=0.05)
    assert seen[1.0]["val_loss"] == pytest.approx(seen[0.0]["val_loss"], rel=1e-5)
    assert seen[1.0]["train_loss"] > 1.5 * seen[0.0]["train_loss"]


@pytest.mark.parametrize("loss", [torch.nn.L1Loss(), torch.nn.HuberLoss(), MapeLoss(), SmapeLoss()])
def test_any_loss_function_of_torch_and_darts_trains_the_model(loss):
    model = tiny(loss_fn=loss).fit(waves() + 5.0)
    assert np.isfinite(model.predict(4).values()).all()


def test_a_window_of_weight_zero_teaches_nothing():
    series = waves(64, dtype="float64")
    weight = daily(np.concatenate([np.zeros(40), np.ones(24)])[:, None], dtype="float64")
    noise = np.random.default_rng(1).normal(size=(24, 2))
    spoiled = daily(np.concatenate([100 * noise, series[24:].values()]), dtype="float64")
    options = {"dropout": 0.0, "n_epochs": 2}
    # Windows over the first 24 steps forecast steps of weight 0; the others are the same.
    one, other = (tiny(**options).fit(s, sample_weight=weight) for s in (series, spoiled))
    assert_same(one.predict(4, series=series), other.predict(4, series=series), tolerance=1e-9)


@pytest.mark.parametrize("weight", ["linear", "exponential"])
def test_named_sample_weights_and_their_validation_work(weight):
    series = waves(120)
    model = tiny()
    model.fit(
        series[:80],
        sample_weight=weight,
        val_series=series[60:],
        val_sample_weight=weight,
    )
    assert len(model.predict(4)) == 4


def test_torch_metrics_are_computed_on_the_forecast():
    losses = Losses()
    metrics = MetricCollection([MeanSquaredError(), MeanAbsoluteError()])
    model = tiny(torch_metrics=metrics, pl_trainer_kwargs=watched(losses))
    model.fit(waves(), val_series=waves(seed=4))
    assert losses.seen[-1]["val_MeanSquaredError"] == pytest.approx(
        losses.seen[-1]["val_loss"], rel=1e-5
    )
    assert "train_MeanAbsoluteError" in model.trainer.callback_metrics


def test_training_follows_the_papers_one_cycle_over_all_its_steps():
    rates = Rates()
    tiny(n_epochs=10, pl_trainer_kwargs=watched(rates)).fit(waves(120))
    rate, beta = np.array(rates.seen).T
    assert rate[0] == pytest.approx(6e-5)
    assert rate.max() == pytest.approx(6e-4, rel=0.05)
    assert rate[-1] == pytest.approx(6e-5 / 1e4, abs=2e-5)
    assert beta.min() == pytest.approx(0.85, abs=0.01)
    assert beta[0] == pytest.approx(0.95)
    assert max(rates.norms) <= 1.0 + 1e-5


def test_a_learning_rate_alone_becomes_the_peak_of_the_cycle():
    rates = Rates()
    tiny(n_epochs=10, optimizer_kwargs={"lr": 0.01}, pl_trainer_kwargs=watched(rates)).fit(
        waves(120)
    )
    assert np.array(rates.seen)[:, 0].max() == pytest.approx(0.01, rel=0.05)


def test_the_users_optimiser_schedule_and_clipping_are_taken_as_they_are():
    rates = Rates()
    model = tiny(
        optimizer_cls=torch.optim.SGD,
        optimizer_kwargs={"lr": 0.02},
        pl_trainer_kwargs=watched(rates, gradient_clip_val=0.01),
    )
    model.fit(waves())
    assert {rate for rate, _ in rates.seen} == {0.02}
    assert max(rates.norms) <= 0.01 + 1e-5
    rates = Rates()
    model = tiny(
        n_epochs=3,
        lr_scheduler_cls=torch.optim.lr_scheduler.ExponentialLR,
        lr_scheduler_kwargs={"gamma": 0.5},
        pl_trainer_kwargs=watched(rates),
    )
    model.fit(waves())
    assert sorted({rate for rate, _ in rates.seen}) == pytest.approx([1.5e-4, 3e-4, 6e-4])
    rates = Rates()
    tiny(n_epochs=2, lr_scheduler_cls=None, pl_trainer_kwargs=watched(rates)).fit(waves())
    assert {rate for rate, _ in rates.seen} == {6e-4}


def test_training_until_stopped_keeps_a_constant_rate():
    rates = Rates()
    trainer = pl.Trainer(
        max_epochs=-1,
        max_time={"seconds": 1},
        callbacks=[rates],
        enable_checkpointing=False,
        **QUIET,
    )
    tiny().fit(waves(), trainer=trainer)
    assert {rate for rate, _ in rates.seen} == {6e-4}


def test_training_again_starts_a_new_cycle():
    model = tiny().fit(waves())
    first = model.predict(4)
    model.fit(waves(), epochs=2)
    assert model.predict(4) != first


def test_the_same_seed_gives_the_same_forecast_and_the_global_state_is_left_alone():
    before = torch.get_rng_state()
    one, other = (tiny(random_state=3).fit(waves()).predict(9) for _ in range(2))
    assert_same(one, other)
    assert torch.equal(before, torch.get_rng_state())
    assert tiny(random_state=4).fit(waves()).predict(9) != one


def test_every_parameter_gets_a_gradient():
    import pandas as pd

    class Unused(pl.Callback):
        names: list[str] = []

        def on_after_backward(self, trainer, pl_module):
            self.names = [name for name, p in pl_module.named_parameters() if p.grad is None]

    frame = pd.DataFrame({"a": [0.5, 1.0]}, dtype="float32")
    series = waves().with_static_covariates(frame)
    covariates = {"past_covariates": waves(seed=1), "future_covariates": waves(100, seed=2)}
    for options in ({}, {"predictor": "lintrans"}, {"predictor": "fixedvar"}, {"univariate": True}):
        for lookback in (12, 4):
            unused = Unused()
            model = tiny(input_chunk_length=lookback, pl_trainer_kwargs=watched(unused), **options)
            model.fit(series, **covariates)
            assert unused.names == [], options


def test_patches_inside_the_window_are_learnt_from_with_any_option():
    series = waves(120)
    for options in (
        {"predictor": "lintrans"},
        {"predictor": "fixedvar"},
        {"structure": "inverse"},
        {"univariate": True},
        {"attention": "chunked"},
        {"n_heads": 4},
        {"d_model": None},
        {"normalization": "none"},
    ):
        assert np.isfinite(tiny(**options).fit(series).predict(4).values()).all()


@pytest.mark.parametrize("affine", [True, False])
def test_reversible_normalisation_of_darts_replaces_ours(affine):
    options = {"normalization": "none", "use_reversible_instance_norm": {"affine": affine}}
    series = waves(dtype="float64") * 5.0 + 1000.0
    model = tiny(n_epochs=3, **options).fit(series)
    assert abs(model.predict(4).values().mean() - 1000) < 10


def test_normalising_twice_gets_a_warning_and_no_other_forecast():
    series = waves(dtype="float64")
    with pytest.warns(UserWarning, match="normalises twice"):
        twice = tiny(use_reversible_instance_norm={"affine": False}).fit(series)
    assert_same(twice.predict(4), tiny().fit(series).predict(4), tolerance=1e-3)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dropout": 1.5}, "dropout"),
        ({"normalization": "minmax"}, "normalization"),
        ({"predictor": "var"}, "predictor"),
        ({"d_model": 16, "n_heads": 3}, "n_heads must divide d_model"),
        ({"next_patch_loss_weight": -1.0}, "next_patch_loss_weight"),
        ({"patch_length": 2}, "output_chunk_length=2"),
    ],
)
def test_a_value_that_cannot_work_is_refused_at_construction(options, message):
    with pytest.raises(ConfigurationError, match=message):
        tiny(**options)


def test_an_argument_that_does_not_exist_is_refused_by_name():
    with pytest.raises(ValueError, match="hidden_size"):
        tiny(hidden_size=3)


def test_the_patch_may_be_named_if_it_is_the_output_chunk():
    assert_same(tiny(patch_length=4).fit(waves()).predict(4), tiny().fit(waves()).predict(4))


def test_a_missing_darts_is_told_with_its_range_and_the_command(uninstall, monkeypatch):
    uninstall("darts")
    monkeypatch.delitem(vars(samovar_forecast), "SAMoVARModel", raising=False)
    with pytest.raises(MissingPackageError, match=r"darts>=0\.48\.1,<0\.49.*pip install"):
        _ = samovar_forecast.SAMoVARModel


@pytest.mark.slow
def test_an_old_darts_is_told_what_is_wanted():
    code = (
        "import sys, types, darts; sys.modules['darts.utils.serialization'] = None; "
        "from samovar_forecast import SAMoVARModel"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert "found: darts 0." in done.stderr
    assert "wanted: darts>=0.48.1,<0.49" in done.stderr
