"""A fitted darts model is kept without pickle: the same numbers when it is loaded."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

pytest.importorskip("darts", reason="darts is not installed")

from darts.utils.likelihood_models import GaussianLikelihood, QuantileRegression
from torchmetrics import MeanAbsoluteError

from samovar_forecast import SAMoVARModel, SAMoVARZeroShotModel
from samovar_forecast.artifact import KIND, NUMBERS
from samovar_forecast.bundle import read_bundle, write_bundle
from samovar_forecast.exceptions import ArtifactError, ConfigurationError, NotFittedError
from tests.builders.darts import THIRD_PARTY, assert_same, tiny, waves, zero_shot

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]

LEVELS = QuantileRegression([0.1, 0.5, 0.9])

CASES = {
    "network": lambda: (tiny(loss_fn=torch.nn.L1Loss(), lr_scheduler_cls=None), {}),
    "linear forecast": lambda: (tiny(linear=True), {}),
    "quantiles": lambda: (tiny(likelihood=LEVELS), {}),
    "law": lambda: (tiny(likelihood=GaussianLikelihood(prior_strength=0.5)), {}),
    "encoders": lambda: (tiny(add_encoders={"cyclic": {"future": ["month"]}}), {}),
    "covariates": lambda: (
        tiny(linear=True),
        {
            "future_covariates": waves(90, 1, seed=3),
            "past_covariates": waves(90, 1, seed=4).with_columns_renamed("0", "past"),
        },
    ),
    "zero-shot": lambda: (zero_shot(), {}),
    "zero-shot in float64": lambda: (zero_shot(), {}),
    "zero-shot covariates": lambda: (
        zero_shot(likelihood=LEVELS),
        {"future_covariates": waves(90, 1, seed=3)},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_loaded_model_forecasts_the_same_numbers_and_samples(name, tmp_path):
    model, covariates = CASES[name]()
    in_float64 = ("linear forecast", "zero-shot in float64")
    series = waves(dtype="float64" if name in in_float64 else "float32")
    model.fit(series, **covariates).save_artifact(tmp_path / "model.zip")
    state = torch.random.get_rng_state()
    loaded = type(model).load_artifact(tmp_path / "model.zip")
    assert torch.equal(torch.random.get_rng_state(), state)
    assert_same(loaded.predict(6), model.predict(6))
    if model.likelihood is not None:
        assert_same(loaded.predict(4, num_samples=3), model.predict(4, num_samples=3))
    other = waves(60, seed=9, dtype=str(series.dtype))
    if not covariates:
        assert_same(loaded.predict(4, series=other), model.predict(4, series=other))


def test_several_series_with_static_covariates_are_not_kept_but_their_model_is(tmp_path):
    static = pd.DataFrame({"size": [1.5, 3.0], "kind": [0.0, 1.0]})
    series = [waves(seed=seed).with_static_covariates(static) for seed in (1, 2)]
    model = tiny().fit(series)
    model.save_artifact(tmp_path / "model")
    loaded = SAMoVARModel.load_artifact(tmp_path / "model")
    for found, expected in zip(loaded.predict(4, series), model.predict(4, series), strict=True):
        assert_same(found, expected)
    with pytest.raises(ValueError, match="series"):
        loaded.predict(4)


def test_a_series_comes_back_with_its_names_and_tables(tmp_path):
    static = pd.DataFrame({"size": [1.5, 3.0]}, index=["0", "1"])
    series = waves().with_static_covariates(static)
    model = tiny().fit(series)
    model.save_artifact(tmp_path / "model")
    loaded = SAMoVARModel.load_artifact(tmp_path / "model")
    assert loaded.training_series == series
    pd.testing.assert_frame_equal(loaded.static_covariates, model.static_covariates)


def test_another_process_loads_it_and_unpickles_nothing(tmp_path):
    model = tiny(linear=True).fit(waves())
    model.save_artifact(tmp_path / "model.zip")
    code = (
        "import pickle, sys, numpy as np, torch\n"
        "from samovar_forecast import SAMoVARModel\n"
        "def refuse(*given, **named): raise AssertionError('unpickled')\n"
        "torch.load = pickle.load = pickle.loads = pickle.Unpickler = refuse\n"
        "np.save(sys.argv[2], SAMoVARModel.load_artifact(sys.argv[1]).predict(6).values())\n"
    )
    paths = [tmp_path / "model.zip", tmp_path / "forecast.npy"]
    subprocess.run([sys.executable, "-c", code, *paths], check=True, timeout=120)
    np.testing.assert_array_equal(np.load(paths[1]), model.predict(6).values())


def test_what_no_artifact_can_hold_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(NotFittedError, match="not fitted"):
        tiny().save_artifact(tmp_path / "model")
    model = tiny(torch_metrics=MeanAbsoluteError()).fit(waves())
    with pytest.raises(ConfigurationError, match=r"no artifact can hold.*MeanAbsoluteError"):
        model.save_artifact(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def with_sample_type(tmp_path, kept: dict[str, str]) -> None:
    """Write an artifact with another type of its numbers, or without."""
    tiny().fit(waves()).save_artifact(tmp_path / "model.zip")
    known = read_bundle(tmp_path / "model.zip", KIND, (NUMBERS,))
    state = {name: own for name, own in known.content["state"].items() if name != "sample_type"}
    state |= kept
    write_bundle(tmp_path / "model.zip", KIND, {**known.content, "state": state}, known.files)


def test_an_artifact_of_before_computes_in_the_type_of_its_weights(tmp_path):
    with_sample_type(tmp_path, {})
    loaded = SAMoVARModel.load_artifact(tmp_path / "model.zip")
    assert_same(loaded.predict(4), tiny().fit(waves()).predict(4))
    with_sample_type(tmp_path, {"sample_type": "object"})
    with pytest.raises(ArtifactError, match="no model computes in object"):
        SAMoVARModel.load_artifact(tmp_path / "model.zip")


def test_a_network_in_half_precision_is_refused_and_nothing_is_written(tmp_path):
    model = tiny().fit(waves(dtype="float16"))
    with pytest.raises(ConfigurationError, match=r"float32 or float64; found: torch\.bfloat16"):
        model.save_artifact(tmp_path / "model.zip")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_layers", 10**12),
        ("d_model", 2**20),
        ("input_chunk_length", "long"),
        ("output_chunk_length", 10**9),
        ("surprise", 1),
        ("optimizer_cls", {"class": "os.system"}),
        ("likelihood", {"object": "Popen", "arguments": {}}),
        ("loss_fn", {"object": "MSELoss", "arguments": {"hook": 1}}),
    ],
)
def test_crafted_parameters_are_refused(name, value, tmp_path):
    tiny().fit(waves()).save_artifact(tmp_path / "model.zip")
    known = read_bundle(tmp_path / "model.zip", KIND, (NUMBERS,))
    parameters = [pair for pair in known.content["state"]["parameters"] if pair[0] != name]
    state = {**known.content["state"], "parameters": [*parameters, [name, value]]}
    write_bundle(tmp_path / "model.zip", KIND, {**known.content, "state": state}, known.files)
    with pytest.raises(ArtifactError, match="darts SAMoVARModel"):
        SAMoVARModel.load_artifact(tmp_path / "model.zip")
    with pytest.raises(ArtifactError, match="holds something else"):
        SAMoVARZeroShotModel.load_artifact(tmp_path / "model.zip")
