"""The pretrained network in darts: what darts asks of every foundation model, and what is ours."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

pytest.importorskip("darts", reason="darts is not installed")
pytest.importorskip("huggingface_hub", reason="darts' foundation models import huggingface_hub")

from darts import TimeSeries
from darts.metrics import mae, mql
from darts.models import NaiveDrift, NaiveEnsembleModel, NLinearModel
from darts.models.forecasting.foundation_model import FoundationModel
from darts.utils.likelihood_models import GaussianLikelihood, QuantileRegression
from torchmetrics import MeanAbsoluteError

from samovar_forecast import SAMoVARZeroShotModel, load_pretrained
from samovar_forecast.exceptions import ConfigurationError, DataError
from tests.builders.darts import QUIET, THIRD_PARTY, assert_same, daily, waves, zero_shot

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]

LEVELS = [0.1, 0.5, 0.9]


def state(model: SAMoVARZeroShotModel) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.model.network.state_dict().items()}


# ---------------------------------------------------------------- the forecast


def test_the_forecast_is_that_of_the_pretrained_network():
    series = waves(60, dtype="float64")
    model = zero_shot(season=7).fit(series)
    assert isinstance(model, FoundationModel)
    network = load_pretrained().network
    window = torch.from_numpy(series.values()[None, -24:])
    expected = network.forecast(window, 4, 7)[0, :, :, network.config.quantiles.index(0.5)]
    np.testing.assert_allclose(model.predict(4).values(), expected, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_components", [1, 3])
def test_forecasts_continue_the_series_in_its_own_precision(n_components, dtype):
    series = waves(60, n_components, dtype=dtype)
    forecast = zero_shot().fit(series).predict(4)
    assert forecast.values().dtype == dtype
    assert forecast.start_time() == series.end_time() + series.freq
    assert list(forecast.components) == list(series.components)


def test_a_component_without_a_value_is_no_forecast_of_0():
    series = waves(60)
    values = series.values().copy()
    values[:, 1] = np.nan
    with pytest.raises(DataError, match="a component without a value; found: '1'"):
        zero_shot().fit(series.with_values(values))
    values[:30] = series.values()[:30]  # the input chunk of 24 rows has none
    with pytest.raises(DataError, match=r"no value of a component.*number 1, counted from 0"):
        zero_shot().fit(series).predict(4, series=series.with_values(values))


def test_a_season_is_forecast_at_once_better_than_a_line():
    series = waves(200)
    past, future = series[:-7], series[-7:]
    found = zero_shot(input_chunk_length=120, output_chunk_length=7).fit(past).predict(7)
    assert mae(future, found) < mae(future, NaiveDrift().fit(past).predict(7)) / 2


def test_nothing_is_trained_and_the_same_rows_give_the_same_forecast():
    series = waves(60)
    model = zero_shot().fit(series)
    pretrained = load_pretrained().network.state_dict()
    assert all(torch.equal(value, pretrained[name]) for name, value in state(model).items())
    assert not any(parameter.requires_grad for parameter in model.model.parameters())
    assert model.epochs_trained == 0
    assert_same(model.predict(4), zero_shot(random_state=5).fit(series).predict(4))


def test_level_and_scale_pass_through_exactly():
    series = waves(60, dtype="float64")
    model = zero_shot().fit(series)
    moved = model.predict(4, series=series * 1e4 - 3e5)
    assert_same(moved, model.predict(4) * 1e4 - 3e5, tolerance=1e-5)


@pytest.mark.parametrize(("lookback", "horizon"), [(1, 1), (3, 5), (24, 90)])
def test_any_pair_of_chunk_lengths_works(lookback, horizon):
    model = zero_shot(input_chunk_length=lookback, output_chunk_length=horizon)
    forecast = model.fit(waves(120)).predict(horizon)
    assert len(forecast) == horizon
    assert np.isfinite(forecast.values()).all()


def test_a_shorter_series_is_forecast_from_what_there_is():
    series = waves(40, dtype="float64")
    model = zero_shot(input_chunk_length=(4, 64)).fit(waves(100, dtype="float64"))
    expected = zero_shot(input_chunk_length=40).fit(series).predict(4)
    # Nearly: the network looks for seasons in quarters of the window, the empty rows included.
    assert_same(model.predict(4, series=series), expected, tolerance=0.05)
    assert len(model.predict(4, series=series[:4])) == 4
    with pytest.raises(ValueError, match="too short"):
        model.predict(4, series=series[:3])


def test_a_long_forecast_is_the_continuation_of_a_short_one():
    model = zero_shot().fit(waves(60))
    assert len(model.predict(11)) == 11
    assert_same(model.predict(11)[:4], model.predict(4))


def test_a_shifted_output_chunk_starts_that_much_later():
    series = waves(60)
    shifted = zero_shot(output_chunk_shift=2).fit(series).predict(4)
    whole = zero_shot(output_chunk_length=6).fit(series).predict(6)
    assert_same(shifted, whole[2:], tolerance=1e-6)


def test_several_series_are_forecast_as_each_alone():
    series = [waves(60, seed=seed) for seed in range(3)]
    model = zero_shot().fit(series)
    for one, found in zip(series, model.predict(4, series=series), strict=True):
        assert_same(found, zero_shot().fit(one).predict(4), tolerance=1e-5)


def test_missing_values_are_left_out():
    values = waves(80, dtype="float64").values()
    values[[-1, -5, -30], 0] = np.nan
    values[40:45] = np.nan
    found = zero_shot(input_chunk_length=60).fit(daily(values, dtype="float64")).predict(4)
    assert np.isfinite(found.values()).all()
    assert np.abs(found.values()).max() < 2


def test_optimised_historical_forecasts_equal_a_loop_of_predictions():
    series = waves(60)
    model = zero_shot().fit(series)
    options = {"start": 30, "stride": 5, "forecast_horizon": 6, "last_points_only": False}
    found = model.historical_forecasts(series, retrain=False, **options)
    for forecast in found:
        start = series.get_index_at_point(forecast.start_time())
        assert_same(forecast, model.predict(6, series[:start]), tolerance=1e-5)
    assert np.isfinite(model.backtest(series, retrain=False, metric=mae, **options))


# ---------------------------------------------------------------- levels


def test_the_parameters_of_the_likelihood_are_the_quantiles_of_the_network():
    series = waves(60, dtype="float64")
    model = zero_shot(likelihood=QuantileRegression(LEVELS)).fit(series)
    quantiles = model.predict(4, predict_likelihood_parameters=True)
    network = load_pretrained().network
    window = torch.from_numpy(series.values()[None, -24:])
    at = [network.config.quantiles.index(level) for level in LEVELS]
    expected = network.forecast(window, 4, 7)[0][..., at].flatten(1)
    np.testing.assert_allclose(quantiles.values(), expected, atol=1e-6)
    assert_same(zero_shot().fit(series).predict(4)["0"], quantiles["0_q0.500"].with_columns_renamed(
        "0_q0.500", "0"), tolerance=1e-6)  # fmt: skip


def test_samples_follow_the_levels():
    model = zero_shot(likelihood=QuantileRegression(LEVELS), random_state=0).fit(waves(60))
    quantiles = model.predict(4, predict_likelihood_parameters=True).values().reshape(4, 2, 3)
    samples = model.predict(4, num_samples=400).all_values()
    below = (samples < quantiles.transpose(2, 0, 1)[..., None]).mean((1, 2, 3))
    np.testing.assert_allclose(below, LEVELS, atol=0.1)  # darts draws between levels


def test_quantiles_cover_what_they_promise_on_simulated_series():
    series = daily(np.random.default_rng(0).normal(size=(400, 1)).cumsum(0))
    levels = [0.05, 0.1, 0.5, 0.9, 0.95]
    model = zero_shot(input_chunk_length=96, likelihood=QuantileRegression(levels)).fit(series)
    found = model.historical_forecasts(
        series, start=100, forecast_horizon=1, retrain=False, predict_likelihood_parameters=True
    )
    low, _, _, _, high = found.values().T
    actual = series.slice_intersect(found).values()[:, 0]
    assert 0.8 < ((actual > low) & (actual < high)).mean() < 0.97
    assert np.isfinite(mql(series, found, q=levels)).all()


def test_sample_paths_far_beyond_the_output_chunk_keep_their_size():
    series = daily(np.random.default_rng(0).normal(5, 1, size=(200, 1)))
    model = zero_shot(likelihood=QuantileRegression(LEVELS)).fit(series)
    paths = model.predict(80, num_samples=50).all_values()
    assert paths[-8:].std() < 3 * paths[:8].std()
    assert np.abs(paths).max() < 20


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"likelihood": GaussianLikelihood()}, "QuantileRegression"),
        ({"season": 0}, "season"),
        ({"max_epochs": 2}, "n_epochs"),
        ({"n_layers": 2}, "n_layers"),
        ({"hidden_size": 2}, "hidden_size"),
        ({"input_chunk_length": 0}, "input_chunk_length"),
    ],
)
def test_what_cannot_work_is_refused_at_construction(options, message):
    with pytest.raises(ValueError, match=message):
        zero_shot(**options)


def test_half_precision_is_refused_by_name():
    with pytest.raises(DataError, match="float32"):
        zero_shot().fit(waves(60).astype("float16"))


def test_normalising_twice_gets_a_warning_and_no_other_forecast():
    series = waves(60)
    with pytest.warns(UserWarning, match="has no effect"):
        model = zero_shot(use_reversible_instance_norm=True)
    assert_same(model.fit(series).predict(4), zero_shot().fit(series).predict(4))


# ---------------------------------------------------------------- covariates


def test_past_covariates_inform_the_forecast_and_a_lone_component_does_not_read_them():
    random = np.random.default_rng(0)
    leader = random.normal(size=301)
    series = daily(leader[:-1, None] + 0.1 * random.normal(size=(300, 1)))
    leading = daily(leader[1:, None])  # what the series will be a day later
    errors = []
    for known in ({}, {"past_covariates": leading}):
        model = zero_shot(input_chunk_length=120, output_chunk_length=1).fit(series, **known)
        found = model.historical_forecasts(series, start=200, retrain=False, **known)
        errors.append(mae(series, found))
    assert errors[1] < 0.7 * errors[0]
    with pytest.raises(ConfigurationError, match="univariate"):
        zero_shot(univariate=True).fit(series, past_covariates=leading)


def test_future_covariates_have_the_effect_that_the_series_confirms():
    random = np.random.default_rng(0)
    known = random.normal(size=(320, 2))
    values = 3 * known[:300, :1] + random.normal(size=(300, 1)) * 0.3
    series, future = daily(values), daily(known)
    model = zero_shot(output_chunk_length=8).fit(series, future_covariates=future)
    np.testing.assert_allclose(model.model.effect[0, :, 0], [3.0, 0.0], atol=0.2)
    forecast = model.predict(8).values()[:, 0]
    assert np.abs(forecast - 3 * known[300:308, 0]).max() < 0.6
    with pytest.raises(ValueError, match="future_covariates"):
        zero_shot().fit(series, future_covariates=future).predict(30)  # they end before


def test_covariates_without_an_effect_change_nothing():
    series, noise = waves(200), daily(np.random.default_rng(1).normal(size=(220, 1)))
    found = zero_shot().fit(series, future_covariates=noise).predict(4)
    assert_same(found, zero_shot().fit(series).predict(4), tolerance=0.05)


def test_static_covariates_are_not_read_as_in_every_foundation_model_of_darts():
    series = waves(60)
    labelled = series.with_static_covariates(pd.DataFrame({"size": [1.0, 2.0]}))
    model = zero_shot().fit(labelled)
    assert not model.supports_static_covariates
    np.testing.assert_array_equal(
        model.predict(4).values(), zero_shot().fit(series).predict(4).values()
    )


def test_a_component_alone_reads_no_other():
    series = waves(60, 2, dtype="float64")
    both = zero_shot(univariate=True).fit(series).predict(4)
    own = zero_shot().fit(series["1"]).predict(4)
    np.testing.assert_allclose(both["1"].values(), own.values(), atol=1e-6)


def test_encoders_give_covariates_that_have_an_effect():
    times = pd.date_range("2020-01-01", periods=300, freq="D")
    values = 5.0 * is_called(times)[:, None]
    noise = np.random.default_rng(0).normal(scale=0.3, size=(300, 1))
    series = TimeSeries.from_times_and_values(times, (values + noise).astype("float32"))
    encoders = {"custom": {"future": [is_called]}}
    model = zero_shot(input_chunk_length=28, add_encoders=encoders, season=1).fit(series)
    assert model.model.effect[0, 0, 0] > 4


def is_called(index: pd.DatetimeIndex) -> np.ndarray:
    """Days without a rhythm."""
    return (np.sin(index.dayofyear.to_numpy() ** 2) > 0.6).astype("float32")


# ---------------------------------------------------------------- seasons


def test_the_season_is_that_of_the_frequency_unless_it_is_told():
    assert zero_shot().fit(waves(60)).model.season == 7
    assert zero_shot(season=5).fit(waves(60)).model.season == 5
    numbered = TimeSeries.from_values(waves(60).values())
    assert zero_shot().fit(numbered).model.season == 1


@pytest.mark.parametrize("linear", [False, True])
def test_each_series_is_forecast_with_the_season_of_its_own_frequency(linear):
    """Whatever the order of the series, and whatever series the model was fitted to."""
    days, values = waves(60, dtype="float64"), waves(60, seed=1, dtype="float64").values()
    times = pd.date_range("2015-01", periods=60, freq="MS")
    months = TimeSeries.from_times_and_values(times, values)
    options = {"linear": linear, "likelihood": QuantileRegression(LEVELS)}

    def ahead(model, series):
        return model.predict(4, series=series, predict_likelihood_parameters=True)

    wanted_days = ahead(zero_shot(season=7, **options).fit(days), days)
    wanted_months = ahead(zero_shot(season=12, **options).fit(months), months)
    assert zero_shot(**options).fit([days, months]).model.season == 1  # they share none
    for fitted in ([months, days], months):
        model = zero_shot(**options).fit(fitted)
        assert_same(ahead(model, days), wanted_days)
        assert_same(ahead(model, months), wanted_months)
        of_months, of_days = ahead(model, [months, days])
        assert_same(of_days, wanted_days, 1e-12)
        assert_same(of_months, wanted_months, 1e-12)


def test_samples_of_several_series_have_the_season_of_each():
    times = pd.date_range("2015-01", periods=60, freq="MS")
    months = TimeSeries.from_times_and_values(times, waves(60).values())
    model = zero_shot(likelihood=QuantileRegression(LEVELS)).fit(months)
    seen = []
    forecast = model.model.network.forecast
    model.model.network.forecast = lambda past, steps, season, **others: (
        seen.append(season.tolist()) or forecast(past, steps, season, **others)
    )
    model.predict(4, series=[waves(60), months], num_samples=3, batch_size=6)
    assert seen == [[7, 12] * 3]


# ---------------------------------------------------------------- fine-tuning


def test_fine_tuning_moves_the_weights_that_it_may_move():
    series = waves(60)
    pretrained = load_pretrained().network.state_dict()
    for wanted, patterns in ((True, ("",)), ({"unfreeze": ["network.head.*"]}, ("head",))):
        model = zero_shot(enable_finetuning=wanted, n_epochs=1, random_state=0).fit(series)
        moved = {
            name for name, one in state(model).items() if not torch.equal(one, pretrained[name])
        }
        assert moved
        assert all(name.startswith(patterns) for name in moved)
        assert np.isfinite(model.predict(4).values()).all()


def test_fine_tuning_lowers_the_error_on_the_kind_of_series_it_is_tuned_to():
    """A rule that no simulated process of the pretraining had: a jump every 11 rows."""
    rows = np.arange(400)
    values = np.where(rows % 11 == 0, 4.0, 0.0)[:, None] * (1 + 0.5 * np.sin(rows / 60))[:, None]
    series = daily(values + 0.1 * np.random.default_rng(0).normal(size=(400, 1)))
    options = {"output_chunk_length": 1, "season": 1}
    error = {}
    for tuned in (False, True):
        model = zero_shot(
            enable_finetuning=tuned, n_epochs=2, random_state=0, optimizer_kwargs={"lr": 1e-3},
            **options,
        ).fit(series[:300])  # fmt: skip
        found = model.historical_forecasts(series, start=300, retrain=False)
        error[tuned] = mae(series, found)
    assert error[True] < error[False]


def test_metrics_and_the_validation_loss_read_the_forecast():
    series, validation = waves(60), waves(40, seed=3)
    model = zero_shot(
        enable_finetuning=True, n_epochs=1, random_state=0, torch_metrics=MeanAbsoluteError(),
        optimizer_kwargs={"lr": 0.0},
    ).fit(series, val_series=validation)  # fmt: skip
    metrics = model.trainer.callback_metrics
    found = model.historical_forecasts(
        validation, start=24, forecast_horizon=4, retrain=False, last_points_only=False
    )
    squares = [np.square(validation.slice_intersect(one).values() - one.values()) for one in found]
    assert metrics["val_loss"] == pytest.approx(np.mean(squares), rel=1e-4)
    assert torch.isfinite(metrics["train_MeanAbsoluteError"])


def test_a_users_optimiser_is_taken_as_it_is():
    model = zero_shot(
        enable_finetuning=True, n_epochs=1, optimizer_cls=torch.optim.SGD,
        optimizer_kwargs={"lr": 0.0},
    ).fit(waves(60))  # fmt: skip
    assert_same(model.predict(4), zero_shot().fit(waves(60)).predict(4))


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("clean", [False, True])
def test_a_saved_model_is_loaded_safely_and_forecasts_the_same(tmp_path, clean):
    known = waves(90, 1, seed=4)
    series, path = waves(60), str(tmp_path / "model.pt")
    model = zero_shot(likelihood=QuantileRegression(LEVELS), season=5)
    model.fit(series, future_covariates=known).save(path, clean=clean)
    loaded = SAMoVARZeroShotModel.load(path, pl_trainer_kwargs=QUIET)
    asked = {"series": series, "future_covariates": known, "predict_likelihood_parameters": True}
    assert_same(loaded.predict(4, **asked), model.predict(4, **asked))


@pytest.mark.slow  # a process of its own
def test_a_saved_model_is_loaded_safely_in_a_process_that_only_imports_the_class(tmp_path):
    series, path = waves(60), tmp_path / "model.pt"
    model = zero_shot().fit(series)
    model.save(str(path))
    code = (
        "import sys, numpy as np\n"
        "from samovar_forecast import SAMoVARZeroShotModel\n"
        "np.save(sys.argv[2], SAMoVARZeroShotModel.load(sys.argv[1]).predict(4).values())\n"
    )
    result = tmp_path / "forecast.npy"
    subprocess.run([sys.executable, "-c", code, path, result], check=True, timeout=120)
    np.testing.assert_array_equal(np.load(result), model.predict(4).values())


def test_a_model_forecasts_with_the_weights_that_it_was_saved_with(tmp_path, monkeypatch):
    """Later weights of the package do not change a model that was kept."""
    series, path = waves(60), str(tmp_path / "model.pt")
    tuned = zero_shot(enable_finetuning=True, n_epochs=1).fit(series)
    tuned.save(path)

    def gone(folder=None):
        raise AssertionError("the weights of the package were read")

    monkeypatch.setattr("samovar_forecast.adapters.darts.zero_shot.load_pretrained", gone)
    assert_same(SAMoVARZeroShotModel.load(path).predict(4), tuned.predict(4))


def test_weights_are_loaded_into_a_model_with_other_chunks(tmp_path):
    series, path = waves(60), str(tmp_path / "model.pt")
    tuned = zero_shot(enable_finetuning=True, n_epochs=1).fit(series)
    tuned.save(path)
    other = zero_shot(input_chunk_length=16, output_chunk_length=6)
    other.load_weights(path)
    assert all(torch.equal(one, state(tuned)[name]) for name, one in state(other).items())
    assert other.model.season == 7  # of the frequency of the series that the weights came from
    assert len(other.predict(6, series=series)) == 6


def test_a_series_too_short_for_a_window_is_refused_in_darts_words():
    with pytest.raises(ValueError, match="too short"):
        zero_shot().fit(waves(20))


def test_weights_of_the_users_own_come_from_a_folder(tmp_path):
    from samovar_forecast.network.pretrained import save_pretrained
    from samovar_forecast.network.zero_shot import ZeroShotNetwork
    from samovar_forecast.network.zero_shot_config import ZeroShotConfig

    generator = torch.Generator().manual_seed(0)
    small = ZeroShotNetwork(
        ZeroShotConfig(width=16, heads=2, n_layers=1, decays=(1.0, 0.9)), generator
    )
    save_pretrained(small, {}, tmp_path)
    model = zero_shot(local_dir=tmp_path).fit(waves(60))
    assert torch.equal(model.model.network.head.weight, small.head.weight)
    model.save(path := str(tmp_path / "model.pt"))
    assert_same(SAMoVARZeroShotModel.load(path).predict(4), model.predict(4))


def test_an_ensemble_holds_it():
    series = waves(60)
    other = NLinearModel(input_chunk_length=24, output_chunk_length=4, n_epochs=1,
                         random_state=0, pl_trainer_kwargs=QUIET)  # fmt: skip
    ensemble = NaiveEnsembleModel([zero_shot(), other]).fit(series)
    mean = (zero_shot().fit(series).predict(4) + other.predict(4, series=series)) / 2
    np.testing.assert_allclose(ensemble.predict(4).values(), mean.values(), atol=1e-5)


def test_onnx_is_refused_where_common_factors_are_read(tmp_path):
    model = zero_shot().fit(waves(60, 8), past_covariates=waves(60, 1, seed=1))
    with pytest.raises(ConfigurationError, match=r"common factors.*found: 9 series"):
        model.to_onnx(str(tmp_path / "model.onnx"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:::(torch|onnx|copyreg)")  # the exporter on itself
def test_the_onnx_export_forecasts_the_same_without_torch(tmp_path):
    ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    from darts.utils.onnx import run_onnx_prediction

    series = waves(60)
    model = zero_shot(likelihood=QuantileRegression(LEVELS)).fit(series)
    model.to_onnx(path := str(tmp_path / "model.onnx"))
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    found = run_onnx_prediction(n=4, session=session, series=series).values()
    expected = model.predict(4, predict_likelihood_parameters=True).values()
    np.testing.assert_allclose(found, expected, atol=1e-4)
