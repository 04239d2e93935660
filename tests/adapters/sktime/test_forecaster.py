from __future__ import annotations

import copy
import logging
import pickle
import random

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sktime.forecasting.base import ForecastingHorizon
from sktime.utils.estimator_checks import check_estimator

from samovar_forecast import SAMoVARForecaster
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.linear.simulate import simulate_var
from tests.builders.sktime import PAPER, TINY, wave

COEFS = np.array(
    [
        [[0.5, 0.2, 0.0], [0.0, 0.4, -0.3], [0.3, 0.0, 0.3]],
        [[0.2, 0.0, 0.1], [-0.2, 0.2, 0.0], [0.0, 0.1, -0.3]],
    ]
)
INDICES = {
    "days": pd.date_range("2024-01-01", periods=60, freq="D", name="day"),
    "dates without a frequency": pd.DatetimeIndex(
        pd.date_range("2020-01-31", periods=60, freq="ME").to_numpy()
    ),
    "hours of a time zone": pd.date_range("2024-03-30", periods=60, freq="h", tz="Europe/Berlin"),
    "quarterly periods": pd.period_range("2005Q1", periods=60, freq="Q", name="quarter"),
    "range": pd.RangeIndex(100, 160, name="n"),
    "integers": pd.Index(np.arange(-5, 55)),
}


@pytest.fixture(scope="module")
def fitted() -> SAMoVARForecaster:
    return SAMoVARForecaster(**TINY).fit(wave().iloc[:50], fh=[1, 2, 3])


# ---------------------------------------------------------------- horizons and indices


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES.keys())
def test_forecasts_of_any_horizon_go_on_with_the_user_s_index_and_columns(index):
    y = wave(index)
    train, future = y.iloc[:40], y.iloc[40:]
    forecaster = SAMoVARForecaster(**TINY).fit(train)
    whole = forecaster.predict(fh=np.arange(1, 21))
    assert whole.index.equals(future.index)
    assert whole.index.name == index.name
    assert list(whole.columns) == ["a", "b"]
    assert np.isfinite(whole).all(axis=None)
    with_gaps = forecaster.predict(fh=[1, 3, 12])
    pd.testing.assert_frame_equal(with_gaps, whole.iloc[[0, 2, 11]], check_freq=False)
    if getattr(index, "tz", None) is not None:
        return  # sktime turns dates into periods, and warns that they lose their time zone
    absolute = ForecastingHorizon(future.index[[0, 2, 11]], is_relative=False)
    pd.testing.assert_frame_equal(forecaster.predict(fh=absolute), with_gaps)


def test_a_horizon_asked_in_two_calls_is_that_asked_in_one(fitted):
    assert fitted.patch_length_ == 3
    one = fitted.predict(fh=range(1, 11))
    two = pd.concat([fitted.predict(fh=range(1, 5)), fitted.predict(fh=range(5, 11))])
    pd.testing.assert_frame_equal(one, two, check_freq=False)


def test_a_horizon_of_time_differences_is_counted_in_steps(fitted):
    days = ForecastingHorizon(pd.to_timedelta([2, 5], unit="D"), is_relative=True)
    pd.testing.assert_frame_equal(fitted.predict(fh=days), fitted.predict(fh=[2, 5]))


def test_a_date_off_the_grid_is_refused():
    y = wave(pd.date_range("2020-01-01", periods=60, freq="MS"))
    forecaster = SAMoVARForecaster(**TINY).fit(y)
    with pytest.raises(DataError, match=r"2025-03-05 00:00:00 of the horizon fh.*MonthBegin"):
        forecaster.predict(fh=pd.DatetimeIndex(["2025-03-05"]))


@pytest.mark.parametrize(
    ("y", "shape"),
    [
        (wave()["a"], (2,)),
        (wave()["a"].rename(None), (2,)),
        (wave()[["a"]], (2, 1)),
        (wave()["a"].to_numpy(), (2, 1)),  # sktime keeps one column as a matrix
        (wave().to_numpy(), (2, 2)),
    ],
    ids=["series", "series without a name", "one column", "vector", "matrix"],
)
def test_one_series_and_arrays_come_back_as_what_they_were(y, shape):
    forecast = SAMoVARForecaster(**TINY).fit(y, fh=[1, 2]).predict()
    assert type(forecast) is type(y)
    assert forecast.shape == shape
    assert getattr(forecast, "name", None) == getattr(y, "name", None)


# ---------------------------------------------------------------- lengths


def test_lengths_follow_from_horizon_frequency_and_sample_and_are_readable():
    monthly = wave(pd.period_range("1990-01", periods=300, freq="M"))
    forecaster = SAMoVARForecaster(**TINY | {"max_epochs": 1})
    forecaster.fit(monthly, fh=[1, 6])
    assert (forecaster.patch_length_, forecaster.context_length_) == (6, 48)
    forecaster.fit(monthly)
    assert (forecaster.patch_length_, forecaster.context_length_) == (12, 96)
    forecaster.set_params(patch_length=5, context_length=22).fit(monthly)
    assert (forecaster.patch_length_, forecaster.context_length_) == (5, 22)
    assert forecaster.get_fitted_params()["context_length"] == 22


@pytest.mark.parametrize("n_time", [3, 5, 10, 17])
def test_a_short_series_is_fitted_too(n_time):
    forecast = SAMoVARForecaster(**TINY).fit(wave(n_time=n_time), fh=[1, 4]).predict()
    assert np.isfinite(forecast).all(axis=None)


# ---------------------------------------------------------------- wishes that cannot be met


def test_a_window_that_does_not_fit_says_how_many_observations_are_needed():
    forecaster = SAMoVARForecaster(**TINY, context_length=40, patch_length=8)
    with pytest.raises(DataError, match=r"30 observations.*at least 48: context_length=40 and"):
        forecaster.fit(wave(n_time=30))
    assert not forecaster.is_fitted


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ({"n_heads": 3}, r"n_heads must divide d_model.*3.*8"),
        ({"normalization": "minmax"}, r"normalization must be one of.*'minmax'"),
        ({"validation_fraction": 1.5}, r"validation_fraction is no share.*1\.5"),
        ({"device": "abacus"}, r"unknown device.*'abacus'"),
        ({"random_state": "lucky"}, r"random_state cannot be used.*'lucky'"),
    ],
)
def test_a_parameter_that_cannot_work_is_refused_by_name(parameter, message):
    with pytest.raises(ConfigurationError, match=message):
        SAMoVARForecaster(**TINY | parameter).fit(wave())


@pytest.mark.parametrize("normalization", ["last_patch", "window", "none"])
def test_a_constant_column_is_forecast_by_the_constant(normalization):
    y = wave().assign(constant=0.3, integer=7)
    forecast = SAMoVARForecaster(**TINY, normalization=normalization).fit(y, fh=[1, 9]).predict()
    assert_array_equal(forecast["constant"], 0.3)
    assert_array_equal(forecast["integer"], 7.0)
    assert np.isfinite(forecast).all(axis=None)


# ---------------------------------------------------------------- reproducible, small, silent


def test_the_same_seed_gives_the_same_forecast_bit_for_bit_and_zero_is_a_seed():
    y = wave()
    first, again, other = (
        SAMoVARForecaster(**TINY | {"random_state": seed}).fit(y, fh=[1, 2, 3]).predict()
        for seed in (0, 0, 1)
    )
    assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_random_states_outside_are_left_alone_and_do_not_matter():
    y = wave()
    np.random.seed(5)
    torch.manual_seed(5)
    random.seed(5)
    before = np.random.get_state()[1].copy(), torch.get_rng_state(), random.getstate()
    first = SAMoVARForecaster(**TINY).fit(y, fh=[1, 2]).predict()
    after = np.random.get_state()[1], torch.get_rng_state(), random.getstate()
    assert_array_equal(before[0], after[0])
    assert torch.equal(before[1], after[1])
    assert before[2] == after[2]
    torch.manual_seed(6)
    assert_array_equal(first, SAMoVARForecaster(**TINY).fit(y, fh=[1, 2]).predict())


def test_a_generator_as_random_state_gives_a_new_fit_each_time():
    generator = np.random.default_rng(3)
    forecaster = SAMoVARForecaster(**TINY | {"random_state": generator})
    first = forecaster.fit(wave(), fh=1).predict()
    assert not np.array_equal(first, forecaster.fit(wave(), fh=1).predict())


def test_the_user_s_frames_are_left_as_they_were():
    y, X = wave(), wave(n_series=3).rename(columns=str.upper)
    y_before, X_before = y.copy(), X.copy()
    forecaster = SAMoVARForecaster(**TINY).fit(y.iloc[:40], X=X, fh=[1, 2])
    forecaster.predict(X=X)
    forecaster.update(y.iloc[40:], X=X)
    pd.testing.assert_frame_equal(y, y_before)
    pd.testing.assert_frame_equal(X, X_before)


def test_a_fitted_forecaster_does_not_grow_with_the_history():
    sizes = []
    for n_time in (3000, 6000):  # both give the rows and scores that are kept at most
        y = wave(pd.RangeIndex(n_time))
        parameters = TINY | {"max_epochs": 1, "batch_size": 512}
        forecaster = SAMoVARForecaster(**parameters, context_length=12, patch_length=3)
        sizes.append(len(pickle.dumps(forecaster.fit(y, fh=1))))
    assert abs(sizes[1] - sizes[0]) < 100


def test_a_fit_prints_nothing_warns_of_nothing_and_leaves_logging_alone(capfd):
    loggers = [
        logging.getLogger(name) for name in (None, "pytorch_lightning", "lightning", "torch")
    ]
    before = [(logger.level, list(logger.handlers), logger.disabled) for logger in loggers]
    SAMoVARForecaster(**TINY).fit(wave(), fh=1).predict()  # a warning would be an error here
    assert [(logger.level, list(logger.handlers), logger.disabled) for logger in loggers] == before
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


def test_progress_is_shown_on_request(capfd):
    SAMoVARForecaster(**TINY, verbose=True).fit(wave(), fh=1)
    assert "training" in capfd.readouterr().err


def test_the_history_of_the_fit_is_readable(fitted):
    assert list(fitted.history_.columns) == ["training_loss", "validation_loss"]
    assert len(fitted.history_) == 2
    assert fitted.history_["validation_loss"].idxmin() == fitted.best_epoch_


def test_a_fit_goes_on_from_its_checkpoint(tmp_path, monkeypatch):
    y = wave()
    parameters = TINY | {"max_epochs": 4}
    expected = SAMoVARForecaster(**parameters).fit(y, fh=1).predict()
    from samovar_forecast.learning.loop import Journal

    finish_epoch = Journal.on_train_epoch_end

    def die_in_the_third(self, trainer, pl_module):
        if pl_module.current_epoch == 2:
            raise RuntimeError("killed")
        finish_epoch(self, trainer, pl_module)

    forecaster = SAMoVARForecaster(**parameters, checkpoint_dir=tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "on_train_epoch_end", die_in_the_third)
        with pytest.raises(RuntimeError, match="killed"):
            forecaster.fit(y, fh=1)
    assert_array_equal(forecaster.fit(y, fh=1).predict(), expected)
    assert len(forecaster.history_) == 4


# ---------------------------------------------------------------- update


def test_an_update_without_training_moves_the_context_and_nothing_else(fitted):
    y = wave()
    at_once, by_row = (fitted.clone().fit(y.iloc[:50], fh=[1, 2, 3]) for _ in range(2))
    at_once.update(y.iloc[50:], update_params=False)
    for row in range(50, 60):
        by_row.update(y.iloc[row : row + 1], update_params=False)
    assert at_once.cutoff[0] == by_row.cutoff[0] == y.index[-1]
    forecast = at_once.predict(fh=[1, 2])
    assert_array_equal(forecast, by_row.predict(fh=[1, 2]))
    assert list(forecast.index) == [y.index[-1] + pd.Timedelta(days=k) for k in (1, 2)]
    before, after = fitted.network_.state_dict(), at_once.network_.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_an_update_with_training_moves_the_weights_of_this_forecaster_only():
    y = wave()
    forecaster = SAMoVARForecaster(**TINY).fit(y.iloc[:50], fh=[1, 2])
    again, still = forecaster.clone().fit(y.iloc[:50], fh=[1, 2]), copy.deepcopy(forecaster)
    forecaster.update(y.iloc[50:])
    still.update(y.iloc[50:], update_params=False)
    old, new = still.network_.state_dict(), forecaster.network_.state_dict()
    assert any(not torch.equal(new[name], old[name]) for name in old)
    assert_allclose(forecaster.predict(), still.predict(), atol=0.1)
    # The same seed, the same update.
    assert_array_equal(again.update(y.iloc[50:]).predict(), forecaster.predict())


def test_update_predict_forecasts_from_every_cutoff(fitted):
    from sktime.split import ExpandingWindowSplitter

    y = wave()
    forecasts = (
        fitted.clone()
        .fit(y.iloc[:40], fh=1)
        .update_predict(
            y.iloc[40:], ExpandingWindowSplitter(fh=1, initial_window=1), update_params=False
        )
    )
    assert forecasts.index.equals(y.index[41:])
    assert np.isfinite(forecasts).all(axis=None)


# ---------------------------------------------------------------- panels


def shops() -> pd.DataFrame:
    waves = {"x": wave(n_time=60), "y": 50 + 3 * wave(n_time=45), "z": wave(n_time=30) - 9}
    return pd.concat(waves, names=["shop", "day"])


def test_a_panel_trains_one_network_and_each_instance_goes_on_from_its_own_end():
    y = shops()
    forecaster = SAMoVARForecaster(**TINY).fit(y, fh=[1, 2])
    forecast = forecaster.predict()
    assert forecast.index.names == ["shop", "day"]
    for shop in "xyz":
        last = y.loc[shop].index[-1]
        assert list(forecast.loc[shop].index) == [last + pd.Timedelta(days=k) for k in (1, 2)]
        level = y.loc[shop].to_numpy().mean()
        assert abs(forecast.loc[shop].to_numpy() - level).max() < 6
    assert sum(parameter.numel() for parameter in forecaster.network_.parameters()) < 3000


def test_an_instance_s_forecast_does_not_depend_on_its_unit():
    y = shops()
    rescaled = y.copy()
    rescaled.loc["y"] = (1000 * y.loc["y"] - 7).to_numpy()
    plain, other = (
        SAMoVARForecaster(**TINY).fit(one, fh=[1, 2]).predict() for one in (y, rescaled)
    )
    assert_allclose(other.loc["y"], 1000 * plain.loc["y"] - 7, rtol=1e-4)
    assert_allclose(other.loc["x"], plain.loc["x"], rtol=1e-4)


def test_a_hierarchy_is_forecast_too():
    y = pd.concat({"north": shops(), "south": shops() + 1}, names=["region"])
    forecast = SAMoVARForecaster(**TINY).fit(y, fh=[1, 3]).predict()
    assert forecast.index.names == ["region", "shop", "day"]
    assert len(forecast) == 12


def test_a_bad_instance_is_named():
    y = shops().drop(("y", pd.Timestamp("2024-01-20")))
    with pytest.raises(DataError, match=r"y, instance 'y',.*gaps.*after 2024-01-19"):
        SAMoVARForecaster(**TINY).fit(y, fh=1)


# ---------------------------------------------------------------- covariates


def follower(n_time: int = 240) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A series that follows one covariate at once and another a step later."""
    rng = np.random.default_rng(2)
    index = pd.RangeIndex(n_time)
    X = pd.DataFrame(rng.normal(size=(n_time, 3)), index, columns=["now", "later", "useless"])
    y = 2 * X["now"] + X["later"].shift(1, fill_value=0.0) + rng.normal(0, 0.1, n_time)
    return y.to_frame("y"), X


@pytest.mark.slow
def test_a_useful_covariate_lowers_the_error_and_a_useless_one_hardly_hurts():
    y, X = follower(n_time=1060)
    first = 1000

    def error(*names: str, past: tuple[str, ...] = ()) -> float:
        chosen = X[list(names)] if names else None
        forecaster = SAMoVARForecaster(
            **PAPER,
            patch_length=1,
            context_length=4,
            normalization="none",
            max_epochs=20,
            learning_rate=5e-3,
            batch_size=64,
            past_covariates=past,
            random_state=0,
        ).fit(y.iloc[:first], X=chosen, fh=1)
        errors = []
        for row in range(first, len(y)):
            if row > first:
                forecaster.update(y.iloc[row - 1 : row], X=chosen, update_params=False)
            errors.append(forecaster.predict(X=chosen).iloc[0, 0] - y.iloc[row, 0])
        return float(np.square(errors).mean())

    nothing, now = error(), error("now")
    assert now < 0.4 * nothing
    assert error("now", "useless") < 1.2 * now
    assert error("later", past=("later",)) < 0.9 * nothing


def test_future_covariates_are_asked_for_up_to_the_horizon_and_past_ones_are_not():
    y, X = follower()
    forecaster = SAMoVARForecaster(**TINY, past_covariates=["later", "useless"])
    forecaster.fit(y.iloc[:200], X=X.iloc[:200], fh=[1, 2, 3])
    forecast = forecaster.predict(X=X.loc[200:, ["now"]])
    pd.testing.assert_frame_equal(forecaster.predict(X=X), forecast)
    changed = X.copy()
    changed.loc[200:, ["later", "useless"]] = 99.0
    pd.testing.assert_frame_equal(forecaster.predict(X=changed), forecast)
    changed.loc[200:, "now"] = 3.0
    assert not np.allclose(forecaster.predict(X=changed), forecast)
    with pytest.raises(DataError, match=r"X is missing.*'now'"):
        forecaster.predict()
    with pytest.raises(DataError, match=r"not cover.*1 of 3 missing, the first is 202"):
        forecaster.predict(X=X.loc[200:201])
    with pytest.raises(DataError, match=r"X has other columns than in fit.*\['now'\] missing"):
        forecaster.predict(X=X[["later"]])
    with pytest.raises(DataError, match=r"X is missing"):
        forecaster.update(y.iloc[200:], update_params=False)
    X.loc[201, "now"] = np.inf
    with pytest.raises(DataError, match=r"column 'now' of X has infinite values.*at 201"):
        forecaster.predict(X=X)


def test_with_past_covariates_only_predict_needs_no_x():
    y, X = follower()
    forecaster = SAMoVARForecaster(**TINY, past_covariates=("now", "later"))
    forecaster.fit(y, X=X[["now", "later"]], fh=[1, 5])
    assert np.isfinite(forecaster.predict()).all(axis=None)


def test_a_past_covariate_that_x_does_not_have_is_refused():
    y, X = follower()
    with pytest.raises(DataError, match="no column 'wind', which is named as a past covariate"):
        SAMoVARForecaster(**TINY, past_covariates=["wind"]).fit(y, X=X, fh=1)


# ---------------------------------------------------------------- sktime's own checks

REPRESENTATIVE = [
    "test_constructor",
    "test_valid_object_class_tags",
    "test_random_tags",
    "test_get_test_params",
    "test_fit_idempotent",
    "test_methods_have_no_side_effects",
    "test_persistence_via_pickle",
    "test_hierarchical_with_exogenous",
    "test__y_remember_data",
    "test_fh_attribute",
]


@pytest.mark.filterwarnings("ignore")  # sktime's tests warn of sktime's own deprecations
@pytest.mark.parametrize("check", REPRESENTATIVE)
def test_a_selection_of_sktime_s_common_checks_passes(check):
    results = check_estimator(SAMoVARForecaster, tests_to_run=check, verbose=False)
    assert results
    assert set(results.values()) == {"PASSED"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # as above
def test_all_of_sktime_s_common_checks_pass():
    results = check_estimator(SAMoVARForecaster, raise_exceptions=True, verbose=False)
    assert len(results) > 700


# ---------------------------------------------------------------- truth


@pytest.mark.slow
def test_on_a_simulated_var_the_one_step_error_is_that_of_the_noise():
    series = simulate_var(COEFS, 8_000, random_state=0)
    train, test = series[:6_000], series[6_000:]
    # The process has a fixed level and scale, so nothing is taken from the windows.
    forecaster = SAMoVARForecaster(
        **PAPER,
        patch_length=1,
        context_length=8,
        normalization="none",
        learning_rate=3e-3,
        batch_size=64,
        max_epochs=10,
        random_state=0,
    ).fit(pd.DataFrame(train), fh=1)
    squares = []
    index = pd.RangeIndex(len(series))
    for row in range(len(train), len(series)):
        forecast = forecaster.predict()
        squares.append((forecast.to_numpy()[0] - series[row]) ** 2)
        forecaster.update(
            pd.DataFrame(series[row : row + 1], index[row : row + 1]), update_params=False
        )
    noise = test - series[5_999:-1] @ COEFS[0].T - series[5_998:-2] @ COEFS[1].T
    assert np.mean(squares) <= 1.05 * np.mean(noise**2)
    assert np.mean(squares) >= np.mean(noise**2)


# ---------------------------------------------------------------- the season


def test_rows_that_are_counted_are_forecast_as_months_where_the_season_is_told(tmp_path):
    y = wave(n_time=44)
    months = y.set_axis(pd.period_range("2000-01", periods=44, freq="M"))
    expected = SAMoVARForecaster().fit(months[:40], fh=range(1, 13))
    told = SAMoVARForecaster(season=12).fit(y[:40], fh=range(1, 13))
    told.save_artifact(tmp_path / "kept.zip")
    loaded = SAMoVARForecaster.load_artifact(tmp_path / "kept.zip")
    untold = SAMoVARForecaster().fit(y[:40], fh=range(1, 13))
    assert not np.allclose(untold.predict(), expected.predict())
    assert_array_equal(told.predict(), expected.predict())
    for forecaster, newer in ((expected, months[40:]), (told, y[40:]), (loaded, y[40:])):
        forecaster.update(newer)  # the linear forecast is estimated anew
    assert_array_equal(told.predict(), expected.predict())
    assert_array_equal(loaded.predict(), expected.predict())


@pytest.mark.parametrize("season", [0, -1, 2.5, "x", True, 10**9])
def test_what_is_no_season_is_refused(season):
    with pytest.raises(ConfigurationError, match=r"season; found: .*an integer of at least"):
        SAMoVARForecaster(season=season).fit(wave())
