"""What the trained model cannot read is refused before it costs time, with a way out."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
import torch

pytest.importorskip("darts", reason="darts is not installed")

from darts import TimeSeries
from darts.utils.likelihood_models import GaussianLikelihood

from samovar_forecast.exceptions import ConfigurationError, DataError, NotFittedError, SAMoVARError
from tests.builders.darts import QUIET, THIRD_PARTY, assert_same, daily, tiny, waves, zero_shot

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]

NUMBERED = TimeSeries.from_values(np.ones(60, dtype="float32"))


def with_gap(n_time: int = 60, row: int = 7, value: float = np.nan):
    values = waves(n_time).values().copy()
    values[row, 1] = value
    return daily(values)


@pytest.mark.parametrize("part", ["series", "past_covariates", "future_covariates"])
def test_a_gap_anywhere_in_the_training_is_refused_before_the_training(part):
    given = {"series": waves(60), part: with_gap()}
    with pytest.raises(DataError, match=r"'1' at 2020-01-08.*MissingValuesFiller"):
        tiny(n_epochs=10_000_000).fit(**given)


def test_a_gap_of_covariates_outside_the_time_of_the_series_is_none():
    tiny().fit(waves(60), past_covariates=with_gap(90, row=70))


def test_gaps_of_a_validation_series_are_refused_too():
    with pytest.raises(DataError, match="MissingValuesFiller"):
        tiny().fit(waves(60), val_series=with_gap())


@pytest.mark.parametrize("value", [np.inf, 1e20])
def test_values_whose_square_overflows_are_refused(value):
    with pytest.raises(DataError, match="series 0 of the target"):
        tiny().fit(with_gap(value=value))


def test_large_values_that_their_precision_holds_are_forecast():
    series = waves(60, dtype="float64") * 1e20
    assert np.isfinite(tiny().fit(series).predict(4).values()).all()


def test_a_gap_in_the_window_of_a_forecast_is_refused_and_an_earlier_gap_is_not():
    model = tiny().fit(waves(60))
    with pytest.raises(DataError, match=r"past_target.*SAMoVARZeroShotModel"):
        model.predict(4, with_gap(row=55))
    assert np.isfinite(model.predict(4, with_gap(row=5)).values()).all()


@pytest.mark.parametrize("make", [tiny, zero_shot])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("output_chunk_shift", -1),
        ("output_chunk_shift", 1.5),
        ("univariate", "no"),
        ("linear", "no"),
        ("use_static_covariates", 1),
        ("likelihood", "gaussian"),
        ("add_encoders", 5),
        ("optimizer_kwargs", 5),
        ("lr_scheduler_kwargs", "x"),
        ("pl_trainer_kwargs", 5),
        ("enable_finetuning", "x"),
        ("n_epochs", -5),
        ("batch_size", 0),
        ("nr_epochs_val_period", 0),
    ],
)
def test_an_argument_that_cannot_work_is_refused_by_its_name(make, name, value):
    if make is zero_shot and name in ("use_static_covariates", "likelihood"):
        pytest.skip("an argument of the trained model alone, or refused by other words")
    with pytest.raises(ConfigurationError, match=f"{name}; found"):
        make(**{name: value})


@pytest.mark.parametrize("make", [tiny, zero_shot])
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"series": None}, "series is no series; found: None"),
        ({"series": []}, "series holds no series"),
        ({"series": [5]}, "series is no series"),
        ({"series": waves(60), "val_series": 5}, "val_series is no series; found: 5"),
        ({"series": waves(60), "past_covariates": "x"}, "past_covariates is no series"),
        ({"series": waves(60), "future_covariates": NUMBERED}, "indices of two kinds"),
        ({"series": waves(60), "epochs": -1}, "epochs; found: -1"),
        ({"series": waves(60), "dataloader_kwargs": 5}, "dataloader_kwargs; found: 5"),
    ],
)
def test_what_a_fit_cannot_use_is_refused_before_it_begins(make, given, told):
    with pytest.raises(SAMoVARError, match=told):
        make().fit(**given)


def test_what_a_forecast_cannot_use_is_refused_by_its_name():
    model = tiny().fit(waves(60))
    for name, value in (
        ("n", "x"),
        ("n", -1),
        ("num_samples", 0),
        ("roll_size", 0),
        ("n", 2.5),
        ("mc_dropout", "no"),
    ):
        with pytest.raises(ConfigurationError, match=f"{name}; found"):
            model.predict(**{"n": 4, name: value})
    with pytest.raises(DataError, match="series is no series"):
        model.predict(4, "x")
    with pytest.raises(DataError, match="series is no single series; found: list"):
        model.explain([waves(60)])


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_static_covariates_that_are_no_numbers_are_refused(value):
    series = waves(60).with_static_covariates(pd.DataFrame({"size": [value]}))
    with pytest.raises(DataError, match=r"static covariate 'size' of series 0 of the target"):
        tiny().fit(series)
    tiny(use_static_covariates=False).fit(series)
    model = tiny().fit(waves(60).with_static_covariates(pd.DataFrame({"size": [1.0]})))
    with pytest.raises(DataError, match="static_covariates"):
        model.predict(4, series)


def test_gaps_of_future_covariates_in_the_time_of_the_forecast_are_refused():
    model = tiny().fit(waves(60), future_covariates=waves(64, 1))
    values = waves(64, 1).values().copy()
    values[-1] = np.nan
    with pytest.raises(DataError, match="missing values in future_covariates"):
        model.predict(4, waves(60), future_covariates=daily(values))


def test_a_trained_network_forecasts_series_of_another_precision():
    series, other = waves(60), waves(60, dtype="float64")
    model = tiny().fit(series)
    assert_same(model.predict(4, other).astype("float32"), model.predict(4, series))
    with pytest.raises(DataError, match=r"whose square is no torch\.float32"):
        model.predict(4, other * 1e20)


@pytest.mark.parametrize("first", ["float16", "float32", "float64"])
@pytest.mark.parametrize("second", ["float16", "float32", "float64"])
@pytest.mark.parametrize("linear", [False, True])
def test_a_trained_network_trains_on_with_series_of_another_precision(first, second, linear):
    model = tiny(linear=linear).fit(waves(60, dtype=first))
    kind = next(model.model.parameters()).dtype
    before = [own.clone() for own in model.model.parameters()]
    other = waves(60, 2, seed=1, dtype=second)
    model.fit(other, val_series=other, epochs=1)
    assert np.isfinite(model.predict(4).values()).all()
    assert {own.dtype for own in model.model.network.parameters()} == {kind}
    moved = [not torch.equal(*pair) for pair in zip(before, model.model.parameters(), strict=False)]
    assert any(moved)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "64-true"])
def test_a_precision_of_the_user_trains_on_series_of_any_type(precision):
    trained = tiny(pl_trainer_kwargs={**QUIET, "precision": precision})
    for dtype in ("float32", "float64"):
        forecast = copy.deepcopy(trained).fit(waves(60, dtype=dtype)).predict(4)
        assert np.isfinite(forecast.values()).all()


def test_training_on_in_another_precision_is_training_on_with_the_cast_series():
    series, other = waves(60), waves(60, seed=1, dtype="float64")
    one = tiny().fit(series).fit(other, epochs=1)
    same = tiny().fit(series).fit(other.astype("float32"), epochs=1)
    assert_same(one.predict(4, series), same.predict(4, series))


def test_values_that_the_precision_of_the_first_fit_cannot_hold_leave_the_earlier_fit():
    model = tiny().fit(waves(60))
    before = model.predict(4)
    with pytest.raises(SAMoVARError):
        model.fit(waves(60, dtype="float64") * 1e100, epochs=1)
    assert_same(model.predict(4), before)


def test_the_fine_tuned_network_trains_on_with_series_of_another_precision():
    model = zero_shot(enable_finetuning=True, n_epochs=1)
    for dtype in ("float32", "float64", "float32"):
        model.fit(waves(60, dtype=dtype), epochs=1)
        assert np.isfinite(model.predict(4).values()).all()


def test_the_pretrained_network_refuses_what_has_no_square_and_forecasts_the_rest():
    series = waves(60, dtype="float64")
    for factor, told in ((1e307, "whose square is no float64"), (np.inf, "infinite values")):
        with pytest.raises(DataError, match=f"series 0 of the target has .*{told}"):
            zero_shot().fit(series * factor)
        with pytest.raises(DataError, match=r"past_target whose square is no torch\.float64"):
            zero_shot().fit(series).predict(4, series * factor)
    assert np.isfinite(zero_shot().fit(series * 1e100).predict(4).values()).all()


@pytest.mark.parametrize(("n", "num_samples"), [(10**9, 1), (4, 10**9), (10**6, 10**4)])
def test_more_numbers_than_memory_holds_are_refused_before_they_are_computed(n, num_samples):
    model = tiny(likelihood=GaussianLikelihood()).fit(waves(60))
    with pytest.raises(DataError, match="more numbers than memory is likely to hold"):
        model.predict(n, num_samples=num_samples)


def test_a_copy_without_weights_says_so():
    with pytest.raises(NotFittedError, match="leaves the weights out of a copy"):
        copy.deepcopy(tiny().fit(waves(60))).predict(4)


def test_a_forecast_that_is_no_number_is_an_error():
    model = tiny().fit(waves(60))
    with torch.no_grad():
        model.model.network.head.weight.fill_(torch.nan)
    with pytest.raises(DataError, match="the forecast has values that are no number; found: 8 of"):
        model.predict(4)
    with pytest.raises(DataError, match="the forecast has values that are no number"):
        model.historical_forecasts(waves(60), retrain=False, start=-2)


@pytest.mark.parametrize("method", ["historical_forecasts", "backtest", "residuals"])
def test_what_cannot_be_forecast_from_many_origins_is_refused_by_its_name(method):
    ask = getattr(tiny().fit(waves(60)), method)
    for given, told in (
        ({"series": []}, "series holds no series"),
        ({"series": 5}, "series is no series; found: 5"),
        ({"series": waves(60), "future_covariates": NUMBERED}, "indices of two kinds"),
        ({"series": waves(60), "num_samples": 0}, "num_samples; found: 0"),
    ):
        with pytest.raises(SAMoVARError, match=told):
            ask(**given, retrain=False)


def test_covariates_of_another_type_than_the_target_are_refused_by_their_name():
    with pytest.raises(DataError, match="series 0 of past_covariates is of another type"):
        tiny().fit(waves(60), past_covariates=waves(60, dtype="float64"))
