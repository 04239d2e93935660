"""The linear anchor of a darts model: on what rows, in which forecasts, and kept with the model."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

pytest.importorskip("darts", reason="darts is not installed")

from darts import TimeSeries
from darts.utils.data import SequentialTorchTrainingDataset
from darts.utils.likelihood_models import (
    GaussianLikelihood,
    PoissonLikelihood,
    QuantileRegression,
)

from samovar_forecast import SAMoVARModel, SAMoVARNetwork
from samovar_forecast.adapters.darts.module import SAMoVARModule
from samovar_forecast.linear import estimate_anchor
from samovar_forecast.linear.forecast import LinearForecast
from samovar_forecast.linear.simulate import simulate_var
from tests.builders.darts import QUIET, THIRD_PARTY, assert_same, daily, tiny

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]

COEFS = np.array([[[0.5, 0.4], [0.0, 0.6]]])


def linear(n_time: int = 160, seed: int = 0, dtype: str = "float64") -> TimeSeries:
    """Two series that a vector autoregression forecasts best."""
    return daily(20 + simulate_var(COEFS, n_time, random_state=seed), dtype=dtype)


def anchored(**changes) -> SAMoVARModel:
    return tiny(linear=True, **changes)


def opened(model: SAMoVARModel, share: float = 0.5) -> SAMoVARModel:
    """The same model with a share of the network in every step."""
    model.model.network.anchor.gate.fill_(share)
    return model


def alone(model: SAMoVARModel) -> SAMoVARModel:
    """A copy of the model that forecasts by its network alone."""
    other = copy.deepcopy(model)
    other.model = copy.deepcopy(model.model)
    other.model.set_anchor(None)
    other._fit_called = True
    return other


def test_the_forecast_is_anchor_plus_gate_times_the_distance_to_the_network():
    series = linear()
    model = opened(anchored().fit(series))
    window = series.values()[None, -12:]
    line = estimate_anchor([series.values()], 4, 12, season=7).map(window)[0]
    network = alone(model).predict(4, series).values()
    np.testing.assert_allclose(model.predict(4).values(), line + 0.5 * (network - line), rtol=1e-10)


def test_without_a_validation_series_the_last_fifth_is_held_out_and_set_the_gate(monkeypatch):
    series = [linear(160), linear(50, seed=1), linear(18, seed=2)]
    seen, windows = [], []

    original, setup = LinearForecast.estimate.__func__, SAMoVARModel.__mro__[1]._setup_for_train
    monkeypatch.setattr(
        LinearForecast,
        "estimate",
        classmethod(
            lambda cls, rows, *rest: (
                seen.append([len(one.target) for one in rows]),
                original(cls, rows, *rest),
            )[1]
        ),
    )
    monkeypatch.setattr(
        SAMoVARModel.__mro__[1],
        "_setup_for_train",
        lambda self, train_dataset, **rest: (
            windows.append([len(one) for one in train_dataset.series]),
            setup(self, train_dataset=train_dataset, **rest),
        )[1],
    )
    model = anchored().fit(series)
    assert windows == [[128, 40, 18]]  # the last one is too short to be cut
    assert seen == [[160, 50, 18], [128, 40, 18]]
    assert len(model.predict(4, series)) == 3


def test_a_validation_series_that_goes_on_is_joined_to_the_rows_of_the_training():
    series = linear()
    whole = anchored(random_state=3).fit(series)
    given = anchored(random_state=3).fit(series[:128], val_series=series[128 - 12 :])
    assert_same(given.predict(4, series), whole.predict(4, series), tolerance=1e-10)
    later = anchored(random_state=3).fit(series[:128], val_series=series[128:])
    anchors = [model.model.network.anchor for model in (later, whole)]
    torch.testing.assert_close(anchors[0].own, anchors[1].own)
    assert later.training_series.end_time() == series.time_index[127]


def test_several_series_share_an_anchor_and_far_forecasts_roll_on_with_it():
    series = [linear(150, seed=seed) for seed in range(3)]
    model = opened(anchored(batch_size=64).fit(series))
    together = model.predict(8, series)
    for one, forecast in zip(series, together, strict=True):
        assert_same(model.predict(8, one), forecast, tolerance=1e-8)
    path, last = series[0].values(), series[0]
    for _ in range(2):
        step = model.predict(4, last)
        last = last.append(step)
    np.testing.assert_allclose(last.values()[len(path) :], together[0].values(), atol=1e-8)


def test_optimised_backtests_forecast_as_one_call_at_a_time_does():
    series = linear()
    model = opened(anchored().fit(series[:120]))
    options = {"start": 130, "forecast_horizon": 4, "retrain": False, "last_points_only": False}
    for forecast in model.historical_forecasts(series, stride=10, **options):
        history = series.drop_after(forecast.start_time())
        assert_same(forecast, model.predict(4, history), tolerance=1e-8)


@pytest.mark.parametrize("likelihood", [GaussianLikelihood(), QuantileRegression([0.1, 0.5, 0.9])])
def test_all_locations_of_a_likelihood_move_as_its_center_does(likelihood):
    series = linear()
    model = opened(anchored(likelihood=likelihood).fit(series))
    parameters = {"n": 4, "series": series, "predict_likelihood_parameters": True}
    found = model.predict(**parameters).values().reshape(4, 2, -1)
    own = alone(model).predict(**parameters).values().reshape(4, 2, -1)
    line = estimate_anchor([series.values()], 4, 12, season=7).map(series.values()[None, -12:])[0]
    center = 0 if isinstance(likelihood, GaussianLikelihood) else 1
    shift = 0.5 * (line - own[..., center])
    is_location = [True, False] if center == 0 else [True] * 3
    np.testing.assert_allclose(found - own, shift[..., None] * is_location, atol=1e-8)
    assert np.isfinite(model.predict(4, num_samples=5).all_values()).all()


def test_a_likelihood_without_a_location_has_no_anchor():
    counts = daily(np.random.default_rng(0).poisson(3.0, size=(80, 2)))
    model = anchored(likelihood=PoissonLikelihood()).fit(counts)
    assert model.model.network.anchor is None


def test_dropout_of_predictions_varies_the_share_of_the_network():
    model = opened(anchored(dropout=0.5).fit(linear()))
    spread = [
        opened(model, share).predict(4, mc_dropout=True, num_samples=20).all_values().std(2)
        for share in (0.0, 1.0)
    ]
    np.testing.assert_allclose(spread[0], 0, atol=1e-10)
    assert spread[1].min() > 0


def test_covariates_known_ahead_have_their_effect_also_where_the_network_has_no_share():
    known = np.random.default_rng(1).normal(size=(220, 1))
    series = linear(220)
    series = series.with_values(series.values() + 3 * known)
    future = TimeSeries.from_times_and_values(series.time_index, known)
    for shift in (0, 2):
        model = anchored(output_chunk_shift=shift).fit(series[:200], future_covariates=future)
        opened(model, 0.0)
        origin = 205
        forecast = model.predict(4, series[:origin], future_covariates=future)
        changed = known.copy()
        changed[origin + shift + 1] += 1.0
        moved = model.predict(4, series[:origin], future_covariates=future.with_values(changed))
        difference = moved.values() - forecast.values()
        np.testing.assert_allclose(difference[1], 3.0, atol=0.3)
        np.testing.assert_allclose(difference[0], 0.0, atol=1e-8)


def test_darts_own_instance_norm_does_not_change_the_anchors_units():
    series = linear()
    model = anchored(use_reversible_instance_norm=True, normalization="none").fit(series)
    line = estimate_anchor([series.values()], 4, 12, season=7).map(series.values()[None, -12:])[0]
    np.testing.assert_allclose(opened(model, 0.0).predict(4).values(), line, rtol=1e-10)


def test_a_shifted_output_chunk_is_forecast_by_the_later_steps_of_the_anchor():
    series = linear()
    model = opened(anchored(output_chunk_shift=3).fit(series), 0.0)
    line = estimate_anchor([series.values()], 7, 12, season=7).map(series.values()[None, -12:])[0]
    np.testing.assert_allclose(model.predict(4).values(), line[3:], rtol=1e-10)


@pytest.mark.parametrize("clean", [False, True])
def test_it_is_saved_loaded_and_given_to_other_models_with_the_weights(tmp_path, clean):
    series, path = linear(), str(tmp_path / "model.pt")
    model = opened(anchored().fit(series))
    model.save(path, clean=clean)
    expected = model.predict(4, series)
    assert_same(SAMoVARModel.load(path, pl_trainer_kwargs=QUIET).predict(4, series), expected)
    other = tiny(linear=False)
    other.load_weights(path)
    assert_same(other.predict(4, series), expected)
    in_single = copy.deepcopy(model.model.network).float()
    in_single.save_artifact(tmp_path / "artifact")
    network = SAMoVARNetwork.load_artifact(tmp_path / "artifact")
    window = torch.from_numpy(series.values()[None, -12:])
    with torch.no_grad():
        forecast = network.to(torch.float64)(window).forecast[0, ..., 0]
    np.testing.assert_allclose(forecast.numpy(), expected.values(), rtol=1e-5)


@pytest.mark.filterwarnings("ignore:Checkpoint directory")
def test_every_checkpoint_of_a_fit_is_kept_with_an_anchor_and_its_own_gate(tmp_path):
    series = linear()
    kept = {"save_checkpoints": True, "work_dir": str(tmp_path), "model_name": "kept"}
    model = anchored(n_epochs=3, **kept).fit(series, load_best=True)
    for is_best in (True, False):
        found = SAMoVARModel.load_from_checkpoint("kept", str(tmp_path), best=is_best)
        torch.testing.assert_close(found.model.network.anchor.own, model.model.network.anchor.own)
        assert np.isfinite(found.predict(4, series).values()).all()
    best = SAMoVARModel.load_from_checkpoint("kept", str(tmp_path), best=True)
    assert_same(best.predict(4, series), model.predict(4, series))
    model.save(str(tmp_path / "model.pt"))
    loaded = SAMoVARModel.load(str(tmp_path / "model.pt"), pl_trainer_kwargs=QUIET)
    assert_same(loaded.predict(4, series), model.predict(4, series))


def test_a_fit_that_goes_on_trains_the_network_alone_and_attaches_anew():
    series = linear()
    model = anchored(n_epochs=1).fit(series[:120])
    first = model.model.network.anchor
    seen = []

    def watch(self, prediction, *arguments):
        seen.append(arguments[-1].stage)
        return prediction

    original = SAMoVARModule._with_anchor
    SAMoVARModule._with_anchor = watch
    try:
        model.fit(series, epochs=1)
    finally:
        SAMoVARModule._with_anchor = original
    assert {stage.value for stage in seen} == {"pred"}  # the loss of the forecast, at the end
    assert model.model.network.anchor is not first
    line = estimate_anchor([series.values()], 4, 12, season=7).map(series.values()[None, -12:])[0]
    np.testing.assert_allclose(opened(model, 0.0).predict(4).values(), line, rtol=1e-10)


def test_datasets_are_fitted_as_series_are_and_those_of_other_kinds_say_what_they_lack():
    series = linear()
    dataset = SequentialTorchTrainingDataset(series, input_chunk_length=12, output_chunk_length=4)
    model = anchored().fit_from_dataset(dataset)
    assert_same(model.predict(4, series), anchored().fit(series).predict(4), tolerance=1e-10)

    class Mine(SequentialTorchTrainingDataset):
        pass

    lengths = {"input_chunk_length": 12, "output_chunk_length": 4}
    with pytest.warns(UserWarning, match="val_dataset"):
        model = anchored().fit_from_dataset(Mine(series, **lengths))
    assert model.model.network.anchor is None
    model = anchored().fit_from_dataset(
        Mine(series[:120], **lengths), Mine(series[108:], **lengths)
    )
    assert model.model.network.anchor is not None


def test_windows_of_a_dataset_without_series_are_its_instances():
    series = linear()
    inner = SequentialTorchTrainingDataset(series, input_chunk_length=12, output_chunk_length=4)

    class Windows(type(inner).__mro__[2]):
        def __init__(self, numbers):
            super().__init__()
            self.numbers = numbers

        def __len__(self):
            return len(self.numbers)

        def __getitem__(self, index):
            return inner[self.numbers[index]]

    windows = [*range(40, 140), *range(40)]
    model = anchored().fit_from_dataset(Windows(windows[:100]), Windows(windows[100:]))
    samples = [inner[number] for number in windows]
    instances = [np.concatenate([one.past_target, one.future_target]) for one in samples]
    line = estimate_anchor(instances, 4, 12).map(series.values()[None, -12:])[0]
    forecast = opened(model, 0.0).predict(4, series).values()
    np.testing.assert_allclose(forecast, line, rtol=1e-10)


def test_the_dynamic_var_of_an_anchored_model_is_that_of_its_forecast():
    series = linear()
    model = opened(anchored().fit(series))
    dynamic = model.explain(series)
    coefs = dynamic.coefs  # lag, response, impulse, of one step ahead
    before = model.predict(4, series).values()[0]
    for lag, impulse in [(1, 0), (2, 1), (12, 1)]:
        change = np.zeros_like(series.values())
        change[-lag, impulse] = 1e-5
        after = model.predict(4, series.with_values(series.values() + change)).values()[0]
        np.testing.assert_allclose((after - before) / 1e-5, coefs[lag - 1, :, impulse], atol=1e-4)


def test_a_series_too_short_to_hold_windows_out_is_forecast_by_the_anchor():
    series = linear(18)
    model = anchored().fit(series)
    assert torch.all(model.model.network.anchor.gate == 0)
    line = estimate_anchor([series.values()], 4, 12, season=7).map(series.values()[None, -12:])[0]
    np.testing.assert_allclose(model.predict(4).values(), line, rtol=1e-10)


def test_without_an_anchor_nothing_is_held_out_and_an_earlier_anchor_is_gone(tmp_path):
    series, path = linear(), str(tmp_path / "model.pt")
    anchored().fit(series).save(path)
    plain = tiny(linear=False)
    plain.load_weights(path)
    assert plain.model.network.anchor is not None
    plain.fit(series, epochs=1)
    assert plain.model.network.anchor is None


@pytest.mark.slow  # the export takes its time
def test_an_anchored_model_is_exported_whole(tmp_path):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    import onnxruntime
    from darts.utils.onnx import run_onnx_prediction

    series, path = linear(dtype="float32"), str(tmp_path / "model.onnx")
    model = opened(anchored().fit(series))
    model.to_onnx(path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    found = run_onnx_prediction(6, session, series)
    assert_same(
        found if isinstance(found, TimeSeries) else found[0], model.predict(6), tolerance=1e-4
    )


def test_garbage_of_sample_weight_zero_does_not_change_the_anchor():
    series, weights = linear(), np.ones((160, 1))
    weights[30:60] = 0
    garbage = series.values().copy()
    garbage[30:60] += 1000 * np.random.default_rng(0).normal(size=(30, 2))
    weighted = {"sample_weight": daily(weights, dtype="float64")}
    found = [
        anchored().fit(one, **weighted).model.network.anchor
        for one in (series, daily(garbage, dtype="float64"))
    ]
    for name in ("own", "cross", "intercept", "center"):
        assert torch.equal(*(getattr(anchor, name) for anchor in found))


def test_a_validation_that_starts_with_the_training_is_no_error():
    series = linear()
    for chunks in ((1, 1), (12, 4)):
        model = anchored(input_chunk_length=chunks[0], output_chunk_length=chunks[1])
        model.fit(series, val_series=series[:60])
        assert np.isfinite(model.predict(4).values()).all()


def test_the_loss_of_the_forecast_ranks_models_and_the_validation_loss_is_of_the_network():
    """The linear forecast is nearly perfect here, and an untrained network is not."""
    series, options = linear(), {"optimizer_kwargs": {"lr": 0.0}}
    found = {}
    for name in (True, False):
        model = tiny(linear=name, **options).fit(series[:-40], val_series=series[-56:])
        found[name] = dict(model.trainer.callback_metrics)
        forecasts = model.historical_forecasts(
            series[-56:], start=12, forecast_horizon=4, retrain=False, last_points_only=False
        )
        squares = [
            np.square(series.slice_intersect(one).values() - one.values()) for one in forecasts
        ]
        loss = float(found[name]["val_forecast_loss"])
        assert loss == pytest.approx(np.mean(squares), rel=1e-6)
    torch.testing.assert_close(found[True]["val_loss"], found[False]["val_loss"])
    torch.testing.assert_close(
        found[False]["val_loss"].float(), found[False]["val_forecast_loss"].float()
    )
    assert found[True]["val_forecast_loss"] < 0.8 * found[True]["val_loss"]
