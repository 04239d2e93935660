"""Distributions, gaps, the past, pretraining, persistence: what sktime offers a forecaster."""

from __future__ import annotations

import copy
import pickle
import warnings

import cloudpickle
import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sktime.base import load
from sktime.exceptions import NotFittedError
from sktime.forecasting.base import ForecastingHorizon

from samovar_forecast import SAMoVARForecaster
from samovar_forecast.exceptions import ArtifactError, ConfigurationError, DataError
from samovar_forecast.learning import panel_forecaster
from samovar_forecast.linear.simulate import simulate_var
from tests.builders.sktime import PAPER, TINY, panel, walks, waves

LEVELS = [0.01, 0.05, 0.3, 0.5, 0.9, 0.999]
HEADS = {"point": None, "quantiles": (0.1, 0.5, 0.9)}


@pytest.fixture(scope="module", params=HEADS.values(), ids=HEADS.keys())
def fitted(request) -> SAMoVARForecaster:
    return SAMoVARForecaster(**TINY, quantiles=request.param).fit(walks(), fh=[1, 2, 5])


@pytest.fixture(scope="module")
def pretrained() -> SAMoVARForecaster:
    return SAMoVARForecaster(**TINY).pretrain(panel(), fh=[1, 2, 3])


def weights_of(forecaster: SAMoVARForecaster) -> dict[str, torch.Tensor]:
    return {name: one.clone() for name, one in forecaster.network_.state_dict().items()}


# ---------------------------------------------------------------- one source for all answers


def test_quantiles_have_sktime_s_rows_and_columns_and_never_cross(fitted):
    quantiles = fitted.predict_quantiles(alpha=LEVELS)
    assert quantiles.columns.equals(pd.MultiIndex.from_product([["small", "large"], LEVELS]))
    pd.testing.assert_index_equal(quantiles.index, fitted.predict().index)
    for series in ("small", "large"):
        assert (np.diff(quantiles[series], axis=1) > 0).all()
    # Each column is of its own series: the large one moves a thousand times as far.
    width = quantiles.T.groupby(level=0).agg(np.ptp).T
    assert (width["large"] > 100 * width["small"]).all()
    reordered = fitted.predict_quantiles(alpha=LEVELS[::-1])
    pd.testing.assert_frame_equal(reordered[quantiles.columns], quantiles)


def test_intervals_are_quantiles_and_variances_those_of_the_distribution(fitted):
    intervals = fitted.predict_interval(coverage=[0.9, 0.5])
    columns = pd.MultiIndex.from_product([["small", "large"], [0.9, 0.5], ["lower", "upper"]])
    assert intervals.columns.equals(columns)
    quantiles = fitted.predict_quantiles(alpha=[0.05, 0.95, 0.25, 0.75])
    assert_allclose(intervals, quantiles)
    distribution = fitted.predict_proba()
    variances = fitted.predict_var()
    assert list(variances.columns) == ["small", "large"]
    assert_allclose(variances, distribution.var(), rtol=1e-9)
    # The paths are the quantiles at equally spaced levels, so that they agree up to one step; the
    # kernel around them blurs some dozen paths a little more.
    upper = pd.DataFrame(quantiles.xs(0.75, axis=1, level=1))
    assert_allclose((distribution.paths <= upper.to_numpy()).mean(axis=0), 0.75, atol=0.05)
    assert_allclose(distribution.cdf(upper), 0.75, atol=0.1)


def test_sample_paths_are_joint_over_steps_and_series(fitted):
    paths = fitted.sample_paths(n_paths=4000, random_state=0)
    assert paths.index.names == ["path", "month"]
    assert list(paths.columns) == ["small", "large"]
    pd.testing.assert_index_equal(paths.loc[7].index, fitted.predict().index, exact="equiv")
    assert_allclose(paths.groupby(level="month").var(ddof=0), fitted.predict_var(), rtol=0.2)
    last = paths.groupby(level="path").last()
    assert last.corr().loc["small", "large"] > 0.8
    first = paths.groupby(level="path").first()
    assert np.corrcoef(first["small"], last["small"])[0, 1] > 0.3
    again = fitted.sample_paths(n_paths=4000, random_state=0)
    pd.testing.assert_frame_equal(again, paths)
    assert not fitted.sample_paths(n_paths=4000, random_state=1).equals(paths)


def test_asking_for_distributions_leaves_the_point_forecast_and_random_states_alone(fitted):
    expected, state = fitted.predict(), np.random.get_state()[1].copy()
    fitted.predict_interval(fh=[1, 2, 5])
    fitted.sample_paths(n_paths=3)
    pd.testing.assert_frame_equal(fitted.predict(fh=[1, 2, 5]), expected)
    assert_array_equal(np.random.get_state()[1], state)


@pytest.mark.parametrize("levels", HEADS.values(), ids=HEADS.keys())
def test_panels_and_hierarchies_have_distributions_too(levels):
    y = pd.concat({"north": panel(), "south": panel() * 100}, names=["region"])
    forecaster = SAMoVARForecaster(**TINY, quantiles=levels).fit(y, fh=[1, 3])
    rows = forecaster.predict().index
    assert rows.names == ["region", "id", "day"]
    interval = forecaster.predict_interval(coverage=0.8)
    assert interval.index.equals(rows)
    distribution = forecaster.predict_proba()
    assert distribution.index.equals(rows)
    assert_allclose(distribution.var(), forecaster.predict_var(), rtol=1e-9)
    width = interval["a", 0.8, "upper"] - interval["a", 0.8, "lower"]
    assert_allclose(width["south"], 100 * width["north"], rtol=1e-3)
    assert forecaster.sample_paths(n_paths=2).index.names == ["path", *rows.names]


def test_a_series_without_a_name_has_intervals_in_sktime_s_columns():
    y = walks()["small"].rename(None)
    interval = SAMoVARForecaster(**TINY).fit(y, fh=1).predict_interval()
    assert list(interval.columns) == [(0, 0.9, "lower"), (0, 0.9, "upper")]


def test_a_longer_horizon_than_that_of_the_fit_has_wider_intervals(fitted):
    lower, upper = fitted.predict_interval(fh=[5, 20, 80])["small"].to_numpy().T
    assert (np.diff(upper - lower) > 0).all()


def test_a_constant_series_has_no_uncertainty():
    y = walks().assign(large=3.0)
    forecaster = SAMoVARForecaster(**TINY).fit(y, fh=[1, 2])
    assert_array_equal(forecaster.predict_interval()["large"], 3.0)
    assert_array_equal(forecaster.predict_var()["large"], 0.0)


def test_without_windows_held_out_a_distribution_is_given_with_a_warning_and_a_point_without():
    forecaster = SAMoVARForecaster(**TINY, validation_fraction=0.0).fit(walks(), fh=[1, 2])
    forecaster.predict()  # a warning would be an error here
    with pytest.warns(UserWarning, match="too small.*larger validation_fraction"):
        interval = forecaster.predict_interval()
    assert np.isfinite(interval).all(axis=None)
    forecaster.set_config(warnings="off")
    forecaster.predict_interval()


def test_a_distribution_of_the_past_is_refused_by_name(fitted):
    for ask in (fitted.predict_interval, fitted.predict_quantiles, fitted.sample_paths):
        with pytest.raises(DataError, match=r"in-sample prediction of distributions.*'0', '1'"):
            ask(fh=[0, 1])
    assert len(fitted.predict_interval(fh=[1, 2, 5])) == 3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ((0.5,), "quantiles holds no levels"),
        ("0.5", "quantiles holds no levels"),
        ((0.9, 0.1), "rise"),
        ((0.0, 0.5), r"inside \(0, 1\)"),
    ],
)
def test_impossible_quantile_levels_are_refused(wrong, message):
    with pytest.raises(ConfigurationError, match=message):
        SAMoVARForecaster(**TINY, quantiles=wrong).fit(walks(), fh=1)


def test_an_impossible_number_of_paths_is_refused(fitted):
    for wrong in (0, 2.5, True):
        with pytest.raises(ConfigurationError, match="n_paths; found"):
            fitted.sample_paths(n_paths=wrong)
    with pytest.raises(ConfigurationError, match="more numbers than memory"):
        fitted.sample_paths(n_paths=10**12)
    with pytest.raises(ConfigurationError, match="random_state cannot be used as a seed"):
        fitted.sample_paths(n_paths=2, random_state="x")
    one, other = (
        fitted.sample_paths(n_paths=2, random_state=np.random.default_rng(7)) for _ in "ab"
    )
    pd.testing.assert_frame_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("levels", HEADS.values(), ids=HEADS.keys())
def test_intervals_on_a_simulated_var_cover_as_often_as_they_say(levels):
    y = pd.DataFrame(simulate_var([[[0.6, 0.2], [0.0, 0.5]]], 3_400, random_state=0))
    forecaster = SAMoVARForecaster(
        **PAPER,
        patch_length=3,
        context_length=12,
        max_epochs=8,
        batch_size=64,
        quantiles=levels,
        random_state=0,
    ).fit(y.iloc[:3_000], fh=[1, 2, 3])
    covered = []
    for row in range(3_000, 3_397):
        interval = forecaster.predict_interval(coverage=[0.5, 0.9])
        actual = y.iloc[row : row + 3]
        for share in (0.5, 0.9):
            ends = interval.xs(share, axis=1, level=1)
            above = actual >= ends.xs("lower", axis=1, level=1)
            covered.append((share, (above & (actual <= ends.xs("upper", axis=1, level=1))).mean()))
        forecaster.update(y.iloc[row : row + 1], update_params=False)
    table = pd.DataFrame({n: series for n, (_, series) in enumerate(covered)}).T
    shares = table.groupby([share for share, _ in covered]).mean()
    assert_allclose(shares.loc[0.9], 0.9, atol=0.03)
    assert_allclose(shares.loc[0.5], 0.5, atol=0.06)


# ---------------------------------------------------------------- missing values


def gappy(y: pd.DataFrame, share: float = 0.2, seed: int = 1) -> pd.DataFrame:
    """Lose single values at random, and a block of one column."""
    lost = np.random.default_rng(seed).random(y.shape) < share
    lost[30:45, 0] = True
    return y.mask(lost)


@pytest.mark.parametrize("levels", HEADS.values(), ids=HEADS.keys())
def test_gaps_in_y_and_x_are_admitted_everywhere(levels):
    y, X = gappy(waves()), gappy(waves(120, seed=9).set_axis(["x", "z"], axis=1))
    X.index = pd.date_range("2024-01-01", periods=120, freq="D")
    before = y.copy(), X.copy()
    forecaster = SAMoVARForecaster(**TINY, quantiles=levels, past_covariates=["z"])
    forecaster.fit(y.iloc[:80], X=X, fh=[1, 2, 4])
    assert np.isfinite(forecaster.predict(X=X)).all(axis=None)
    assert np.isfinite(forecaster.predict_interval(X=X)).all(axis=None)
    forecaster.update(y.iloc[80:85], X=X, update_params=False)
    forecaster.update(y.iloc[85:] * np.nan, X=X)  # whole rows missing, the last ones
    assert np.isfinite(forecaster.predict(X=X)).all(axis=None)
    pd.testing.assert_frame_equal(y, before[0])
    pd.testing.assert_frame_equal(X, before[1])


def test_a_panel_with_gaps_is_forecast_and_an_empty_column_of_an_instance_refused():
    y = gappy(panel(), seed=3)
    forecast = SAMoVARForecaster(**TINY).fit(y, fh=[1, 2]).predict_interval()
    assert np.isfinite(forecast).all(axis=None)
    y.loc["i1", "b"] = np.nan
    with pytest.raises(DataError, match=r"column 'b' of y, instance 'i1', has no value at all"):
        SAMoVARForecaster(**TINY).fit(y, fh=1)


def test_an_update_says_which_series_began_to_move():
    y = pd.DataFrame({"a": np.arange(40.0) % 7, "still": 5.0}, pd.RangeIndex(40))
    forecaster = SAMoVARForecaster().fit(y.iloc[:30], fh=[1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forecaster.update(y.iloc[30:34])
    y.loc[35:, "still"] = 6.0
    with pytest.warns(UserWarning, match=r"\['still'\] stood still in the fit and move now"):
        forecaster.update(y.iloc[34:])
    assert forecaster.predict()["still"].tolist() == [6.0]


def test_a_series_that_was_constant_goes_on_so_after_a_gap():
    y = waves().assign(b=5.0)
    y.iloc[-4:, 1] = np.nan
    forecaster = SAMoVARForecaster(**TINY).fit(y, fh=[1, 2])
    assert_array_equal(forecaster.predict()["b"], 5.0)
    forecaster.update(
        y.iloc[-1:].set_axis(y.index[-1:] + pd.Timedelta(days=1)), update_params=False
    )
    assert_array_equal(forecaster.predict()["b"], 5.0)


# ---------------------------------------------------------------- the past


def test_a_forecast_of_the_past_is_what_was_said_then():
    y = waves()
    X = waves(100, seed=5).set_axis(["x", "z"], axis=1)
    forecaster = SAMoVARForecaster(**TINY, context_length=12, past_covariates=["z"])
    forecaster.fit(y.iloc[:80], X=X, fh=[-20, -1, 0, 2])
    past = forecaster.predict(X=X)
    assert list(past.index) == list(y.index[[59, 78, 79, 81]])
    for step in (-20, -1, 0):
        then = copy.deepcopy(forecaster).update(y.iloc[: 79 + step][-12:], X=X, update_params=False)
        expected = then.predict(fh=1, X=X)
        assert expected.index[0] == y.index[79 + step]
        assert_allclose(past.loc[expected.index], expected, rtol=1e-5)
    ahead = forecaster.predict(fh=[2], X=X)
    pd.testing.assert_frame_equal(past.iloc[-1:], ahead, check_freq=False)


def test_the_past_needs_no_x_and_dates_may_be_asked():
    y, X = waves(), waves(seed=5).set_axis(["x", "z"], axis=1)
    forecaster = SAMoVARForecaster(**TINY).fit(y, X=X, fh=ForecastingHorizon(y.index[-3:], False))
    past = forecaster.predict()
    assert past.index.equals(y.index[-3:])
    pd.testing.assert_frame_equal(past, forecaster.predict(fh=[-2, -1, 0]), check_freq=False)


def test_residuals_of_the_past_are_small_where_the_series_can_be_forecast():
    y = waves(200)
    forecaster = SAMoVARForecaster(
        patch_length=4, context_length=24, max_epochs=8, learning_rate=3e-3, random_state=0
    )
    residuals = forecaster.fit(y, fh=[1, 2, 3, 4]).predict_residuals(y.iloc[-150:])
    assert residuals.index.equals(y.index[-150:])
    assert (residuals.std() < 0.5 * y.diff().std()).all()


def test_residuals_of_the_whole_past_begin_with_the_first_forecast():
    y = waves(60)
    forecaster = SAMoVARForecaster().fit(y, fh=[1, 2])
    residuals = forecaster.predict_residuals(y)
    assert residuals.index.equals(y.index)
    assert residuals.iloc[:8].isna().all(axis=None)
    assert residuals.iloc[8:].notna().all(axis=None)
    past = forecaster.predict(fh=ForecastingHorizon(y.index[8:], False))
    pd.testing.assert_frame_equal(residuals.iloc[8:], y.iloc[8:] - past, check_freq=False)
    assert list(forecaster.predict(fh=[-59, 1]).isna().any(axis=1)) == [True, False]
    assert forecaster.predict_residuals(y["a"].to_frame().assign(b=y["b"])).equals(residuals)


def test_of_a_long_history_the_past_that_is_kept_is_forecast_and_a_warning_says_so(monkeypatch):
    monkeypatch.setattr(panel_forecaster, "_ROWS_KEPT", 20)
    y = waves(100)
    forecaster = SAMoVARForecaster(**TINY, context_length=12, patch_length=2).fit(y)
    with pytest.warns(UserWarning, match="are NaN where fewer than 12 .* the last 32"):
        residuals = forecaster.predict_residuals(y)
    assert residuals.notna().all(axis=1).tolist() == 80 * [False] + 20 * [True]


def test_the_past_of_a_panel_is_that_of_each_instance():
    y = panel()
    forecaster = SAMoVARForecaster(**TINY).fit(y, fh=[0, 1])
    forecast = forecaster.predict()
    for key in ("i0", "i1", "i2"):
        last = y.loc[key].index[-1]
        assert list(forecast.loc[key].index) == [last, last + pd.Timedelta(days=1)]


def test_a_past_without_a_context_is_nan_and_a_past_before_the_first_row_is_refused():
    y = waves(80)
    forecaster = SAMoVARForecaster(**TINY, context_length=12).fit(y, fh=1)
    past = forecaster.predict(fh=ForecastingHorizon(y.index[11:13], False))
    assert past.isna().all(axis=1).tolist() == [True, False]
    with pytest.raises(
        DataError, match=r"before the first row;.*2023-12-31.*wanted: 2024-01-01.*or later"
    ):
        forecaster.predict(fh=-80)
    first = panel().loc["i0"].index[0]
    asked = len(panel().loc["i0"])
    with pytest.raises(
        DataError, match=rf"before the first row of instance 'i0'.*{first:%Y-%m-%d}.*or later"
    ):
        SAMoVARForecaster(**TINY).fit(panel(), fh=1).predict(fh=-asked)


# ---------------------------------------------------------------- pretraining


def test_pretraining_then_fitting_adapts_a_copy(pretrained):
    trained = pretrained.pretrained_network_
    before = {name: one.clone() for name, one in trained.network.state_dict().items()}
    forecaster = pretrained.clone()
    first = forecaster.fit(waves(50, seed=8), fh=[1, 2]).predict()
    # A refit starts from the pretrained weights again.
    pd.testing.assert_frame_equal(forecaster.fit(waves(50, seed=8), fh=[1, 2]).predict(), first)
    kept, adapted = forecaster.pretrained_network_.network.state_dict(), weights_of(forecaster)
    assert all(torch.equal(kept[name], one) for name, one in before.items())
    assert any(not torch.equal(adapted[name], one) for name, one in before.items())
    assert "pretrained_network" not in forecaster.get_fitted_params()


def test_without_training_pretrained_weights_are_used_as_they_are(pretrained):
    zero = pretrained.clone().set_params(train=False)
    assert zero.state == "pretrained"
    zero.fit(waves(50, seed=8), fh=[1, 2])
    kept = pretrained.pretrained_network_.network.state_dict()
    assert all(torch.equal(kept[name], one) for name, one in weights_of(zero).items())
    assert not hasattr(zero, "best_epoch_")
    assert not hasattr(zero, "history_")
    assert np.isfinite(zero.predict_interval()).all(axis=None)


@pytest.mark.filterwarnings("ignore:. values of a series say little")
def test_a_new_series_may_be_shorter_than_the_context(pretrained):
    zero = pretrained.clone().set_params(train=False)
    y = waves(9, seed=8)
    assert len(y) < pretrained.pretrained_network_.config.context_length
    forecast = zero.fit(y.iloc[:5], fh=[1, 2]).predict_interval()
    assert np.isfinite(forecast).all(axis=None)
    zero.update(y.iloc[5:], update_params=False)
    assert zero.predict().index[0] == y.index[-1] + pd.Timedelta(days=1)
    adapted = pretrained.clone().fit(y, fh=[1, 2])
    assert np.isfinite(adapted.predict()).all(axis=None)


def test_a_second_pretraining_goes_on_from_the_first(pretrained):
    more = pretrained.clone().pretrain(panel(2))
    networks = [one.pretrained_network_.network for one in (pretrained, more)]
    first, second = (dict(network.named_parameters()) for network in networks)
    assert first.keys() == second.keys()
    assert any(not torch.equal(first[name], second[name]) for name in first)
    assert networks[0].config == networks[1].config


@pytest.mark.slow
def test_a_network_that_saw_many_waves_forecasts_a_new_one_better_than_the_naive_forecast():
    y = pd.concat({k: waves(120, seed=k) for k in range(30)}, names=["id"])
    forecaster = SAMoVARForecaster(
        **PAPER,
        patch_length=6,
        context_length=24,
        max_epochs=15,
        learning_rate=3e-3,
        random_state=0,
    ).pretrain(y, fh=range(1, 7))
    new = waves(40, seed=99)
    zero = forecaster.set_params(train=False).fit(new.iloc[:30], fh=range(1, 7))
    error = (zero.predict() - new).abs().mean()
    naive = (new.iloc[30:36] - new.iloc[29]).abs().mean()
    assert (error < 0.4 * naive).all()


def test_a_checkpoint_brings_the_same_weights_as_pretraining(pretrained, tmp_path):
    y = waves(50, seed=8)
    expected = pretrained.clone().fit(y, fh=[1, 2])
    for name in ("folder", "file.zip"):
        pretrained.save_artifact(tmp_path / name)
        forecaster = SAMoVARForecaster(**TINY, checkpoint=tmp_path / name)
        for one in (forecaster, forecaster.clone(), forecaster.set_params(patience=12)):
            one.fit(y, fh=[1, 2])
            assert_array_equal(one.predict(), expected.predict())
            assert_array_equal(one.predict_interval(), expected.predict_interval())


def test_a_fit_can_be_saved_as_a_checkpoint_with_head_and_errors(fitted, tmp_path):
    fitted.save_artifact(tmp_path / "fit")
    zero = SAMoVARForecaster(checkpoint=tmp_path / "fit").fit(walks(), fh=[1, 2, 5])
    assert_allclose(zero.predict(), fitted.predict())


def test_a_grid_search_starts_every_candidate_from_the_checkpoint(pretrained, tmp_path):
    from sktime.forecasting.model_selection import ForecastingGridSearchCV
    from sktime.split import SingleWindowSplitter

    pretrained.save_artifact(tmp_path / "weights")
    y = waves(60, seed=8)
    search = ForecastingGridSearchCV(
        SAMoVARForecaster(**TINY, checkpoint=str(tmp_path / "weights")),
        SingleWindowSplitter(fh=[1, 2, 3]),
        {"train": [False, True]},
        backend="None",  # no other processes
    ).fit(y, fh=[1, 2, 3])
    scores = search.cv_results_["mean_test_MeanAbsolutePercentageError"]
    assert len(scores) == 2
    assert np.isfinite(scores).all()
    best = search.best_forecaster_
    assert best.context_length_ == pretrained.pretrained_network_.config.context_length


def test_what_does_not_fit_pretrained_weights_is_refused(pretrained, tmp_path):
    cases = [
        ({}, waves(n_series=1), r"y has another number of columns.*found: 1.*wanted: 2"),
        ({}, waves()[["b", "a"]], r"columns of y are in another order.*\['b', 'a'\]"),
    ]
    for change, y, message in cases:
        with pytest.raises(DataError, match=message):
            pretrained.clone().set_params(**change).fit(y, fh=1)
    with pytest.raises(DataError, match=r"X \(future covariates\) has another number"):
        pretrained.clone().fit(waves(), X=waves(seed=3), fh=1)
    pretrained.save_artifact(tmp_path / "weights")
    for name, value in (("context_length", 10), ("d_model", 16), ("quantiles", (0.1, 0.9))):
        forecaster = SAMoVARForecaster(checkpoint=tmp_path / "weights", **{name: value})
        with pytest.raises(ConfigurationError, match=f"{name} is not that of the pretrained"):
            forecaster.fit(waves(), fh=1)


def test_nothing_pretrained_is_refused_where_it_is_needed(tmp_path):
    with pytest.raises(ConfigurationError, match=r"no member.*pretrained=False.*checkpoint"):
        SAMoVARForecaster(linear=False, pretrained=False).fit(waves(), fh=1)
    with pytest.raises(ConfigurationError, match="max_epochs must be an integer of at least 1"):
        SAMoVARForecaster(max_epochs=0).pretrain(panel())
    with pytest.raises(NotFittedError, match="nothing to save"):
        SAMoVARForecaster().save_artifact(tmp_path / "none")
    with pytest.raises(ArtifactError, match="is no artifact"):
        SAMoVARForecaster(**TINY, checkpoint=tmp_path / "none").fit(waves(), fh=1)


def test_covariates_are_pretrained_too():
    y, X = panel(), panel().rename(columns={"a": "x", "b": "z"})
    forecaster = SAMoVARForecaster(**TINY, past_covariates=["z"]).pretrain(y, X=X, fh=[1, 2])
    new = waves(60, seed=9)
    forecaster.fit(new.iloc[:50], X=new.rename(columns={"a": "x", "b": "z"}), fh=[1, 2])
    forecast = forecaster.predict(X=new.rename(columns={"a": "x", "b": "z"}))
    assert np.isfinite(forecast).all(axis=None)


# ---------------------------------------------------------------- calls, costs


def test_answers_asked_in_two_calls_are_those_asked_in_one():
    y, X = waves(), waves(110, seed=5).set_axis(["x", "z"], axis=1)
    forecaster = SAMoVARForecaster(**TINY, patch_length=3).fit(y, X=X, fh=[1, 2])
    for ask in (forecaster.predict, forecaster.predict_quantiles, forecaster.predict_var):
        whole = ask(fh=range(1, 14), X=X)
        for border in (1, 3, 7):
            parts = [ask(fh=range(1, border + 1), X=X), ask(fh=range(border + 1, 14), X=X)]
            pd.testing.assert_frame_equal(pd.concat(parts), whole, check_freq=False)
    past = [forecaster.predict(fh=step, X=X) for step in (-2, 0, 1)]
    together = forecaster.predict(fh=[-2, 0, 1], X=X)
    pd.testing.assert_frame_equal(pd.concat(past), together, check_freq=False, rtol=1e-5)


def test_dates_far_apart_ask_each_instance_for_its_own_steps_and_x_no_further():
    y = panel()
    X = y.rename(columns={"a": "x", "b": "z"})[["x"]]
    dates = pd.DatetimeIndex(y.loc["i0"].index[-1:] + pd.Timedelta(days=1))
    ahead = pd.concat(
        {
            key: pd.DataFrame({"x": 1.0}, pd.date_range(one.droplevel(0).index[-1], dates[0])[1:])
            for key, one in y.groupby(level=0)
        }
    )
    forecaster = SAMoVARForecaster(**TINY).fit(y, X=X)
    forecast = forecaster.predict(fh=ForecastingHorizon(dates, False), X=ahead)
    assert list(forecast.index.get_level_values(-1)) == list(dates) * 3


def test_an_evaluation_without_updates_fits_once_and_its_forecasts_are_those_of_moving_on(
    monkeypatch,
):
    from sktime.forecasting.model_evaluation import evaluate
    from sktime.split import ExpandingWindowSplitter

    from samovar_forecast.learning import training

    fits = []
    fit = training.fit_network
    monkeypatch.setattr(training, "fit_network", lambda *a, **k: fits.append(1) or fit(*a, **k))
    y = waves()
    splitter = ExpandingWindowSplitter(fh=[1, 2, 3], initial_window=60, step_length=9)
    table = evaluate(
        SAMoVARForecaster(**TINY), splitter, y, strategy="no-update_params", return_data=True
    )
    assert len(fits) == 1
    assert len(table) == 4
    forecaster = SAMoVARForecaster(**TINY).fit(y.iloc[:60], fh=[1, 2, 3])
    forecaster.update(y.iloc[60:69], update_params=False)
    pd.testing.assert_frame_equal(table["y_pred"].iloc[1], forecaster.predict(), check_freq=False)


def test_a_forecast_of_a_patch_is_one_pass_through_the_network_for_all_instances():
    rng = np.random.default_rng(0)
    y = pd.DataFrame(rng.normal(size=(60, 3)).cumsum(axis=0))
    panel = pd.concat({key: y[[key]].set_axis(["v"], axis=1) for key in range(3)})
    passes: list[object] = []
    for rows in (y, panel):
        forecaster = SAMoVARForecaster(**TINY).fit(rows, fh=[1, 2, 3])
        passes.clear()
        forecaster.network_.register_forward_hook(lambda *given: passes.append(given))
        forecaster.predict()
        assert len(passes) == 1
        forecaster.predict_interval()
        assert len(passes) == 2
        assert not hasattr(forecaster.clone(), "network_")


# ---------------------------------------------------------------- copies, files, processes


def through_sktime_s_file(forecaster: SAMoVARForecaster, path) -> SAMoVARForecaster:
    forecaster.save(path / "forecaster")
    return load(path / "forecaster.zip")


COPIES = {
    "deepcopy": lambda one, path: copy.deepcopy(one),
    "pickle": lambda one, path: pickle.loads(pickle.dumps(one)),
    "cloudpickle": lambda one, path: cloudpickle.loads(cloudpickle.dumps(one)),
    "sktime's bytes": lambda one, path: load(one.save()),
    "sktime's file": through_sktime_s_file,
}


@pytest.mark.parametrize("carry", COPIES.values(), ids=COPIES.keys())
def test_a_copy_forecasts_and_goes_on_bit_for_bit_alike(fitted, carry, tmp_path):
    original = copy.deepcopy(fitted)
    twin = carry(original, tmp_path)
    assert_array_equal(twin.predict(), original.predict())
    assert_array_equal(twin.predict_interval(), original.predict_interval())
    more = walks(155).iloc[150:]
    for one in (original, twin):
        one.update(more)
    assert_array_equal(twin.predict(), original.predict())
    assert_array_equal(twin.predict(fh=[-3, 0]), original.predict(fh=[-3, 0]))


@pytest.mark.parametrize("carry", COPIES.values(), ids=COPIES.keys())
def test_a_pretrained_forecaster_and_a_new_one_are_carried_too(pretrained, carry, tmp_path):
    if "save" in carry.__code__.co_names:
        pytest.skip("sktime saves fitted forecasters only")
    twin = carry(pretrained, tmp_path)
    assert twin.state == "pretrained"
    assert_array_equal(
        twin.fit(waves(), fh=1).predict(), pretrained.clone().fit(waves(), fh=1).predict()
    )
    new = SAMoVARForecaster(**TINY, quantiles=(0.1, 0.9))
    assert carry(new, tmp_path).get_params() == new.get_params()


@pytest.mark.slow
def test_workers_of_loky_give_the_same_forecast_bit_for_bit(fitted):
    from joblib import Parallel, delayed

    def refit(forecaster, y):
        return forecaster.clone().fit(y, fh=[1, 2, 5]).predict_interval()

    found = Parallel(n_jobs=2, backend="loky")(delayed(refit)(fitted, walks()) for _ in range(2))
    for one in found:
        assert_array_equal(one, fitted.predict_interval())


def test_the_seed_decides_the_forecast_of_every_head_and_start(pretrained):
    for make in (
        lambda: SAMoVARForecaster(**TINY, quantiles=(0.1, 0.5, 0.9)),
        lambda: pretrained.clone(),
    ):
        torch.manual_seed(1)
        first = make().fit(gappy(waves()), fh=[1, 2]).update(waves().iloc[-1:])
        torch.manual_seed(2)
        again = make().fit(gappy(waves()), fh=[1, 2]).update(waves().iloc[-1:])
        assert_array_equal(first.predict(), again.predict())
        assert_array_equal(first.predict_var(), again.predict_var())


def test_tags_state_what_is_true():
    tags = SAMoVARForecaster.get_class_tags()
    for name, value in {
        "capability:multivariate": True,
        "capability:exogenous": True,
        "capability:missing_values": True,
        "capability:insample": True,
        "capability:pred_int": True,
        "capability:pred_int:insample": False,
        "capability:unequal_length": True,
        "capability:update": True,
        "capability:pretrain": True,
        "capability:categorical_in_X": False,
        "requires-fh-in-fit": False,
    }.items():
        assert tags[name] is value, name
    assert len(SAMoVARForecaster.get_test_params()) >= 3
