"""What both darts models share: a fit that is broken off, clipping by a trainer of the user."""

from __future__ import annotations

import copy
import inspect
import signal

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

pytest.importorskip("darts", reason="darts is not installed")

from darts.models.forecasting.torch_forecasting_model import TorchForecastingModel

from samovar_forecast import SAMoVARModel
from samovar_forecast.exceptions import TrainingError
from tests.builders.darts import QUIET, THIRD_PARTY, assert_same, tiny, waves, zero_shot

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]


class Interrupting(pl.Callback):
    """Interrupts a fit at its third batch, and a prediction at once, as Ctrl-C does."""

    def __init__(self, error: type[BaseException] = KeyboardInterrupt) -> None:
        self.error = error

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if trainer.global_step == 2:
            raise self.error

    def on_predict_batch_start(self, *_):
        raise self.error


def breaking(error: type[BaseException] = KeyboardInterrupt) -> dict:
    return {**QUIET, "callbacks": [Interrupting(error)]}


def test_an_interruption_of_a_fit_or_a_prediction_stays_an_interruption():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        tiny(pl_trainer_kwargs=breaking()).fit(waves())
    fitted = tiny().fit(waves())
    fitted.trainer_params["callbacks"] = [Interrupting()]
    with pytest.raises(KeyboardInterrupt):
        fitted.predict(4)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_first_fit_that_is_broken_off_leaves_a_model_that_is_not_fitted(error):
    model = tiny(pl_trainer_kwargs=breaking(error))
    with pytest.raises(error):
        model.fit(waves(dtype="float64"))  # of another precision than what follows
    with pytest.raises(ValueError, match="fit"):
        copy.deepcopy(model).predict(4)  # a copy: a prediction draws random numbers too
    model.trainer_params["callbacks"] = []
    assert_same(model.fit(waves()).predict(4), tiny().fit(waves()).predict(4))


@pytest.mark.parametrize("linear", [False, True])
def test_a_later_fit_that_is_broken_off_leaves_the_earlier_one(linear):
    series, other = waves(), waves(seed=3)
    weight = waves() * 0 + 1
    model = tiny(linear=linear).fit(series)
    expected, n_epochs = model.predict(6), model.epochs_trained
    model.trainer_params["callbacks"] = [Interrupting()]
    with pytest.raises(KeyboardInterrupt):
        model.fit(other, epochs=3, sample_weight=weight)
    model.trainer_params["callbacks"] = []
    assert model.epochs_trained == n_epochs
    assert_same(model.predict(6), expected)
    assert model.model.train_criterion.reduction == "mean"


def test_the_arguments_of_fit_are_those_of_darts():
    for name in ("fit", "fit_from_dataset"):
        ours, theirs = getattr(SAMoVARModel, name), getattr(TorchForecastingModel, name)
        assert inspect.signature(ours) == inspect.signature(theirs)
    assert tiny().supports_sample_weight


def steps_of(model: SAMoVARModel, **fit) -> float:
    """How far the weights move in a step of plain gradient descent of rate one."""
    before = tiny(**PLAIN).fit(waves(16), epochs=1)  # a rate of zero moves nothing
    after = model.fit(waves(16), epochs=1, **fit)
    moved = zip(before.model.parameters(), after.model.parameters(), strict=True)
    return float(torch.stack([(b - a).detach().square().sum() for b, a in moved]).sum().sqrt())


PLAIN = {
    "optimizer_cls": torch.optim.SGD,
    "optimizer_kwargs": {"lr": 0.0},
    "loss_fn": torch.nn.MSELoss(),
}


@pytest.mark.parametrize("own", [False, True])
def test_gradients_are_clipped_to_norm_one_also_by_a_trainer_of_the_user(own):
    model = tiny(**{**PLAIN, "optimizer_kwargs": {"lr": 1.0}}, next_patch_loss_weight=1e4)
    fit = {"trainer": pl.Trainer(max_epochs=1, enable_checkpointing=False, **QUIET)} if own else {}
    assert steps_of(model, **fit) == pytest.approx(1.0, rel=1e-3)


def test_a_norm_that_the_user_chose_is_followed():
    options = {**PLAIN, "optimizer_kwargs": {"lr": 1.0}, "next_patch_loss_weight": 1e4}
    trainer = {"max_epochs": 1, "enable_checkpointing": False, **QUIET}
    chosen = pl.Trainer(gradient_clip_val=0.5, **trainer)
    assert steps_of(tiny(**options), trainer=chosen) == pytest.approx(0.5, rel=1e-3)
    free = tiny(**options, pl_trainer_kwargs={**QUIET, "gradient_clip_val": None})
    assert not np.isclose(steps_of(free), 1.0, rtol=0.1)


def test_the_constructor_shows_the_parameters():
    told = inspect.getdoc(SAMoVARModel.__init__)
    for name in inspect.signature(SAMoVARModel).parameters:
        assert name in told


@pytest.mark.parametrize("make", [tiny, zero_shot], ids=["trained", "zero-shot"])
@pytest.mark.parametrize("n", [1, 4])
def test_a_forecast_of_one_chunk_is_the_same_by_any_size_of_roll(make, n):
    model = make().fit(waves(60))
    assert_same(model.predict(n, roll_size=1), model.predict(n))


class Loss(torch.nn.MSELoss):
    """A loss that can be made to be no number."""

    factor = 1.0

    def forward(self, *given: torch.Tensor) -> torch.Tensor:
        return super().forward(*given) * self.factor


def test_a_training_to_weights_that_are_no_numbers_is_an_error_and_leaves_the_earlier_fit(
    monkeypatch,
):
    model = tiny(loss_fn=Loss()).fit(waves(60))
    before = model.predict(4)
    monkeypatch.setattr(Loss, "factor", torch.nan)
    with pytest.raises(TrainingError, match="weights that are no numbers"):
        model.fit(waves(60), epochs=2)
    assert_same(model.predict(4), before)


@pytest.fixture
def float64_by_default():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("make", [tiny, zero_shot], ids=["trained", "zero-shot"])
@pytest.mark.parametrize("around", [torch.inference_mode, torch.no_grad], ids=lambda f: f.__name__)
def test_a_mode_of_torch_around_a_fit_changes_nothing(make, around):
    expected = make().fit(waves(60)).predict(6)
    with around():
        found = make().fit(waves(60)).predict(6)
    assert_same(found, expected)


@pytest.mark.parametrize("make", [tiny, zero_shot], ids=["trained", "zero-shot"])
def test_a_default_type_of_torch_changes_nothing(make, request):
    expected = make().fit(waves(60)).predict(6)
    request.getfixturevalue("float64_by_default")
    assert_same(make().fit(waves(60)).predict(6), expected)
    assert torch.get_default_dtype() is torch.float64


@pytest.mark.parametrize("make", [tiny, zero_shot], ids=["trained", "zero-shot"])
def test_numbers_of_numpy_are_numbers(make):
    plain = {"batch_size": 8, "n_epochs": 1, "random_state": 1, "univariate": False}
    of_numpy = {
        **{name: np.int64(value) for name, value in plain.items()},
        **{"univariate": np.False_, "optimizer_kwargs": {"lr": np.float64(1e-3)}},
    }
    model, same = make(**plain, optimizer_kwargs={"lr": 1e-3}), make(**of_numpy)
    assert same.model_params == model.model_params
    assert all(type(same.model_params[name]) is type(value) for name, value in plain.items())
    assert_same(same.fit(waves(60)).predict(4), model.fit(waves(60)).predict(4))
