"""darts models as rows: the same origins, and the numbers that darts itself gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("darts")

from darts import TimeSeries
from darts.models import (
    DLinearModel,
    ExponentialSmoothing,
    LinearRegressionModel,
    NaiveDrift,
    NaiveSeasonal,
    NLinearModel,
)
from pandas.tseries.holiday import USFederalHolidayCalendar
from pandas.tseries.offsets import CustomBusinessDay

from samovar_forecast.comparison import DartsForecaster, RepeatSeason, Task, compare, from_catalogue
from samovar_forecast.comparison.stored_origins import describe

PARIS = "Europe/Paris"
TRADING_DAY = CustomBusinessDay(calendar=USFederalHolidayCalendar())
ODD = ["summer time, hours", "summer time, days", "a zone", "holidays", "time deltas", "two months"]
QUIET = {
    "accelerator": "cpu",
    "enable_progress_bar": False,
    "logger": False,
    "enable_model_summary": False,
}


def series(n_time: int = 80, index: str = "M") -> pd.DataFrame:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(n_time, 2)).cumsum(axis=0)
    times = {
        "M": pd.period_range("2000-01", periods=n_time, freq="M", name="month"),
        "Q": pd.period_range("2000Q1", periods=n_time, freq="Q"),
        "W": pd.period_range("2000-01-02", periods=n_time, freq="W-WED"),
        "h": pd.date_range("2024-01-01", periods=n_time, freq="h"),
        "B": pd.bdate_range("2024-01-01", periods=n_time),
        "count": pd.RangeIndex(5, n_time + 5),
        "summer time, hours": pd.date_range("2024-03-30", periods=n_time, freq="h", tz=PARIS),
        "summer time, days": pd.date_range("2024-03-01", periods=n_time, freq="D", tz=PARIS),
        "a zone": pd.date_range("2024-03-01", periods=n_time, freq="h", tz="UTC"),
        "holidays": pd.date_range("2019-12-02", periods=n_time, freq=TRADING_DAY),
        "time deltas": pd.timedelta_range("0h", periods=n_time, freq="15min"),
        "two months": pd.date_range("1990-01-31", periods=n_time, freq=pd.DateOffset(months=2)),
    }[index]
    return pd.DataFrame(values, columns=["a", "b"], index=times)


@pytest.mark.parametrize("index", ["M", "Q", "W", "h", "B", "count", *ODD])
def test_any_index_is_understood_and_the_naive_forecast_is_ours(index):
    models = {"darts": NaiveSeasonal(K=1), "ours": RepeatSeason()}
    found = compare(series(index=index), 3, models, n_origins=3, season=1, classical=False)
    assert found.failures.empty
    table = found.scores()
    assert table.loc["darts", "MSE"] == table.loc["ours", "MSE"]


@pytest.mark.parametrize("index", ODD[:4])  # the others sktime itself cannot continue
def test_rows_of_any_times_are_forecast_as_rows_that_are_counted(index):
    answers = []
    for times in (index, "count"):
        y = series(index=times)
        model = LinearRegressionModel(lags=2, output_chunk_length=3)
        fitted = DartsForecaster(model).fit(y.iloc[:60], fh=[1, 2, 3])
        first = fitted.predict()
        fitted.update(y.iloc[60:], update_params=False)
        answers.append(np.stack([first, fitted.predict()]))
    np.testing.assert_array_equal(*answers)


def test_a_regression_forecasts_what_darts_forecasts_and_is_fitted_once_where_asked():
    y = series()
    model = LinearRegressionModel(lags=3, output_chunk_length=4)
    found = compare(y, 4, {"regression": model}, n_origins=3, refit="first", classical=False)
    assert found.effort().loc["regression", "fits"] == 1
    as_darts = TimeSeries.from_times_and_values(
        pd.DatetimeIndex(y.index.to_timestamp(), freq="MS"), y.to_numpy()
    )
    fitted = LinearRegressionModel(lags=3, output_chunk_length=4).fit(as_darts[: found.n_first])
    for origin in found.origins:
        end = y.index.get_loc(origin) + 1
        expected = fitted.predict(4, series=as_darts[:end]).values().ravel()
        got = found.forecasts[found.forecasts["origin"] == origin]["y_pred"]
        np.testing.assert_allclose(got, expected)
    assert not getattr(model, "_fit_called", False)


def test_a_local_model_of_one_series_is_fitted_to_each_at_every_origin():
    found = compare(
        series(), 2, {"drift": NaiveDrift()}, n_origins=3, refit="first", classical=False
    )
    assert found.refit["drift"] == "every origin"
    last = found.y.to_numpy()[: -found.horizon]
    slope = (last[-1] - last[0]) / (len(last) - 1)
    got = found.forecasts[found.forecasts["origin"] == found.origins[-1]]
    expected = last[-1] + np.outer([1, 2], slope)
    np.testing.assert_allclose(got["y_pred"].to_numpy().reshape(2, 2), expected)


def test_a_probabilistic_model_has_intervals_and_the_same_ones_again():
    model = LinearRegressionModel(
        lags=2, output_chunk_length=2, likelihood="quantile", quantiles=[0.1, 0.5, 0.9]
    )
    runs = [
        compare(series(), 2, {"q": model}, n_origins=2, refit="first", classical=False)
        for _ in range(2)
    ]
    assert np.isfinite(runs[0].scores().loc["q", "CRPS"])
    assert (np.diff(runs[0].quantiles, axis=1) >= 0).all()
    pd.testing.assert_frame_equal(runs[0].quantiles, runs[1].quantiles)


def test_a_point_model_has_none():
    model = NLinearModel(
        8,
        2,
        n_epochs=1,
        random_state=0,
        pl_trainer_kwargs=QUIET,
    )
    found = compare(series(), 2, {"nlinear": model}, n_origins=2, refit="first", classical=False)
    assert found.failures.empty
    assert found.calibration().empty
    assert found.effort().loc["nlinear", "fits"] == 1


@pytest.mark.filterwarnings("ignore")  # what Lightning says of its loaders
@pytest.mark.parametrize(
    ("model", "has_intervals"),
    [
        (NLinearModel(8, 2, n_epochs=1, pl_trainer_kwargs=QUIET), False),
        (LinearRegressionModel(lags=2), False),
        (LinearRegressionModel(lags=2, likelihood="quantile", quantiles=[0.1, 0.5, 0.9]), True),
        (NaiveDrift(), False),
        (ExponentialSmoothing(), True),
    ],
)
def test_whether_there_are_intervals_is_the_same_before_a_fit_and_after_it(model, has_intervals):
    row = DartsForecaster(model)
    assert row.get_tag("capability:pred_int") == has_intervals
    row.fit(series(), fh=[1, 2])
    assert row.get_tag("capability:pred_int") == has_intervals
    if has_intervals:
        intervals = row.predict_interval(coverage=0.8)
        assert (intervals["a", 0.8, "lower"] < intervals["a", 0.8, "upper"]).all()


def test_a_model_on_standardised_series_forecasts_the_same_in_any_units():
    y = series()
    model = DLinearModel(8, 2, n_epochs=2, random_state=0, pl_trainer_kwargs=QUIET)
    rows = {"dlinear": DartsForecaster(model, standardize=True)}
    found = [
        compare(data, 2, rows, n_origins=2, refit="first", classical=False)
        for data in (y, 1e4 * y + 1e6)
    ]
    near, far = (comparison.forecasts["y_pred"].to_numpy() for comparison in found)
    np.testing.assert_allclose(far, 1e4 * near + 1e6, rtol=1e-6)
    assert found[0].parameters["dlinear"].endswith("on standardised series")


def test_a_constant_series_stays_what_it_is_on_standardised_series():
    y = series().assign(flat=7.0)
    row = DartsForecaster(LinearRegressionModel(lags=2, output_chunk_length=2), standardize=True)
    found = compare(y, 2, {"regression": row}, n_origins=2, refit="first", classical=False)
    assert found.failures.empty
    assert (found.forecasts.query("series == 'flat'")["y_pred"] == 7.0).all()


def test_darts_models_resume_and_their_parameters_tell_them_apart(tmp_path):
    models = {"es": ExponentialSmoothing()}
    arguments = {"n_origins": 2, "classical": False, "resume": tmp_path}
    first = compare(series()[["a"]], 2, models, **arguments)
    again = compare(series()[["a"]], 2, models, **arguments)
    assert again.runs["resumed"].all()
    pd.testing.assert_frame_equal(first.forecasts, again.forecasts)
    texts = {describe(DartsForecaster(LinearRegressionModel(lags=k))) for k in (1, 2)}
    assert len(texts) == 2


def test_models_of_the_catalogue_are_built_for_the_task():
    built = from_catalogue(["NLinear", "AutoETS"], Task(horizon=4, season=12, n_rows=90))
    assert built["NLinear"].model.input_chunk_length == 24
    assert built["NLinear"].model.output_chunk_length == 4
    assert built["AutoETS"].sp == 12
