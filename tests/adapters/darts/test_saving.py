"""Models that are kept: saved, loaded safely, resumed, copied, exported."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

pytest.importorskip("darts", reason="darts is not installed")

import pytorch_lightning as pl
from darts.models import NaiveEnsembleModel, NLinearModel
from darts.utils.likelihood_models import GaussianLikelihood, QuantileRegression
from darts.utils.serialization import safe_globals
from torchmetrics import MeanAbsoluteError

from samovar_forecast import SAMoVARModel
from tests.builders.darts import (
    QUIET,
    THIRD_PARTY,
    assert_same,
    tiny,
    waves,
)

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"likelihood": QuantileRegression([0.1, 0.5, 0.9])},
        {"likelihood": GaussianLikelihood(), "normalization": "none"},
        {"loss_fn": torch.nn.L1Loss(), "torch_metrics": MeanAbsoluteError()},
        {"lr_scheduler_cls": None},
        {"add_encoders": {"cyclic": {"future": ["month"]}}},
    ],
)
@pytest.mark.parametrize("clean", [False, True])
def test_a_saved_model_is_loaded_safely_and_forecasts_the_same(tmp_path, options, clean):
    series, path = waves(), str(tmp_path / "model.pt")
    model = tiny(**options).fit(series)
    model.save(path, clean=clean)
    state = torch.random.get_rng_state()
    loaded = SAMoVARModel.load(path, pl_trainer_kwargs=QUIET)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert_same(loaded.predict(4, series=series), model.predict(4, series=series))


def test_a_saved_model_is_loaded_safely_in_a_process_that_only_imports_the_class(tmp_path):
    series, path = waves(dtype="float64"), tmp_path / "model.pt"
    model = tiny(likelihood=GaussianLikelihood()).fit(series)
    model.save(str(path))
    expected = model.predict(4, predict_likelihood_parameters=True).values()
    code = (
        "import sys, numpy as np\n"
        "from samovar_forecast import SAMoVARModel\n"
        "model = SAMoVARModel.load(sys.argv[1])\n"
        "forecast = model.predict(4, predict_likelihood_parameters=True)\n"
        "np.save(sys.argv[2], forecast.values())\n"
    )
    result = tmp_path / "forecast.npy"
    subprocess.run([sys.executable, "-c", code, path, result], check=True, timeout=120)
    np.testing.assert_array_equal(np.load(result), expected)


def test_a_loaded_model_can_be_trained_on(tmp_path):
    series, path = waves(), str(tmp_path / "model.pt")
    tiny().fit(series).save(path)
    loaded = SAMoVARModel.load(path)
    before = loaded.predict(4)
    assert loaded.fit(series, epochs=2).predict(4) != before


class Watch(pl.Callback):
    """Keeps the learning rate of every step."""

    def __init__(self) -> None:
        self.rates: list[float] = []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])


class StopAfterTwoEpochs(pl.Callback):
    """Stands for a machine that goes down."""

    def on_train_epoch_end(self, trainer, pl_module):
        trainer.should_stop = trainer.current_epoch == 1


@pytest.mark.filterwarnings("ignore:Checkpoint directory")
def test_checkpoints_are_kept_loaded_and_resumed(tmp_path):
    series, validation = waves(150), waves(60, seed=5)
    options = {
        "work_dir": str(tmp_path),
        "model_name": "kept",
        "save_checkpoints": True,
        "pl_trainer_kwargs": {k: v for k, v in QUIET.items() if k != "logger"},
        "dropout": 0.0,
    }
    tiny(n_epochs=2, force_reset=True, **options).fit(series, val_series=validation)
    best = SAMoVARModel.load_from_checkpoint("kept", work_dir=str(tmp_path), best=True)
    assert len(best.predict(4, series=series)) == 4
    last = SAMoVARModel.load_from_checkpoint("kept", work_dir=str(tmp_path), best=False)

    # Two epochs more than were planned: the cycle is stretched, the rate does not stay at its end.
    watch = Watch()
    last.trainer_params["callbacks"].append(watch)
    last.fit(series, val_series=validation, epochs=4)
    assert last.epochs_trained == 4
    assert len(watch.rates) == 2 * 5  # 135 windows in batches of 32, of the two epochs left
    assert max(watch.rates) > 1e-4


@pytest.mark.filterwarnings("ignore:Checkpoint directory")
@pytest.mark.filterwarnings("ignore:`ModelCheckpoint")  # darts keeps the best too, if it can
def test_an_interrupted_training_ends_where_an_unbroken_one_does(tmp_path):
    series = waves(100, dtype="float64")
    options = {"n_epochs": 4, "dropout": 0.0}
    whole = tiny(**options).fit(series, dataloader_kwargs={"shuffle": False})

    kept = {
        **options, "work_dir": str(tmp_path), "model_name": "kept", "save_checkpoints": True,
        "force_reset": True,
    }  # fmt: skip
    quiet = {k: v for k, v in QUIET.items() if k != "logger"}
    broken = tiny(**{**kept, "pl_trainer_kwargs": {**quiet, "callbacks": [StopAfterTwoEpochs()]}})
    broken.fit(series, dataloader_kwargs={"shuffle": False})
    assert broken.epochs_trained == 2
    with safe_globals([StopAfterTwoEpochs]):
        resumed = SAMoVARModel.load_from_checkpoint("kept", work_dir=str(tmp_path), best=False)
    callbacks = resumed.trainer_params["callbacks"]
    callbacks[:] = [one for one in callbacks if not isinstance(one, StopAfterTwoEpochs)]
    resumed.fit(series, dataloader_kwargs={"shuffle": False})
    assert_same(resumed.predict(4, series=series), whole.predict(4), tolerance=1e-10)


def test_weights_are_loaded_into_a_model_that_differs_in_its_training_only(tmp_path):
    series, path = waves(), str(tmp_path / "model.pt")
    model = tiny().fit(series)
    model.save(path)
    other = tiny(next_patch_loss_weight=0.1, dropout=0.3, optimizer_kwargs={"lr": 1e-4})
    other.load_weights(path)
    assert_same(other.predict(4, series=series), model.predict(4, series=series))
    with pytest.raises(ValueError, match="normalization"):
        tiny(normalization="window").load_weights(path)


def test_an_ensemble_with_it_is_saved_and_loaded(tmp_path):
    series, path = waves(), str(tmp_path / "ensemble.pkl")
    other = NLinearModel(12, 4, n_epochs=1, random_state=0, pl_trainer_kwargs=QUIET)
    ensemble = NaiveEnsembleModel([tiny(), other]).fit(series)
    ensemble.save(path)
    loaded = NaiveEnsembleModel.load(path)
    assert_same(loaded.predict(4), ensemble.predict(4))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_and_pickles_keep_the_settings_as_of_every_darts_model(duplicate):
    series, model = waves(), tiny(dropout=0.3)
    model.fit(series)
    before = model.predict(4)
    copied = duplicate(model)  # darts leaves the weights out: they are kept by `save`
    assert copied.model_params == model.model_params
    assert len(copied.fit(series + 1.0).predict(4)) == 4
    assert_same(model.predict(4), before)


def test_an_untrained_or_reset_model_starts_anew(tmp_path):
    series = waves()
    model = tiny(work_dir=str(tmp_path)).fit(series)
    fresh = model.untrained_model()
    assert fresh.model_params == model.model_params
    assert_same(fresh.fit(series).predict(4), model.predict(4))
    model.reset_model()
    assert len(model.fit(series).predict(4)) == 4


# ---------------------------------------------------------------- without torch


ONNX_OPTIONS = [
    {},
    {"likelihood": GaussianLikelihood()},
    {"likelihood": QuantileRegression([0.1, 0.5, 0.9])},
    {"normalization": "none", "use_reversible_instance_norm": True},
    {"predictor": "lintrans"},
    {"predictor": "fixedvar"},
]


@pytest.mark.filterwarnings("ignore:::(torch|onnx|copyreg)")  # the exporter on itself
@pytest.mark.filterwarnings("ignore:The tensor attributes self.pl_module.rin")  # darts' norm
@pytest.mark.parametrize(
    "options",
    [ONNX_OPTIONS[0], *(pytest.param(o, marks=pytest.mark.slow) for o in ONNX_OPTIONS[1:])],
)
def test_the_onnx_export_forecasts_the_same_without_torch(tmp_path, options):
    ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    from darts.utils.onnx import run_onnx_prediction

    series = waves()
    known = {
        "past_covariates": waves(100, 1, seed=1),
        "future_covariates": waves(100, 2, seed=2),
    }
    model = tiny(**options).fit(series, **known)
    path = str(tmp_path / "model.onnx")
    model.to_onnx(path)
    likelihood = options.get("likelihood")
    n = 9 if likelihood is None else 4
    session = ort.InferenceSession(path)
    found = run_onnx_prediction(n=n, session=session, series=series, **known).values()
    expected = model.predict(n, predict_likelihood_parameters=likelihood is not None).values()
    if likelihood is not None:  # the graph ends before the likelihood's own softplus
        numbers = torch.from_numpy(found).reshape(1, n, 2, likelihood.num_parameters)
        found = likelihood.predict_likelihood_parameters(numbers)[0].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
