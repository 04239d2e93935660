"""What darts does with a model: backtests, searches, ensembles, conformal bands, explanations."""

from __future__ import annotations

import numpy as np
import pytest
import torch

pytest.importorskip("darts", reason="darts is not installed")

from darts.ad import ForecastingAnomalyModel, NormScorer
from darts.metrics import mae, mic
from darts.models import (
    ARIMA,
    VARIMA,
    ConformalNaiveModel,
    ConformalQRModel,
    NaiveEnsembleModel,
    NLinearModel,
    RegressionEnsembleModel,
)
from darts.utils.data import SequentialTorchTrainingDataset
from darts.utils.likelihood_models import GaussianLikelihood, QuantileRegression

from samovar_forecast.adapters.darts.windows import SlicedTrainingDataset
from tests.builders.darts import (
    QUIET,
    THIRD_PARTY,
    assert_same,
    tiny,
    waves,
)

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]

# ---------------------------------------------------------------- historical forecasts


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("covariates", [False, True])
@pytest.mark.parametrize("horizon", [2, 4, 7])
def test_optimised_historical_forecasts_equal_a_loop_of_predictions(horizon, covariates, dtype):
    series = [waves(60, dtype=dtype), waves(50, seed=1, dtype=dtype)]
    known = {}
    if covariates:
        known["past_covariates"] = [waves(80, 1, seed=3, dtype=dtype)] * 2
        known["future_covariates"] = [waves(80, 2, seed=4, dtype=dtype)] * 2
    model = tiny().fit(series, **known)
    forecasts = model.historical_forecasts(
        series, **known, start=40, stride=3, forecast_horizon=horizon, retrain=False,
        last_points_only=False,
    )  # fmt: skip
    for number, (one, found) in enumerate(zip(series, forecasts, strict=True)):
        own = {name: values[number] for name, values in known.items()}
        for forecast in found:
            start = one.get_index_at_point(forecast.start_time())
            assert_same(forecast, model.predict(horizon, one[:start], **own), tolerance=1e-5)
        assert len(found) == (len(one) - 40 - horizon) // 3 + 1


def test_last_points_and_overlapping_ends_are_those_of_the_whole_forecasts():
    series, model = waves(60), tiny()
    model.fit(series)
    whole = model.historical_forecasts(
        series, start=40, forecast_horizon=3, retrain=False, last_points_only=False,
        overlap_end=True,
    )  # fmt: skip
    points = model.historical_forecasts(
        series, start=40, forecast_horizon=3, retrain=False, overlap_end=True
    )
    assert len(whole) == len(points) == 21
    assert whole[-1].start_time() == series.end_time() + series.freq
    last = np.stack([forecast.last_values() for forecast in whole])
    np.testing.assert_allclose(points.values(), last, atol=1e-6)


@pytest.mark.parametrize("shift", [0, 2])
def test_samples_and_parameters_are_forecast_historically_too(shift):
    series = waves(60)
    model = tiny(likelihood=GaussianLikelihood(), output_chunk_shift=shift).fit(series)
    options = {"start": 45, "forecast_horizon": 4, "retrain": False, "last_points_only": False}
    samples = model.historical_forecasts(series, num_samples=7, **options)
    assert {forecast.n_samples for forecast in samples} == {7}
    parameters = model.historical_forecasts(series, predict_likelihood_parameters=True, **options)
    assert {forecast.n_components for forecast in parameters} == {4}


def test_retraining_follows_the_plan_of_the_user():
    series, trained_at = waves(50), []

    def every_sixth(counter, pred_time, train_series, past_covariates, future_covariates) -> bool:
        if counter % 6 == 0:
            trained_at.append(len(train_series))
        return counter % 6 == 0

    options = {"start": 38, "forecast_horizon": 4, "stride": 2}
    always = tiny().historical_forecasts(series, retrain=True, **options)
    assert len(always) == 5
    model = tiny()
    sometimes = model.historical_forecasts(series, retrain=every_sixth, **options)
    assert trained_at[-1] == 38  # darts tries the plan once before, on the whole series
    assert_same(sometimes[:1], always[:1], tolerance=1e-6)
    limited = tiny().historical_forecasts(series, retrain=True, train_length=30, **options)
    assert len(limited) == 5


# ---------------------------------------------------------------- scores and searches


def test_backtests_and_residuals_agree_with_the_forecasts():
    series, model = waves(60), tiny()
    model.fit(series)
    options = {"start": 40, "forecast_horizon": 4, "retrain": False, "last_points_only": False}
    forecasts = model.historical_forecasts(series, **options)
    score = model.backtest(series, metric=mae, **options)
    assert score == pytest.approx(np.mean([mae(series, forecast) for forecast in forecasts]))
    residuals = model.residuals(series, **options)
    expected = series.slice_intersect(forecasts[0]).values() - forecasts[0].values()
    np.testing.assert_allclose(residuals[0].values(), expected, atol=1e-6)


def test_a_grid_search_returns_the_best_model_of_its_grid():
    grid = {
        "input_chunk_length": [8],
        "output_chunk_length": [4],
        "num_layers": [1],
        "d_model": [8, 16],
        "normalization": ["last_patch", "window"],
        "n_epochs": [1],
        "random_state": [0],
        "pl_trainer_kwargs": [QUIET],
    }
    series = waves(60)
    model, parameters, score = type(tiny()).gridsearch(
        grid, series, forecast_horizon=4, start=50, stride=3, metric=mae
    )
    assert set(parameters) == set(grid)
    assert np.isfinite(score)
    assert len(model.fit(series).predict(4)) == 4


def test_learning_rate_and_batch_size_are_found_by_darts_tuners(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # Lightning leaves a checkpoint there while it searches
    model = tiny(n_epochs=3, pl_trainer_kwargs={**QUIET, "enable_checkpointing": False})
    found = model.lr_find(waves(200), num_training=12, early_stop_threshold=None)
    assert len(found.results["lr"]) == 12
    assert model.scale_batch_size(waves(200), max_trials=2) >= 4


def test_a_dataset_of_the_users_own_trains_the_model_as_ours_does():
    series = waves()
    kinds = (SequentialTorchTrainingDataset, SlicedTrainingDataset)
    one, other = (
        tiny().fit_from_dataset(kind(series, input_chunk_length=12, output_chunk_length=4))
        for kind in kinds
    )
    assert_same(one.predict(4, series=series), other.predict(4, series=series))


def test_strides_and_a_limit_of_windows_are_respected():
    model = tiny().fit(waves(200), stride=4, max_samples_per_ts=10)
    assert model.trainer.num_training_batches == 1
    assert len(model.predict(4)) == 4


# ---------------------------------------------------------------- ensembles


@pytest.mark.filterwarnings("ignore:::statsmodels")  # on how its own fit went
@pytest.mark.parametrize("classical", ["VARIMA", "ARIMA"])
def test_ensembles_hold_it_beside_a_classical_model(classical):
    series = waves(80, 2 if classical == "VARIMA" else 1)
    local = VARIMA(p=2) if classical == "VARIMA" else ARIMA(2, 0, 0)
    combined = NaiveEnsembleModel([tiny(), local]).fit(series).predict(4)
    parts = [tiny().fit(series).predict(4), local.untrained_model().fit(series).predict(4)]
    mean = np.mean([part.values() for part in parts], axis=0)
    np.testing.assert_allclose(combined.values(), mean, atol=1e-4)
    regression = RegressionEnsembleModel(
        [tiny(), local.untrained_model()], regression_train_n_points=8
    )
    assert np.isfinite(regression.fit(series).predict(6).values()).all()


def test_an_ensemble_of_global_models_forecasts_many_series():
    other = NLinearModel(12, 4, n_epochs=1, pl_trainer_kwargs=QUIET)
    series = [waves(60), waves(70, seed=1)]
    forecasts = NaiveEnsembleModel([tiny(), other]).fit(series).predict(5, series)
    assert [len(forecast) for forecast in forecasts] == [5, 5]


# ---------------------------------------------------------------- bands and anomalies


def test_conformal_bands_around_a_point_forecast_cover_what_they_promise():
    series = waves(300, 1)
    fitted = tiny(n_epochs=3, optimizer_kwargs={"lr": 3e-3}).fit(series[:150])
    model = ConformalNaiveModel(fitted, quantiles=[0.1, 0.5, 0.9], cal_length=60)
    bands = model.historical_forecasts(
        series, start=230, forecast_horizon=4, predict_likelihood_parameters=True, stride=1,
        last_points_only=False,
    )  # fmt: skip
    coverage = np.mean([mic(series, band, q_interval=(0.1, 0.9)) for band in bands])
    assert 0.65 < coverage < 0.95


def test_conformal_quantiles_start_from_those_of_the_model():
    series, levels = waves(120, 1), [0.1, 0.5, 0.9]
    fitted = tiny(likelihood=QuantileRegression(levels)).fit(series)
    model = ConformalQRModel(fitted, quantiles=levels, cal_length=30)
    quantiles = model.predict(4, series=series, predict_likelihood_parameters=True).values()
    assert quantiles.shape == (4, 3)
    assert (np.diff(quantiles, axis=1) >= 0).all()


def test_anomalies_are_scored_on_its_forecasts():
    series = waves(120, 1)
    model = ForecastingAnomalyModel(model=tiny(), scorer=NormScorer())
    model.fit(series, allow_model_training=True)
    assert len(model.score(series)) > 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of shap's plots
# statsmodels, on the checks that darts makes of the background
@pytest.mark.filterwarnings("ignore::statsmodels.tools.sm_exceptions.InterpolationWarning")
@pytest.mark.filterwarnings("ignore:(adfuller|kpss) ")
def test_shap_explains_a_forecast_by_the_past_of_the_components():
    from darts.explainability import ShapExplainer

    series = waves(60)
    model = tiny(input_chunk_length=8).fit(series)
    explainer = ShapExplainer(
        model, background_series=series[:30], shap_method="permutation", background_num_samples=5
    )
    explained = explainer.explain(series[-10:], horizons=[1])
    names = list(explained.get_explanation(horizon=1, component=series.components[0]).components)
    assert any(name.startswith(f"{series.components[1]}_target_lag") for name in names)


# ---------------------------------------------------------------- fine-tuning


def test_fine_tuning_from_saved_weights_moves_only_what_is_not_frozen(tmp_path):
    series, path = waves(), str(tmp_path / "model.pt")
    tiny().fit(series).save(path)
    tuned = tiny(
        enable_finetuning={"unfreeze": ["network.head.*"]},
        next_patch_loss_weight=0.5,
        optimizer_kwargs={"lr": 1e-2},
    )
    tuned.load_weights(path)
    before = {name: value.clone() for name, value in tuned.model.state_dict().items()}
    tuned.fit(series + 1.0)
    after = tuned.model.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"network.head.weight", "network.head.bias"}
