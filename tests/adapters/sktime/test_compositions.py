"""SAMoVARForecaster inside what sktime composes of forecasters, on real data.

Each test says what the composition must give, not that it ran: sktime's part is known, so the
result usually equals one put together by hand from forecasts of SAMoVARForecaster alone.
"""

from __future__ import annotations

import copy
import pickle

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler
from sktime.benchmarking.forecasting import ForecastingBenchmark
from sktime.datasets import load_airline, load_macroeconomic, load_uschange
from sktime.forecasting.compose import (
    AutoEnsembleForecaster,
    BaggingForecaster,
    ColumnEnsembleForecaster,
    EnsembleForecaster,
    FallbackForecaster,
    FhPlexForecaster,
    ForecastByLevel,
    ForecastingPipeline,
    ForecastX,
    HierarchyEnsembleForecaster,
    IgnoreX,
    MultiplexForecaster,
    Permute,
    StackingForecaster,
    TransformedTargetForecaster,
)
from sktime.forecasting.conformal import ConformalIntervals
from sktime.forecasting.model_evaluation import evaluate
from sktime.forecasting.model_selection import (
    ForecastingGridSearchCV,
    ForecastingRandomizedSearchCV,
)
from sktime.forecasting.naive import NaiveForecaster
from sktime.forecasting.reconcile import ReconcilerForecaster
from sktime.forecasting.stream import DontUpdate, UpdateEvery, UpdateRefitsEvery
from sktime.forecasting.trend import PolynomialTrendForecaster
from sktime.forecasting.var import VAR
from sktime.performance_metrics.forecasting import MeanAbsoluteError, MeanSquaredError
from sktime.performance_metrics.forecasting.probabilistic import (
    CRPS,
    EmpiricalCoverage,
    PinballLoss,
)
from sktime.split import (
    ExpandingWindowSplitter,
    SingleWindowSplitter,
    SlidingWindowSplitter,
)
from sktime.transformations.bootstrap import STLBootstrapTransformer
from sktime.transformations.hierarchical.aggregate import Aggregator
from sktime.transformations.hierarchical.reconcile import Reconciler
from sktime.transformations.series.adapt import TabularToSeriesAdaptor
from sktime.transformations.series.boxcox import LogTransformer
from sktime.transformations.series.detrend import Deseasonalizer, Detrender
from sktime.transformations.series.difference import Differencer
from sktime.transformations.series.exponent import ExponentTransformer
from sktime.transformations.series.impute import Imputer
from sktime.transformations.series.lag import Lag
from statsmodels.datasets import grunfeld

from samovar_forecast import SAMoVARForecaster
from tests.builders.sktime import TINY

# statsmodels wants a frequency that pandas 3 spells in another way, and sktime warns of itself.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

YEAR = range(1, 13)


def tiny(**parameters) -> SAMoVARForecaster:
    return SAMoVARForecaster(**TINY | parameters)


def good(**parameters) -> SAMoVARForecaster:
    """With the linear forecast: a forecast worth its name, after as little training."""
    return tiny(linear=True, **parameters)


def yearly() -> SAMoVARForecaster:
    """For monthly series: a year in one patch, seen after two years."""
    return good(patch_length=12, context_length=24)


def mae(forecast, actual) -> float:
    return float(np.abs(np.asarray(forecast) - np.asarray(actual)).mean())


@pytest.fixture(scope="module")
def macro() -> pd.DataFrame:
    """US growth, inflation, unemployment and interest, quarterly since 1959, in percent."""
    raw = load_macroeconomic()
    columns = {
        "growth": 400 * np.log(raw["realgdp"]).diff(),
        "inflation": raw["infl"],
        "unemployment": raw["unemp"],
        "rate": raw["tbilrate"],
    }
    return pd.DataFrame(columns).iloc[1:]


@pytest.fixture(scope="module")
def airline() -> tuple[pd.Series, pd.Series]:
    """Airline passengers, monthly: all but the last year, and the last year."""
    passengers = load_airline()
    return passengers.iloc[:-12], passengers.iloc[-12:]


@pytest.fixture(scope="module")
def spending() -> tuple[pd.DataFrame, pd.DataFrame]:
    """US consumption, and income, production, savings and unemployment, quarterly changes."""
    y, X = load_uschange()
    return y.to_frame("consumption"), X


@pytest.fixture(scope="module")
def firms() -> pd.DataFrame:
    """Investment and value of ten US firms, 1935 to 1954 (Grunfeld), a panel."""
    raw = grunfeld.load_pandas().data
    raw["year"] = pd.PeriodIndex(raw["year"].astype(int).astype(str), freq="Y")
    return raw.set_index(["firm", "year"])[["invest", "value"]].sort_index()


@pytest.fixture(scope="module")
def sectors(firms) -> pd.DataFrame:
    """The investment of six firms in two sectors, a hierarchy without its sums."""
    cars = ["Chrysler", "General Motors"]
    power = ["General Electric", "Westinghouse"]
    parts = {"cars": firms.loc[cars, ["invest"]], "power": firms.loc[power, ["invest"]]}
    return pd.concat(parts, names=["sector"])


# ---------------------------------------------------------------- pipelines of the target


def test_differencing_brings_the_forecast_back_to_the_level_of_every_series(macro):
    past, future = macro.iloc[:-4], macro.iloc[-4:]
    model = TransformedTargetForecaster([("diff", Differencer()), ("model", tiny())])
    forecast = model.fit(past, fh=range(1, 5)).predict()
    assert forecast.index.equals(future.index)
    assert list(forecast.columns) == list(macro.columns)
    changes = tiny().fit(past.diff().fillna(0), fh=range(1, 5)).predict()
    assert_allclose(forecast, past.iloc[-1] + changes.cumsum(), rtol=1e-6)


def test_a_pipeline_written_with_stars_is_the_same_pipeline(macro):
    named = TransformedTargetForecaster([("diff", Differencer()), ("model", tiny())])
    starred = Differencer() * tiny()
    assert type(starred) is type(named)
    assert_array_equal(
        starred.fit(macro, fh=[1, 3]).predict(), named.fit(macro, fh=[1, 3]).predict()
    )


def test_logs_and_seasonal_factors_beat_the_forecasts_of_the_last_month_and_the_last_year(airline):
    past, future = airline
    model = LogTransformer() * Deseasonalizer(sp=12) * yearly()
    forecast = model.fit(past, fh=YEAR).predict()
    assert forecast.index.equals(future.index)
    assert forecast.name == future.name
    last_year = NaiveForecaster(sp=12).fit(past, fh=YEAR).predict()
    assert mae(forecast, future) < 0.7 * mae(last_year, future)
    assert mae(last_year, future) < mae(NaiveForecaster().fit(past, fh=YEAR).predict(), future)


def test_a_forecast_of_logs_is_the_exponential_of_the_forecast_by_hand_and_positive(airline):
    past, _ = airline
    forecast = (LogTransformer() * tiny()).fit(past, fh=YEAR).predict()
    assert_allclose(forecast, np.exp(tiny().fit(np.log(past), fh=YEAR).predict()), rtol=1e-9)
    assert (forecast > 0).all()


def test_a_trend_taken_out_is_put_back(airline):
    past, future = airline
    forecast = (
        (Detrender(PolynomialTrendForecaster(degree=1)) * good()).fit(past, fh=YEAR).predict()
    )
    trend = PolynomialTrendForecaster(degree=1).fit(past, fh=YEAR).predict()
    assert mae(forecast, future) < mae(trend, future)


def test_behind_an_imputer_a_series_with_holes_is_forecast_as_the_filled_one(macro):
    holes = macro.mask(np.random.default_rng(0).random(macro.shape) < 0.1)
    forecast = (Imputer(method="linear") * tiny()).fit(holes, fh=[1, 2]).predict()
    filled = Imputer(method="linear").fit_transform(holes)
    assert_array_equal(forecast, tiny().fit(filled, fh=[1, 2]).predict())
    assert np.isfinite(forecast).all(axis=None)


def test_a_step_after_the_forecaster_changes_its_forecast(macro):
    model = tiny() * ExponentTransformer(power=2, offset=0)
    forecast = model.fit(macro, fh=[1, 2]).predict()
    assert_allclose(forecast, tiny().fit(macro, fh=[1, 2]).predict() ** 2, rtol=1e-6)


def test_permuted_steps_make_the_pipeline_of_that_order(airline):
    past, _ = airline
    steps = [("log", LogTransformer()), ("diff", Differencer()), ("model", tiny())]
    permuted = Permute(TransformedTargetForecaster(steps), permutation=["diff", "log", "model"])
    permuted.set_params(permutation=["log", "diff", "model"])
    expected = TransformedTargetForecaster(steps).fit(past, fh=YEAR).predict()
    assert_array_equal(permuted.fit(past, fh=YEAR).predict(), expected)


# ---------------------------------------------------------------- covariates


def test_a_pipeline_for_covariates_transforms_them_in_fit_and_in_predict(spending):
    y, X = spending
    scaler = TabularToSeriesAdaptor(StandardScaler())
    model = ForecastingPipeline([("scale", scaler), ("model", tiny())])
    forecast = model.fit(y.iloc[:180], X=X.iloc[:180], fh=[1, 2, 3]).predict(X=X.iloc[180:183])
    by_hand = scaler.clone().fit(X.iloc[:180])
    expected = (
        tiny()
        .fit(y.iloc[:180], X=by_hand.transform(X.iloc[:180]), fh=[1, 2, 3])
        .predict(X=by_hand.transform(X.iloc[180:183]))
    )
    assert_array_equal(forecast, expected)
    # Covariates are brought to one scale inside as well: a scaler before makes no difference.
    plain = tiny().fit(y.iloc[:180], X=X.iloc[:180], fh=[1, 2, 3]).predict(X=X.iloc[180:183])
    assert_allclose(forecast, plain, atol=1e-4)


def test_lagged_covariates_are_made_and_trimmed_by_the_pipeline(spending):
    y, X = spending
    lags = Lag([1, 2], index_out="original") * Imputer(method="bfill")
    forecast = (lags ** tiny()).fit(y.iloc[:180], X=X.iloc[:180], fh=[1]).predict(X=X.iloc[180:181])
    assert list(forecast.index) == [180]
    assert np.isfinite(forecast).all(axis=None)


def test_forecast_x_forecasts_the_covariates_first(spending):
    y, X = spending
    chosen = X[["Income", "Production"]]
    model = ForecastX(tiny(), forecaster_X=VAR(maxlags=2), columns=["Income", "Production"])
    forecast = model.fit(y, X=chosen, fh=[1, 2, 3]).predict()
    X_ahead = VAR(maxlags=2).fit(chosen, fh=[1, 2, 3]).predict()
    expected = tiny().fit(y, X=chosen, fh=[1, 2, 3]).predict(X=X_ahead)
    assert_allclose(forecast, expected, rtol=1e-6)


def test_forecast_x_takes_samovar_for_the_covariates_too(spending):
    y, X = spending
    forecast = ForecastX(tiny(), forecaster_X=tiny()).fit(y, X=X, fh=[1, 2]).predict()
    assert list(forecast.index) == [187, 188]
    distance = (forecast - y.mean()).abs()
    assert (distance < 3 * y.std()).all(axis=None)


def test_knowing_income_and_production_ahead_lowers_the_error(spending):
    y, X = spending
    known = X[["Income", "Production", "Savings"]]
    splitter = ExpandingWindowSplitter(fh=[1, 2, 3, 4], initial_window=147, step_length=4)
    model = tiny(
        patch_length=1,
        context_length=4,
        d_model=16,
        dropout=0.0,  # so narrow a network learns little with a tenth of it missing
        max_epochs=15,
        learning_rate=5e-3,
        normalization="none",
    )
    scores = [
        evaluate(
            model, splitter, y, X=covariates, strategy="no-update_params",
            scoring=MeanSquaredError(), error_score="raise",
        )["test_MeanSquaredError"]
        for covariates in (None, known)
    ]  # fmt: skip
    assert len(scores[0]) == 10
    assert scores[1].mean() < 0.8 * scores[0].mean()


def test_ignoring_x_gives_the_forecast_without_x(spending):
    y, X = spending
    assert_array_equal(
        IgnoreX(tiny()).fit(y, X=X, fh=[1, 2]).predict(X=None),
        tiny().fit(y, fh=[1, 2]).predict(),
    )


# ---------------------------------------------------------------- several forecasters


def test_an_ensemble_with_var_and_naive_is_their_mean(macro):
    members = {"samovar": tiny(), "var": VAR(maxlags=2), "naive": NaiveForecaster("drift")}
    fh = range(1, 5)
    forecast = EnsembleForecaster(list(members.items())).fit(macro, fh=fh).predict()
    alone = [one.clone().fit(macro, fh=fh).predict() for one in members.values()]
    assert set(forecast.columns) == set(macro.columns)  # sktime sorts them
    assert_allclose(forecast[macro.columns], sum(alone) / 3, rtol=1e-6)


def test_an_ensemble_may_weigh_its_members(macro):
    members = [("samovar", tiny()), ("naive", NaiveForecaster())]
    forecast = EnsembleForecaster(members, weights=[3, 1]).fit(macro, fh=[1, 2]).predict()
    ours, naive = (one.clone().fit(macro, fh=[1, 2]).predict() for _, one in members)
    assert_allclose(forecast[macro.columns], 0.75 * ours + 0.25 * naive, rtol=1e-6)


def test_an_ensemble_with_autoarima_lies_between_its_members(airline):
    pytest.importorskip("pmdarima", reason="pmdarima is not installed")
    from sktime.forecasting.arima import AutoARIMA

    past, _ = airline
    arima = AutoARIMA(sp=12, max_p=1, max_q=1, max_P=1, max_Q=1, suppress_warnings=True)
    members = [("samovar", good()), ("arima", arima)]
    forecast = EnsembleForecaster(members).fit(past, fh=YEAR).predict()
    alone = np.stack([one.clone().fit(past, fh=YEAR).predict() for _, one in members])
    assert (alone.min(0) - 1e-6 <= forecast).all()
    assert (forecast <= alone.max(0) + 1e-6).all()


def test_weights_learned_from_the_past_favour_the_better_member(airline):
    past, _ = airline
    model = AutoEnsembleForecaster(
        [("samovar", yearly()), ("constant", NaiveForecaster("mean"))],
        method="inverse-variance",
        test_size=0.2,
    ).fit(past, fh=YEAR)  # fmt: skip
    weights = list(model.weights_)
    assert weights[0] > 0.8
    assert np.isfinite(model.predict()).all()


def test_stacking_learns_to_trust_samovar_more_than_a_constant(airline):
    past, future = airline
    # sktime stacks single series, so VAR has no place here.
    model = StackingForecaster(
        [("samovar", yearly()), ("constant", NaiveForecaster("mean"))],
        regressor=LinearRegression(positive=True, fit_intercept=False),
        random_state=0,
    )  # fmt: skip
    forecast = model.fit(past, fh=YEAR).predict()
    assert forecast.index.equals(future.index)
    constant = NaiveForecaster("mean").fit(past, fh=YEAR).predict()
    assert mae(forecast, future) < 0.5 * mae(constant, future)


def test_columns_go_to_their_own_forecasters_and_come_back_in_order(macro):
    model = ColumnEnsembleForecaster(
        [
            ("real", tiny(), ["growth", "unemployment"]),
            ("nominal", VAR(maxlags=2), ["inflation", "rate"]),
        ]
    )
    forecast = model.fit(macro, fh=[1, 2]).predict()
    assert set(forecast.columns) == set(macro.columns)
    for member, names in ((tiny(), ["growth", "unemployment"]), (VAR(2), ["inflation", "rate"])):
        alone = member.fit(macro[names], fh=[1, 2]).predict()
        assert_allclose(forecast[names], alone, rtol=1e-6)


def test_bagging_gives_intervals_around_the_forecasts_of_bootstrapped_series(airline):
    past, future = airline
    blocks = STLBootstrapTransformer(n_series=4, sp=12, random_state=0)
    bag = BaggingForecaster(blocks, yearly(), random_state=0)
    bag.fit(np.log(past), fh=YEAR)
    forecast, interval = bag.predict(), bag.predict_interval(coverage=0.8)
    assert forecast.index.equals(future.index)
    low, high = interval.to_numpy().T
    assert (low <= high).all()
    assert (high - low).mean() > 0
    assert mae(np.exp(forecast), future) < mae(past.iloc[-1], future)


def test_a_multiplexer_is_the_forecaster_that_it_selects(macro):
    members = [("samovar", tiny()), ("naive", NaiveForecaster())]
    switch = MultiplexForecaster(members, selected_forecaster="samovar")
    assert_array_equal(
        switch.fit(macro, fh=[1, 2]).predict(), tiny().fit(macro, fh=[1, 2]).predict()
    )
    switch.set_params(selected_forecaster="naive")
    assert_allclose(switch.fit(macro, fh=[1, 2]).predict(), np.tile(macro.iloc[-1], (2, 1)))


def test_samovar_stands_in_for_a_forecaster_that_fails(airline):
    past, _ = airline
    impossible = tiny(context_length=10_000, patch_length=12)
    model = FallbackForecaster([("impossible", impossible), ("possible", tiny())])
    model.fit(past, fh=[1, 2])
    assert model.current_name_ == "possible"
    assert_array_equal(model.predict(), tiny().fit(past, fh=[1, 2]).predict())


def test_a_forecaster_for_each_step_is_fitted_to_that_step(airline):
    past, future = airline
    model = FhPlexForecaster(tiny(), fh_params=lambda step: {"patch_length": int(step)})
    forecast = model.fit(past, fh=[1, 3]).predict()
    assert list(forecast.index) == [future.index[0], future.index[2]]
    third = tiny(patch_length=3).fit(past, fh=[3]).predict()
    assert_allclose(forecast.iloc[1], third.iloc[0])


# ---------------------------------------------------------------- tuning


def test_a_grid_search_chooses_the_parameter_with_the_smaller_error(airline):
    past, _ = airline
    past = np.log(past)
    splitter = SingleWindowSplitter(fh=YEAR, window_length=len(past) - 12)
    search = ForecastingGridSearchCV(
        tiny(patch_length=12, context_length=24),
        splitter,
        {"linear": [False, True]},
        scoring=MeanAbsoluteError(),
        backend="None",
        error_score="raise",
    ).fit(past, fh=YEAR)
    by_hand = {
        choice: mae(
            tiny(patch_length=12, context_length=24, linear=choice)
            .fit(past.iloc[:-12], fh=YEAR)
            .predict(),
            past.iloc[-12:],
        )
        for choice in (False, True)
    }
    assert search.best_params_ == {"linear": min(by_hand, key=by_hand.get)}
    assert search.best_score_ == pytest.approx(min(by_hand.values()))
    best = tiny(patch_length=12, context_length=24, **search.best_params_).fit(past, fh=YEAR)
    assert_array_equal(search.predict(), best.predict())


def test_a_grid_search_reaches_parameters_inside_a_pipeline(macro):
    model = TransformedTargetForecaster([("diff", Differencer()), ("model", tiny(patch_length=4))])
    splitter = ExpandingWindowSplitter(fh=range(1, 5), initial_window=160, step_length=20)
    grid = {"model__context_length": [4, 24]}
    search = ForecastingGridSearchCV(
        model, splitter, grid, backend="None", error_score="raise", strategy="refit"
    ).fit(macro, fh=range(1, 5))
    results = search.cv_results_.set_index("rank_test_MeanAbsolutePercentageError")
    assert results.loc[1, "params"] == search.best_params_
    chosen = search.best_forecaster_.forecaster_.context_length_
    assert chosen == search.best_params_["model__context_length"]


def test_a_random_search_tries_as_many_as_it_is_told_and_keeps_the_best(airline):
    past, _ = airline
    search = ForecastingRandomizedSearchCV(
        tiny(patch_length=12, context_length=24),
        SingleWindowSplitter(fh=YEAR, window_length=len(past) - 12),
        {"learning_rate": [1e-4, 1e-3, 1e-2], "n_layers": [1, 2], "linear": [False, True]},
        n_iter=4,
        scoring=MeanAbsoluteError(),
        backend="None",
        random_state=1,
        error_score="raise",
    ).fit(past, fh=YEAR)
    results = search.cv_results_
    assert len(results) == 4
    assert search.best_score_ == results["mean_test_MeanAbsoluteError"].min()
    assert search.best_params_["linear"] is True


def test_tuning_may_choose_between_samovar_and_the_classics(airline):
    past, _ = airline
    switch = MultiplexForecaster([("samovar", yearly()), ("naive", NaiveForecaster())])
    search = ForecastingGridSearchCV(
        switch,
        SingleWindowSplitter(fh=YEAR, window_length=len(past) - 12),
        {"selected_forecaster": ["samovar", "naive"]},
        backend="None",
    ).fit(past, fh=YEAR)
    assert search.best_params_ == {"selected_forecaster": "samovar"}


# ---------------------------------------------------------------- evaluation


def folds(macro: pd.DataFrame) -> ExpandingWindowSplitter:
    return ExpandingWindowSplitter(fh=[1, 2], initial_window=len(macro) - 6, step_length=2)


def test_evaluate_gives_the_errors_of_a_loop_by_hand(macro):
    result = evaluate(
        tiny(), folds(macro), macro, scoring=MeanAbsoluteError(), return_data=True,
        error_score="raise",
    )  # fmt: skip
    errors = []
    for end in range(len(macro) - 6, len(macro), 2):
        forecast = tiny().fit(macro.iloc[:end], fh=[1, 2]).predict()
        errors.append(mae(forecast, macro.iloc[end : end + 2]))
    assert_allclose(result["test_MeanAbsoluteError"], errors, rtol=1e-9)


def count_fits(monkeypatch) -> list[int]:
    from samovar_forecast.learning import training

    sizes, fit_network = [], training.fit_network

    def counted(network, windows, *args, **kwargs):
        sizes.append(len(windows))
        return fit_network(network, windows, *args, **kwargs)

    monkeypatch.setattr(training, "fit_network", counted)
    return sizes


@pytest.mark.parametrize(("strategy", "n_fits"), [("refit", 3), ("no-update_params", 1)])
def test_evaluate_trains_as_often_as_its_strategy_says(macro, monkeypatch, strategy, n_fits):
    sizes = count_fits(monkeypatch)
    result = evaluate(tiny(), folds(macro), macro, strategy=strategy, error_score="raise")
    assert len(result) == 3
    assert len(sizes) == n_fits


@pytest.mark.parametrize(
    "backend",
    [
        pytest.param("loky", marks=pytest.mark.slow),
        "threading",
        pytest.param("dask", marks=pytest.mark.slow),
        pytest.param("ray", marks=pytest.mark.slow),
    ],
)
def test_evaluate_gives_the_same_bits_under_every_backend(macro, backend):
    if backend in ("dask", "ray"):
        needed = "dask.dataframe" if backend == "dask" else "ray"
        reason = f"{needed}, or what it needs, is not installed"
        pytest.importorskip(needed, reason=reason, exc_type=ImportError)
    options = {"strategy": "refit", "scoring": MeanAbsoluteError(), "error_score": "raise"}
    alone = evaluate(tiny(), folds(macro), macro, **options)
    parameters = {"n_jobs": 1 if backend == "threading" else 2}
    parallel = evaluate(
        tiny(), folds(macro), macro, backend=backend,
        backend_params=parameters if backend in ("loky", "threading") else None, **options,
    )  # fmt: skip
    assert_array_equal(parallel["test_MeanAbsoluteError"], alone["test_MeanAbsoluteError"])


def test_a_benchmark_ranks_samovar_before_the_last_value(tmp_path):
    benchmark = ForecastingBenchmark()
    benchmark.add_estimator(yearly(), "samovar")
    benchmark.add_estimator(NaiveForecaster(), "naive")
    benchmark.add_task(
        load_airline,
        ExpandingWindowSplitter(fh=YEAR, initial_window=120, step_length=12),
        [MeanAbsoluteError()],
        task_id="airline",
    )
    table = benchmark.run(str(tmp_path / "results.csv")).set_index("model_id")
    errors = table["MeanAbsoluteError_mean"].astype(float)
    assert set(errors.index) == {"samovar", "naive"}
    assert errors["samovar"] < 0.6 * errors["naive"]


# ---------------------------------------------------------------- intervals around the forecast


def test_conformal_intervals_of_sktime_widen_with_the_coverage_and_hold_the_forecast(airline):
    past, future = airline
    # Its symmetric method: that of plain residual quantiles need not hold a biased forecast.
    model = ConformalIntervals(
        yearly(), method="conformal", initial_window=96, sample_frac=0.2
    ).fit(np.log(past), fh=YEAR)
    forecast, bounds = model.predict(), model.predict_interval(coverage=[0.5, 0.9])
    assert bounds.index.equals(future.index)
    low, high = (bounds.xs(end, axis=1, level=2).to_numpy() for end in ("lower", "upper"))
    assert (low[:, 1] <= low[:, 0]).all()
    assert (high[:, 0] <= high[:, 1]).all()
    assert (low[:, 1] <= forecast).all()
    assert (forecast <= high[:, 1]).all()


def test_evaluate_scores_quantiles_intervals_and_whole_distributions(macro):
    result = evaluate(
        tiny(), folds(macro), macro, strategy="no-update_params", error_score="raise",
        scoring=[
            MeanAbsoluteError(),
            PinballLoss(alpha=[0.1, 0.5, 0.9]),
            EmpiricalCoverage(coverage=0.9),
            CRPS(multivariate=True),
        ],
    )  # fmt: skip
    scores = result.filter(like="test_").drop(columns="test_MeanAbsoluteError")
    assert scores.shape[1] == 3
    assert np.isfinite(scores.astype(float)).all(axis=None)
    assert (result["test_PinballLoss"] > 0).all()
    assert result["test_EmpiricalCoverage"].between(0, 1).all()
    # The CRPS is summed over the four series, and credits a good spread.
    assert (result["test_CRPS"] < 4 * result["test_MeanAbsoluteError"]).all()


def test_intervals_pass_through_a_pipeline_of_the_target(airline):
    past, future = airline
    model = (LogTransformer() * good()).fit(past, fh=YEAR)
    bounds = model.predict_interval(coverage=0.9)
    assert bounds.index.equals(future.index)
    alone = good().fit(np.log(past), fh=YEAR).predict_interval(coverage=0.9)
    assert_allclose(bounds, np.exp(alone), rtol=1e-6)


# ---------------------------------------------------------------- panels and hierarchies


def test_a_panel_is_forecast_by_one_model_for_all_firms(firms):
    past = firms[firms.index.get_level_values("year") < pd.Period("1953")]
    forecast = tiny().fit(past, fh=[1, 2]).predict()
    future = firms.drop(past.index)
    assert forecast.index.equals(future.index)
    assert forecast.index.names == ["firm", "year"]
    assert list(forecast.columns) == ["invest", "value"]
    # Each firm at its own level, though they differ a hundredfold.
    ratio = forecast.groupby("firm").mean() / future.groupby("firm").mean()
    assert ((ratio > 0.3) & (ratio < 2)).all(axis=None)


def test_a_model_for_each_firm_is_the_model_fitted_to_that_firm_alone(firms):
    two = firms.loc[["Chrysler", "Goodyear"]]
    by_firm = ForecastByLevel(tiny(), groupby="local").fit(two, fh=[1, 2]).predict()
    for firm in ("Chrysler", "Goodyear"):
        alone = tiny().fit(two.loc[firm], fh=[1, 2]).predict()
        assert_allclose(by_firm.loc[firm], alone, rtol=1e-6)
    one_for_all = ForecastByLevel(tiny(), groupby="global").fit(two, fh=[1, 2]).predict()
    assert_array_equal(one_for_all, tiny().fit(two, fh=[1, 2]).predict())


@pytest.mark.parametrize("method", ["bu", "ols"])
def test_reconciled_forecasts_of_a_hierarchy_add_up(sectors, method):
    model = Aggregator() * tiny() * Reconciler(method=method)
    forecast = model.fit(sectors, fh=[1, 2]).predict()["invest"]
    total = forecast.xs("__total", level="sector").droplevel("firm")
    bottom = forecast[forecast.index.get_level_values("firm") != "__total"]
    assert len(bottom) == 8
    assert_allclose(total, bottom.groupby("year").sum(), rtol=1e-6)
    cars = forecast.loc["cars"]
    assert_allclose(cars.loc["__total"], cars.drop("__total").groupby("year").sum(), rtol=1e-6)


@pytest.mark.parametrize("method", ["wls_str", "td_fcst"])
def test_a_reconciler_around_the_forecaster_makes_sums_add_up(sectors, method):
    model = ReconcilerForecaster(tiny(), method=method)
    forecast = model.fit(Aggregator().fit_transform(sectors), fh=[1]).predict()["invest"]
    total = forecast.xs("__total", level="sector").iloc[0]
    bottom = forecast[forecast.index.get_level_values("firm") != "__total"]
    assert total == pytest.approx(bottom.sum(), rel=1e-6)
    plain = tiny().fit(Aggregator().fit_transform(sectors), fh=[1]).predict()["invest"]
    assert (total == pytest.approx(plain.iloc[0])) == (method == "td_fcst")


def generalised_least_squares(base: pd.Series, covariance: pd.DataFrame) -> pd.Series:
    """Return base forecasts of a hierarchy made to add up (Wickramasuriya et al. 2019, eq. 9)."""
    nodes = covariance.index
    bottom = [node for node in nodes if "__total" not in node]
    under = [
        [
            all(name in (part, "__total") for name, part in zip(node, leaf, strict=True))
            for leaf in bottom
        ]
        for node in nodes
    ]
    adding = np.array(under, float)  # S
    weighted = np.linalg.pinv(covariance) @ adding
    coefs = np.linalg.solve(adding.T @ weighted, weighted.T @ base[nodes])
    return pd.Series(adding @ coefs, nodes)


@pytest.fixture(scope="module")
def hierarchy() -> pd.DataFrame:
    """Two sectors of two firms with their sums, of eighty months."""
    draw = np.random.default_rng(0)
    names = [("cars", "A"), ("cars", "B"), ("power", "C"), ("power", "D")]
    months = pd.period_range("2010-01", periods=80, freq="M", name="month")
    walks = {name: pd.Series(draw.normal(size=80).cumsum() + 50, months) for name in names}
    bottom = pd.concat(walks, names=["sector", "firm"]).to_frame("sales")
    return Aggregator().fit_transform(bottom)


@pytest.mark.parametrize(
    ("method", "options"),
    [("mint_cov", {"pretrained": False}), ("wls_var", {"pretrained": False}), ("mint_shrink", {})],
)
def test_a_reconciler_takes_the_covariance_of_the_residuals(hierarchy, method, options):
    model = ReconcilerForecaster(SAMoVARForecaster(**options), method=method).fit(hierarchy, fh=[1])
    residuals = model.residuals_["sales"].unstack().T
    n_without = residuals.isna().any(axis=1).sum()
    assert n_without == (1 if options else 8)
    assert residuals.iloc[n_without:].notna().all(axis=None)
    covariance = residuals.cov()
    if method == "wls_var":
        covariance = covariance * np.eye(len(covariance))
    base = model.forecaster_.predict(fh=[1])["sales"].droplevel(-1)
    expected = generalised_least_squares(base, covariance)
    forecast = model.predict()["sales"].droplevel(-1)
    assert_allclose(forecast, expected[forecast.index], rtol=1e-6)
    total = forecast[("__total", "__total")]
    assert_allclose(total, forecast.drop("__total", level="firm").sum(), rtol=1e-9)


def test_a_reconciler_of_a_trained_network_takes_the_residuals_after_its_context(sectors):
    model = ReconcilerForecaster(tiny(context_length=4, patch_length=1), method="wls_var")
    forecast = model.fit(Aggregator().fit_transform(sectors), fh=[1]).predict()["invest"]
    assert (model.residuals_["invest"].unstack().isna().sum(axis=1) == 4).all()
    bottom = forecast[forecast.index.get_level_values("firm") != "__total"]
    assert_allclose(forecast.xs("__total", level="sector").iloc[0], bottom.sum(), rtol=1e-9)


def test_levels_of_a_hierarchy_go_to_their_own_forecasters(sectors):
    whole = Aggregator().fit_transform(sectors)
    model = HierarchyEnsembleForecaster(
        [("total", NaiveForecaster(), 0)], by="level", default=tiny()
    ).fit(whole, fh=[1])
    forecast = model.predict()["invest"]
    last = whole.groupby(level=[0, 1])["invest"].last()
    assert forecast.loc[("__total", "__total")].iloc[0] == last["__total", "__total"]
    assert forecast.loc[("cars", "Chrysler")].iloc[0] != last["cars", "Chrysler"]
    assert len(forecast) == len(last)


# ---------------------------------------------------------------- as time goes on


def test_update_predict_forecasts_a_moving_window_as_updates_by_hand(macro):
    past, rest = macro.iloc[:-8], macro.iloc[-8:]
    splitter = SlidingWindowSplitter(fh=[1], window_length=1, step_length=1, start_with_window=True)
    moved = tiny().fit(past, fh=[1]).update_predict(rest, splitter, update_params=False)
    assert moved.index.equals(rest.index[1:].append(rest.index[-1:] + 1)[: len(moved)])
    forecaster = tiny().fit(past, fh=[1])
    for row in range(len(moved)):
        forecaster.update(rest.iloc[row : row + 1], update_params=False)
        assert_allclose(moved.iloc[row], forecaster.predict().iloc[0], rtol=1e-6)


def stream(forecaster, macro: pd.DataFrame) -> pd.DataFrame:
    """Fit to all but eight quarters, update by each of them, forecast the next two."""
    forecaster.fit(macro.iloc[:-8], fh=[1, 2])
    for row in range(len(macro) - 8, len(macro)):
        forecaster.update(macro.iloc[row : row + 1])
    return forecaster.predict()


def test_a_wrapper_that_refits_every_year_trains_twice_in_two_years(macro, monkeypatch):
    sizes = count_fits(monkeypatch)
    forecast = stream(UpdateRefitsEvery(tiny(), refit_interval=4), macro)
    refits = [size for size in sizes if size > 10]
    assert len(refits) == 3  # the fit and two refits
    assert refits[0] < refits[1] < refits[2]
    assert list(forecast.index) == [macro.index[-1] + 1, macro.index[-1] + 2]
    assert_array_equal(forecast, tiny().fit(macro, fh=[1, 2]).predict())


def test_a_wrapper_that_updates_every_year_continues_training_twice_in_two_years(
    macro, monkeypatch
):
    sizes = count_fits(monkeypatch)
    forecast = stream(UpdateEvery(tiny(), update_interval=4), macro)
    assert len(sizes) == 3
    assert list(forecast.index) == [macro.index[-1] + 1, macro.index[-1] + 2]


def test_a_wrapper_that_never_updates_moves_on_and_keeps_its_weights(macro, monkeypatch):
    sizes = count_fits(monkeypatch)
    forecast = stream(DontUpdate(tiny()), macro)
    assert len(sizes) == 1
    alone = tiny().fit(macro.iloc[:-8], fh=[1, 2]).update(macro.iloc[-8:], update_params=False)
    assert_allclose(forecast, alone.predict(), rtol=1e-6)


# ---------------------------------------------------------------- copies, files, parameters


def composed() -> TransformedTargetForecaster:
    # Not with a naive forecast: sktime makes one for every series, and copies share them.
    ensemble = EnsembleForecaster([("samovar", tiny()), ("var", VAR(maxlags=1))])
    return TransformedTargetForecaster([("diff", Differencer()), ("model", ensemble)])


def test_parameters_are_read_and_set_through_two_levels_of_composition():
    model = composed()
    assert model.get_params()["model__samovar__d_model"] == 8
    model.set_params(model__samovar__d_model=16, model__samovar__predictor="lintrans")
    inner = model.steps[1][1].forecasters[0][1]
    assert (inner.d_model, inner.predictor) == (16, "lintrans")
    copied = model.clone()
    assert copied.get_params()["model__samovar__d_model"] == 16
    assert copied is not model
    copied.set_params(model__samovar__d_model=24)
    assert inner.d_model == 16


def save_in_memory(model, folder):
    return type(model).load_from_serial(model.save()[1])


def save_to_a_file(model, folder):
    from sktime.base import load

    model.save(str(folder / "model"))
    return load(str(folder / "model"))


@pytest.mark.parametrize(
    "restore",
    [
        lambda model, folder: copy.deepcopy(model),
        lambda model, folder: pickle.loads(pickle.dumps(model)),
        lambda model, folder: cloudpickle.loads(cloudpickle.dumps(model)),
        save_in_memory,
        save_to_a_file,
    ],
    ids=["deepcopy", "pickle", "cloudpickle", "save in memory", "save to a file"],
)
@pytest.mark.parametrize("build", [tiny, composed], ids=["alone", "composed"])
def test_a_fitted_forecaster_comes_back_the_same_and_independent(macro, tmp_path, build, restore):
    model = build().fit(macro.iloc[:-1], fh=[1, 2])
    expected = model.predict()
    restored = restore(model, tmp_path)
    assert_array_equal(restored.predict(), expected)
    restored.update(macro.iloc[-1:], update_params=False)
    assert restored.cutoff[0] == macro.index[-1]
    assert_array_equal(model.predict(), expected)


@pytest.mark.parametrize("dumper", [pickle, cloudpickle], ids=["pickle", "cloudpickle"])
def test_a_forecaster_not_yet_fitted_survives_pickling(dumper, macro):
    model = dumper.loads(dumper.dumps(composed()))
    assert not model.is_fitted
    assert model.get_params()["model__samovar__random_state"] == 0
    assert_array_equal(model.fit(macro, fh=[1]).predict(), composed().fit(macro, fh=[1]).predict())
