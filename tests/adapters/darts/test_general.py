"""What darts' own suite asks of every torch model, asked of this one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import pytorch_lightning as pl
import torch

pytest.importorskip("darts", reason="darts is not installed")

from darts import TimeSeries
from darts.models.components.layer_norm_variants import RINorm
from torch.utils.data import RandomSampler, SequentialSampler

from tests.builders.darts import QUIET, THIRD_PARTY, assert_same, daily, tiny, waves

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]


@pytest.fixture
def labelled() -> dict[str, TimeSeries]:
    """A series with covariates of every kind."""
    frame = pd.DataFrame({"sc1": [0.0, 1.0], "sc2": [3.0, 4.0]}, dtype="float32")
    return {
        "series": waves(30).with_static_covariates(frame),
        "past_covariates": waves(30, 1, seed=1),
        "future_covariates": waves(30, 2, seed=2),
    }


class Loaders(pl.Callback):
    """Keeps what the training is fed from."""

    def on_train_start(self, trainer, pl_module):
        self.train, self.validation = trainer.train_dataloader, trainer.val_dataloaders


def test_a_validation_set_of_other_dimensions_is_refused(labelled):
    series, past, future = labelled.values()
    validation = {"val_past_covariates": past, "val_future_covariates": future}
    narrow = series.univariate_component(0)
    with pytest.raises(ValueError, match="between the training and validation set do not match"):
        tiny().fit(**labelled, val_series=narrow, **validation)
    several = {name: [one, one] for name, one in validation.items()}
    with pytest.raises(ValueError, match="at sequence/list index `1` do not match"):
        tiny().fit(**labelled, val_series=[series, narrow], **several)


def test_training_and_validation_are_fed_alike(labelled):
    loaders = Loaders()
    model = tiny(pl_trainer_kwargs={**QUIET, "callbacks": [loaders]}, batch_size=7)
    validation = {f"val_{name}": one for name, one in labelled.items()}
    model.fit(**labelled, **validation)
    assert isinstance(loaders.train.sampler, RandomSampler)
    assert isinstance(loaders.validation.sampler, SequentialSampler)
    assert type(loaders.train.dataset) is type(loaders.validation.dataset)
    assert loaders.train.batch_size == 7
    model.fit(**labelled, dataloader_kwargs={"batch_size": 5, "drop_last": True})
    assert loaders.train.batch_size == 5
    assert loaders.train.drop_last


def test_the_size_of_the_batch_does_not_change_a_forecast():
    series = [waves(40, seed=seed) for seed in range(5)]
    model = tiny().fit(series)
    together = model.predict(6, series, batch_size=100)
    for one, found in zip(model.predict(6, series, batch_size=2), together, strict=True):
        assert_same(one, found, tolerance=1e-5)


@pytest.mark.parametrize(("roll_size", "n"), [(1, 5), (3, 7), (4, 9)])
def test_the_roll_size_is_followed(roll_size, n):
    model = tiny().fit(waves())
    forecast = model.predict(n, roll_size=roll_size)
    assert len(forecast) == n
    assert_same(forecast[:roll_size], model.predict(4)[:roll_size])


def test_a_trial_run_of_lightning_works():
    trainer = {**QUIET, "fast_dev_run": True}
    model = tiny(output_chunk_length=1, input_chunk_length=10, pl_trainer_kwargs=trainer)
    model.fit(daily(np.arange(100.0)[:, None], dtype="float64"))
    assert np.isfinite(model.predict(3).values()).all()


@pytest.mark.filterwarnings("ignore:SAMoVARModel normalises each window itself")
def test_the_module_carries_the_normalisation_that_was_asked_for():
    assert tiny(use_reversible_instance_norm=False).fit(waves()).model.rin is None
    for n_components in (1, 2):
        model = tiny(use_reversible_instance_norm=True).fit(waves(n_components=n_components))
        assert isinstance(model.model.rin, RINorm)
        assert model.model.rin.input_dim == n_components


def test_covariates_that_encoders_make_need_not_be_given_and_others_may_not(labelled):
    series, past, future = labelled.values()
    encoders = {"datetime_attribute": {"past": ["hour"], "future": ["month"]}}
    model = tiny(add_encoders=encoders).fit(series)
    assert len(model.predict(6)) == 6
    with pytest.raises(ValueError, match="past_covariates"):
        model.predict(6, past_covariates=past)
    model = tiny(add_encoders=encoders).fit(series, past_covariates=past)
    assert len(model.predict(4)) == 4
    with pytest.raises(ValueError, match="future_covariates"):
        model.predict(4, past_covariates=past, future_covariates=future)


def test_covariates_of_the_training_are_wanted_for_the_forecast_too(labelled):
    series, past, future = labelled.values()
    model = tiny().fit([series, series], [past, past], [future, future])
    with pytest.raises(ValueError, match="past_covariates"):
        model.predict(4, series=series, future_covariates=future)
    with pytest.raises(ValueError, match="far enough into the future"):
        model.predict(4, series=series, past_covariates=past, future_covariates=future)


def test_a_model_learns_to_repeat_what_it_has_seen():
    wave = daily(np.sin(2 * np.pi * np.arange(240) / 12)[:, None])
    model = tiny(n_epochs=60, optimizer_kwargs={"lr": 5e-3}).fit(wave[:200])
    forecast = model.predict(8)
    assert np.abs(forecast.values() - wave[200:208].values()).max() < 0.3


def test_searching_a_rate_leaves_the_model_untrained_and_repeats(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # Lightning leaves a checkpoint there while it searches
    trainer = {**QUIET, "enable_checkpointing": False}
    found = []
    for _ in range(2):
        model = tiny(pl_trainer_kwargs=trainer)
        found.append(model.lr_find(waves(150), epochs=4, num_training=16))
        with pytest.raises(ValueError, match="fit"):
            model.predict(3, series=waves(150))
    assert found[0].results == found[1].results


def test_low_precision_is_trained_and_forecast_in():
    model = tiny(pl_trainer_kwargs={**QUIET, "precision": "bf16-mixed"}).fit(waves())
    forecast = model.predict(6)
    assert np.isfinite(forecast.values()).all()
    assert model.model.dtype == torch.float32


def test_the_forward_is_one_static_graph():
    model = tiny().fit(waves())
    from darts.utils.data.torch_datasets.utils import PLModuleInput

    batch = PLModuleInput(past_target=torch.randn(3, 12, 2))
    module = model.model.eval()
    program = torch.export.export(Forecast(module), (batch.past_target,))
    torch.testing.assert_close(program.module()(batch.past_target), module(batch).prediction)


class Forecast(torch.nn.Module):
    """Tensor in, tensor out, for the exporter."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, past: torch.Tensor) -> torch.Tensor:
        from darts.utils.data.torch_datasets.utils import PLModuleInput

        return self.module(PLModuleInput(past_target=past)).prediction
