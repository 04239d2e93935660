"""The comparison: the same origins for all, honest rows, and numbers known from elsewhere."""

from __future__ import annotations

import functools
import time
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sktime.forecasting.naive import NaiveForecaster
from sktime.performance_metrics.forecasting import (
    mean_absolute_error,
    mean_absolute_scaled_error,
    mean_squared_error,
    mean_squared_scaled_error,
)
from sktime.split import ExpandingWindowSplitter
from sktime.utils.estimator_checks import check_estimator
from statsmodels.tsa.api import VAR
from statsmodels.tsa.ar_model import ar_select_order

from samovar_forecast.comparison import (
    Comparison,
    GuardedAR,
    GuardedVAR,
    RefusedVARWarning,
    RepeatSeason,
    RidgeVAR,
    classical_forecasters,
    rolling,
    summary,
)
from samovar_forecast.comparison import compare as compare_with_classical
from samovar_forecast.comparison.metrics import LEVELS, crps
from samovar_forecast.exceptions import ConfigurationError, DataError, MissingPackageError
from samovar_forecast.linear.orders import largest_order

LAG_MATRIX = np.array([[0.6, 0.3, 0.0], [0.0, 0.5, 0.3], [-0.3, 0.0, 0.6]])


compare = functools.partial(compare_with_classical, classical=False)
"""Most tests are about the models that they name; the others say `compare_with_classical`."""


def simulated_var(n_time: int = 120, seed: int = 0) -> pd.DataFrame:
    """A stable VAR(1) of three series in very different units, quarterly."""
    rng = np.random.default_rng(seed)
    values = np.zeros((n_time + 50, 3))
    for t in range(1, len(values)):
        values[t] = LAG_MATRIX @ values[t - 1] + rng.normal(size=3)
    return pd.DataFrame(
        values[50:] * [1.0, 1000.0, 0.01] + [0.0, 5000.0, 3.0],
        columns=["a", "b", "c"],
        index=pd.period_range("1990Q1", periods=n_time, freq="Q", name="quarter"),
    )


def forecasts_of(comparison: Comparison, model: str, origin: object) -> pd.DataFrame:
    rows = comparison.forecasts
    return rows[(rows["model"] == model) & (rows["origin"] == origin)]


class FailsLate(RepeatSeason):
    """A naive forecast that gives up once it has seen a hundred rows."""

    def _predict(self, fh, X):
        if len(self._seen) > 100:
            raise RuntimeError("out of breath\nin the second line")
        return super()._predict(fh, X)


class Warns(RepeatSeason):
    """A naive forecast that warns at every fit."""

    def _learn(self, values):
        warnings.warn("this may not converge", UserWarning, stacklevel=2)


class TalksOfBatches(RepeatSeason):
    """A naive forecast that warns as torch's and Lightning's loaders do."""

    def _learn(self, values):
        for words in (
            "'pin_memory' argument is set as true but no accelerator is found",
            "Total length of `list` across ranks is zero. Please make sure this was intended.",
        ):
            warnings.warn(words, UserWarning, stacklevel=2)


class Reverses(RepeatSeason):
    """A naive forecast whose columns come in another order."""

    def _predict(self, fh, X):
        return super()._predict(fh, X).iloc[:, ::-1]


class Renames(RepeatSeason):
    """A naive forecast whose columns have names of their own."""

    def _predict(self, fh, X):
        return super()._predict(fh, X).add_prefix("my_")


class Points(RepeatSeason):
    """A naive forecast without intervals."""

    _tags = {"capability:pred_int": False}


class FailsAtQuantiles(RepeatSeason):
    """A naive forecast whose intervals break."""

    def _predict_quantiles(self, fh, X, alpha):
        raise RuntimeError("no tails")


class TakesItsTime(RepeatSeason):
    """A naive forecast that is slow enough for tqdm to draw."""

    def _learn(self, values):
        time.sleep(0.12)


class ForecastsNothing(RepeatSeason):
    """A forecaster whose numbers are not numbers."""

    def _extrapolate(self, values, steps):
        return np.full((steps, values.shape[1]), np.nan)


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(simulated_var(), 6, classical_forecasters(4), n_origins=8)


# ---------------------------------------------------------------- the tables


def test_scores_are_those_of_sktimes_metrics_on_standardised_series(comparison):
    y = comparison.y
    first = y.iloc[: comparison.n_first]
    expected = {"MSE": [], "MAE": [], "MASE": []}
    for origin in comparison.origins:
        of_origin = forecasts_of(comparison, "VAR", origin)
        wide = of_origin.pivot(index="time", columns="series", values="y_pred")[y.columns]
        truth = y.loc[wide.index]
        arrays = truth.to_numpy(), wide.to_numpy()
        scaled = [(frame - first.mean()) / first.std() for frame in (truth, wide)]
        expected["MSE"].append(mean_squared_error(*scaled))
        expected["MAE"].append(mean_absolute_error(*scaled))
        # By series: sktime's own average would divide the mean error by the mean scale.
        by_series = mean_absolute_scaled_error(
            *arrays, y_train=first.to_numpy(), sp=4, multioutput="raw_values"
        )
        expected["MASE"].append(by_series.mean())
    means = {metric: np.mean(values) for metric, values in expected.items()}
    assert comparison.season == 4
    assert comparison.scores().loc["VAR", list(means)].to_dict() == pytest.approx(means, rel=1e-12)


def test_the_forecasts_are_those_that_each_model_makes_on_the_splitters_windows(comparison):
    y = comparison.y
    splitter = ExpandingWindowSplitter(
        fh=range(1, 7), initial_window=comparison.n_first, step_length=comparison.stride
    )
    for (train, test), origin in zip(splitter.split(y), comparison.origins, strict=True):
        expected = GuardedVAR().fit(y.iloc[train], fh=range(1, 7)).predict()
        got = forecasts_of(comparison, "VAR", origin)
        np.testing.assert_allclose(got["y_pred"], expected.to_numpy().ravel(), rtol=1e-12)
        np.testing.assert_array_equal(got["y_true"], y.iloc[test].to_numpy().ravel())
    assert comparison.forecasts["time"].max() == y.index[-1]


def test_every_model_is_judged_on_the_same_numbers(comparison):
    keys = ["origin", "step", "series", "time", "y_true"]
    frames = [
        rows[keys].reset_index(drop=True) for _, rows in comparison.forecasts.groupby("model")
    ]
    assert len(frames) == 5
    for other in frames[1:]:
        pd.testing.assert_frame_equal(frames[0], other)


def test_the_units_of_a_series_do_not_change_the_scores(comparison):
    factors = pd.Series({"a": 1e6, "b": 1e-3, "c": 7.0})
    other = compare(simulated_var() * factors, 6, {"VAR": GuardedVAR()}, n_origins=8)
    np.testing.assert_allclose(other.scores().loc["VAR"], comparison.scores().loc["VAR"], rtol=1e-6)


def test_the_leaderboard_is_sorted_and_its_bands_average_to_the_whole(comparison):
    table = comparison.leaderboard()
    assert table["MSE", "all"].is_monotonic_increasing
    assert list(table["MSE"].columns) == ["1", "2-3", "4-6", "all"]
    mean = table["MSE"][["1", "2-3", "4-6"]] @ np.array([1, 2, 3]) / 6
    np.testing.assert_allclose(mean, table["MSE", "all"])


def test_scores_can_be_had_by_step_series_and_origin(comparison):
    by_step = comparison.scores("step")
    assert by_step.index.names == ["model", "step"]
    assert len(by_step) == 5 * 6
    assert len(comparison.scores(["series", "origin"])) == 5 * 3 * 8


def test_a_var_wins_on_data_from_a_var_and_the_words_say_so():
    models = {"VAR": GuardedVAR(), "Ridge VAR": RidgeVAR(), "Naive": RepeatSeason()}
    found = compare(simulated_var(400), 3, models, season=1, n_origins=20)
    assert set(found.margins().query("ties").index) == {"VAR", "Ridge VAR"}
    assert found.margins().loc["Naive", "standard_errors"] > 2
    assert found.significance()["verdict"].to_dict()["Naive"] == "worse"
    del models["Ridge VAR"]
    without = compare(simulated_var(400), 3, models, season=1, n_origins=12)
    assert "VAR wins: MSE" in str(without)
    assert "best classical model, VAR" in " ".join(str(without).split())


def test_the_same_forecaster_twice_is_called_a_tie():
    twins = {"one": RepeatSeason(), "other": RepeatSeason()}
    found = compare(simulated_var(), 4, twins, n_origins=5)
    assert found.margins()["ties"].all()
    assert "A tie for the lowest MSE" in str(found)


def test_a_difference_within_its_standard_error_is_a_tie_and_a_clear_one_is_not(comparison):
    margins = comparison.margins()
    by_origin = comparison.scores("origin")["MSE"].unstack("model")
    for model in margins.index[1:]:
        difference = (by_origin[model] - by_origin[margins.index[0]]).to_numpy()
        # Origins 4 apart, 6 steps each: neighbours overlap, so that Newey and West take one lag.
        n, centred = len(difference), difference - difference.mean()
        variance = (centred @ centred + centred[1:] @ centred[:-1]) / (n * (n - 1))
        errors = difference.mean() / np.sqrt(variance)
        assert margins.loc[model, "standard_errors"] == pytest.approx(errors)
        assert margins.loc[model, "ties"] == (errors <= 1 or margins.loc[model, "excess"] <= 0.01)


def test_too_few_origins_give_no_standard_error_and_the_words_say_so():
    found = compare(simulated_var(), 4, classical_forecasters(), season=1, n_origins=3)
    assert found.margins()["standard_errors"].isna().all()
    assert "too few origins for a standard error" in " ".join(str(found).lower().split())


def test_the_text_fits_a_terminal_and_names_origins_scale_and_fits(comparison):
    text = str(comparison)
    assert max(map(len, text.splitlines())) <= 100
    for words in ("8 origins", "standardised", "season 4", "8 of 8", "every origin"):
        assert words in text
    narrow = summary(comparison, 70)
    assert max(map(len, narrow.splitlines())) <= 70


def test_rmsse_is_sktimes_at_one_origin():
    found = compare(simulated_var(), 4, {"VAR": GuardedVAR()}, n_origins=1, season=4)
    wide = found.forecasts.pivot(index="time", columns="series", values="y_pred")[found.y.columns]
    expected = mean_squared_scaled_error(
        found.y.loc[wide.index].to_numpy(),
        wide.to_numpy(),
        y_train=found.y.iloc[: found.n_first].to_numpy(),
        sp=4,
        multioutput="raw_values",
        square_root=True,
    )
    assert found.scores().loc["VAR", "RMSSE"] == pytest.approx(expected.mean(), rel=1e-12)
    by_series = found.scores("series").loc["VAR", "RMSSE"]
    np.testing.assert_allclose(by_series, expected)


def test_the_crps_of_normal_quantiles_is_that_of_the_normal_distribution():
    truth = np.linspace(-1.5, 1.5, 7)
    quantiles = np.tile(norm.ppf(LEVELS), (7, 1))
    # Gneiting and Raftery (2007), eq. 5.
    exact = truth * (2 * norm.cdf(truth) - 1) + 2 * norm.pdf(truth) - 1 / np.sqrt(np.pi)
    np.testing.assert_allclose(crps(truth, quantiles), exact, rtol=0.03)
    sharp = np.zeros((7, len(LEVELS)))
    np.testing.assert_allclose(crps(truth, sharp), np.abs(truth) * 0.95)


def test_ranks_are_averaged_over_series_and_origins_and_ties_share():
    y = simulated_var()
    twins = {"one": RepeatSeason(), "other": RepeatSeason(), "VAR": GuardedVAR()}
    ranks = compare(y, 3, twins, n_origins=12).ranks()
    assert ranks.sum() == pytest.approx(6)
    assert ranks["one"] == ranks["other"]
    assert ranks["VAR"] < 2 < ranks["one"]


def test_the_classical_rows_stand_beside_what_is_given_unless_they_are_given():
    mine = {"mine": RepeatSeason(2), "VAR": GuardedVAR(max_order=1)}
    found = compare_with_classical(simulated_var(), 2, mine, n_origins=2, season=4)
    assert found.models == ["mine", "VAR", "Ridge VAR", "AR", "Naive", "Seasonal naive"]
    assert found.fitted["VAR"].max_order == 1


# ---------------------------------------------------------------- intervals


@pytest.mark.slow
def test_intervals_of_the_classical_models_hold_what_they_say_on_data_from_a_var():
    y = simulated_var(500)
    models = {"VAR": GuardedVAR(), "Ridge VAR": RidgeVAR(), "points": Points()}
    found = compare(y, 3, models, n_origins=50, refit="first", season=1)
    table = found.calibration()
    assert list(table.index) == ["VAR", "Ridge VAR"]
    assert table["coverage", 0.8].between(0.74, 0.86).all()
    assert table["coverage", 0.9].between(0.85, 0.95).all()
    assert table["below"].loc["VAR"].is_monotonic_increasing
    assert (found.calibration("step")["width", 0.8].loc["VAR"].diff().dropna() > 0).all()
    assert found.scores()["CRPS"].isna().to_dict() == {
        "VAR": False,
        "Ridge VAR": False,
        "points": True,
    }
    # The score of a distribution is below that of its middle, which is the absolute error.
    assert (found.scores()["CRPS"] < found.scores()["MAE"]).loc[["VAR", "Ridge VAR"]].all()


def test_intervals_that_fail_leave_the_points_and_a_note():
    found = compare(simulated_var(), 2, {"half": FailsAtQuantiles()}, n_origins=2)
    assert found.failures.empty
    assert found.effort().loc["half", "note"].startswith("no intervals: RuntimeError: no tails")
    assert found.quantiles.isna().all(axis=None)
    assert found.calibration().empty


def test_intervals_at_some_origins_alone_are_not_averaged_over_the_rest():
    class Sometimes(RepeatSeason):
        def _predict_quantiles(self, fh, X, alpha):
            if len(self._seen) > 100:
                raise RuntimeError("no tails")
            return super()._predict_quantiles(fh, X, alpha)

    models = {"sometimes": Sometimes(), "naive": RepeatSeason()}
    found = compare(simulated_var(), 4, models, n_origins=6)
    own = found.forecasts["model"] == "sometimes"
    assert 0 < found.quantiles[own].isna().all(axis=1).mean() < 1
    assert found.scores()["CRPS"].isna().to_dict() == {"sometimes": True, "naive": False}
    assert list(found.calibration().index) == ["naive"]


@pytest.mark.parametrize("name", ["VAR", "Ridge VAR", "AR", "Naive", "Seasonal naive"])
def test_quantiles_are_symmetric_around_the_forecast_in_the_order_of_the_series(name):
    y = simulated_var()
    fitted = classical_forecasters(4)[name].fit(y, fh=[1, 3, 5])
    quantiles = fitted.predict_quantiles(alpha=[0.1, 0.5, 0.9])
    for column in y:
        low, middle, high = (quantiles[column, level] for level in (0.1, 0.5, 0.9))
        np.testing.assert_allclose(middle, fitted.predict()[column])
        np.testing.assert_allclose(high - middle, middle - low)
        assert (high > low).all()


def test_the_intervals_of_var_and_ar_are_statsmodels():
    y = simulated_var()
    quantiles = GuardedVAR().fit(y, fh=[1, 2, 3]).predict_quantiles(alpha=[0.05, 0.95])
    fit = VAR(y.to_numpy()).fit(largest_order(len(y), 3), ic="aic")
    _, low, high = fit.forecast_interval(y.to_numpy()[-fit.k_ar :], 3, alpha=0.1)
    np.testing.assert_allclose(quantiles.xs(0.05, axis=1, level=1), low)
    np.testing.assert_allclose(quantiles.xs(0.95, axis=1, level=1), high)
    quantiles = GuardedAR().fit(y, fh=[1, 2, 3]).predict_quantiles(alpha=[0.05, 0.95])
    column = y["a"].to_numpy()
    fit = ar_select_order(column, largest_order(len(y), 1), ic="aic").model.fit()
    ahead = fit.get_prediction(len(column), len(column) + 2).conf_int(alpha=0.1)
    np.testing.assert_allclose(quantiles["a"], ahead, rtol=1e-6)


# ---------------------------------------------------------------- models that fail


def test_a_failing_model_keeps_its_row_with_the_reason_and_stops_nobody():
    models = classical_forecasters() | {"VAR": GuardedVAR()}
    too_few = compare(simulated_var(24), 2, models, season=1, n_origins=6)
    wide = pd.concat([simulated_var(24, seed).add_suffix(seed) for seed in range(4)], axis=1)
    found = compare(wide, 2, models, season=1, n_origins=6)
    assert too_few.failures.empty
    assert set(found.failures["model"]) == {"VAR"}
    assert found.leaderboard().loc["VAR"].isna().all()
    assert found.effort().loc["VAR", ["origins", "fits"]].tolist() == [0, 0]
    assert found.leaderboard().loc[["AR", "Naive"]].notna().all(axis=None)
    assert "order 1 each equation has 13 coefficients" in found.effort().loc["VAR", "note"]
    assert "for failing at an origin: VAR." in " ".join(str(found).split())


def test_a_model_that_fails_at_some_origins_is_marked_and_not_averaged_over_the_rest():
    models = {"late": FailsLate(), "naive": RepeatSeason()}
    found = compare(simulated_var(), 4, models, n_origins=6)
    effort = found.effort()
    assert 0 < effort.loc["late", "origins"] < 6
    note = f"failed at {6 - effort.loc['late', 'origins']} origins: RuntimeError: out of breath"
    assert effort.loc["late", "note"] == note
    assert "late" not in found.scores().index
    assert "late" in set(found.forecasts["model"])
    assert found.margins().index.tolist() == ["naive"]


def test_a_forecast_of_nan_is_a_failure():
    found = compare(simulated_var(), 2, {"nothing": ForecastsNothing()}, n_origins=2)
    assert found.forecasts.empty
    assert found.failures["failure"].str.contains("NaN or infinity").all()
    assert "No model served every origin" in str(found)


def test_a_forecast_is_read_by_its_names_and_refused_where_they_do_not_fit():
    models = {"naive": RepeatSeason(), "reversed": Reverses(), "renamed": Renames()}
    found = compare(simulated_var(), 2, models, n_origins=2)
    assert found.scores().loc["reversed"].tolist() == found.scores().loc["naive"].tolist()
    assert set(found.failures["model"]) == {"renamed"}
    assert "does not fit what was to be forecast" in found.effort().loc["renamed", "note"]


def test_warnings_of_a_model_stand_in_its_row():
    found = compare(simulated_var(), 2, {"shy": Warns()}, n_origins=3)
    assert found.effort().loc["shy", "note"].startswith("warned 3 times")
    assert "this may not converge" in str(found)


def test_how_libraries_load_their_batches_is_kept_but_is_no_note():
    found = compare(simulated_var(), 2, {"network": TalksOfBatches()}, n_origins=2)
    assert found.runs["warnings"].map(len).tolist() == [2, 2]
    assert found.effort().loc["network", "note"] == ""


def test_a_name_with_a_comma_stands_in_quotes_among_others():
    class Elsewhere(RepeatSeason):
        def _extrapolate(self, values, steps):
            return super()._extrapolate(values, steps) + 9 * values.std(axis=0)

    models = {"Naive": RepeatSeason(), "far, far away": Elsewhere(), "off": Elsewhere()}
    words = " ".join(str(compare(simulated_var(), 2, models, n_origins=8)).split())
    assert "worse: 'far, far away', off." in words


# ---------------------------------------------------------------- origins and refits


@pytest.mark.parametrize(
    ("refit", "fits", "words"),
    [("every", 6, "every origin"), ("first", 1, "first origin only"), (4, 2, "every 4 origins")],
)
def test_the_refit_policy_decides_where_a_model_is_fitted_and_the_table_says_so(refit, fits, words):
    found = compare(simulated_var(), 2, {"VAR": GuardedVAR()}, n_origins=6, refit=refit)
    assert found.effort().loc["VAR", "fits"] == fits
    assert words in str(found)


def test_a_model_fitted_once_forecasts_from_each_new_origin_with_the_old_coefficients():
    models = {"old": GuardedVAR(), "new": GuardedVAR()}
    found = compare(simulated_var(), 3, models, n_origins=4, refit={"old": "first"})
    y = found.y
    first = VAR(y.iloc[: found.n_first].to_numpy()).fit(largest_order(found.n_first, 3), ic="aic")
    for origin in found.origins:
        known = y.loc[:origin].to_numpy()
        expected = first.forecast(known[-first.k_ar :], 3)
        got = forecasts_of(found, "old", origin)["y_pred"]
        np.testing.assert_allclose(got.to_numpy().reshape(3, 3), expected)
    assert found.effort()["fits"].to_dict() == {"old": 1, "new": 4}


class CannotMoveOn(RepeatSeason):
    """A naive forecast that says it must be fitted to move on."""

    _tags = {"capability:update": False}


def test_a_forecaster_without_an_update_of_its_own_is_fitted_at_every_origin():
    found = compare(simulated_var(), 2, {"still": CannotMoveOn()}, n_origins=3, refit="first")
    assert found.effort().loc["still", "fits"] == 3
    assert found.refit["still"] == "every origin"


def test_a_forecaster_that_would_forecast_from_the_old_origin_is_fitted_at_every_origin():
    from sktime.forecasting.exp_smoothing import ExponentialSmoothing

    models = {"smooth": ExponentialSmoothing()}
    y = simulated_var()[["a"]]
    once = compare(y, 2, models, n_origins=3, refit="first")
    assert once.refit["smooth"] == "every origin"
    every = compare(y, 2, models, n_origins=3)
    pd.testing.assert_frame_equal(once.forecasts, every.forecasts)


def test_sliding_windows_keep_their_length():
    class Counts(RepeatSeason):
        lengths: list[int] = []

        def _learn(self, values):
            self.lengths.append(len(values))

    compare(simulated_var(), 2, {"counts": Counts()}, n_origins=3, window="sliding")
    compare(simulated_var(), 2, {"counts": Counts()}, n_origins=3, window="expanding", stride=5)
    sliding, expanding = Counts.lengths[:3], Counts.lengths[3:]
    assert len(set(sliding)) == 1
    assert np.diff(expanding).tolist() == [5, 5]


def test_a_sequence_of_sktime_forecasters_is_named_by_its_classes():
    found = compare(
        simulated_var()["a"], 3, [NaiveForecaster(), RepeatSeason()], n_origins=3, season=1
    )
    table = found.scores()
    of_points = ["MSE", "MAE", "MASE", "RMSSE"]
    assert table.loc["NaiveForecaster", of_points].equals(table.loc["RepeatSeason", of_points])


def test_the_bands_can_be_chosen():
    found = compare(simulated_var(), 8, [RepeatSeason()], bands=(2, 8), n_origins=2)
    assert list(found.leaderboard()["MAE"].columns) == ["1-2", "3-8", "all"]


@pytest.mark.parametrize(
    ("horizon", "labels"), [(1, ["1"]), (2, ["1", "2"]), (8, ["1", "2-4", "5-8"])]
)
def test_the_default_bands_follow_from_the_horizon(horizon, labels):
    found = compare(simulated_var(), horizon, [RepeatSeason()], n_origins=2)
    assert found.band_labels == labels


def test_a_datetime_index_without_a_frequency_works():
    y = simulated_var(60)
    y.index = pd.DatetimeIndex(pd.date_range("2020-01-31", periods=60, freq="ME").to_list())
    found = compare(y, 2, classical_forecasters(12), n_origins=3)
    assert found.failures.empty
    assert found.season == 12


def test_a_series_that_is_constant_at_first_is_forecast_but_not_scored():
    y = simulated_var().assign(flat=7.0)
    found = compare(y, 3, classical_forecasters(), season=1, n_origins=3)
    assert found.failures.empty
    flat = found.forecasts.query("series == 'flat'")
    assert (flat["y_pred"] == 7.0).all()
    without = compare(y[["a", "b", "c"]], 3, classical_forecasters(), season=1, n_origins=3)
    pd.testing.assert_frame_equal(found.scores(), without.scores())
    words = " ".join(str(found).split())
    assert "Not scored, being constant in the first window: flat" in words


def test_neither_the_frame_nor_the_forecasters_are_touched():
    y, models = simulated_var(60), {"VAR": GuardedVAR()}
    before = y.copy()
    compare(y, 2, models, n_origins=2)
    pd.testing.assert_frame_equal(y, before)
    assert not models["VAR"].is_fitted


def test_a_progress_bar_shows_on_long_runs_and_is_off_on_request(capsys, monkeypatch):
    arguments = (simulated_var(60), 2, {"slow": TakesItsTime()})
    compare(*arguments, n_origins=3)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(rolling, "SECONDS_BEFORE_A_BAR", 0)
    compare(*arguments, n_origins=3)
    assert "slow:" in capsys.readouterr().err
    compare(*arguments, n_origins=3, progress=False)
    assert capsys.readouterr().err == ""


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: y.shift(-1).shift(1), r"column 'a' of y.*not finite.*1990Q1"),
        (lambda y: y.assign(b="x"), r"column 'b' of y is not numeric"),
        (lambda y: y.iloc[::-1], r"index of y is not sorted"),
        (lambda y: y.drop(y.index[5]), r"index of y has gaps"),
        (lambda y: pd.concat({"one": y}), r"y holds a panel of instances"),
        (lambda y: y.to_numpy(), r"y is not a frame"),
        (lambda y: y.iloc[:20], r"too few rows.*found: 20; wanted: at least"),
    ],
)
def test_bad_data_are_refused_with_their_place(change, message):
    with pytest.raises(DataError, match=message):
        compare(change(simulated_var(60)), 4, [RepeatSeason()])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"horizon": 0}, "horizon; found: 0"),
        ({"n_origins": 2.5}, "n_origins; found: 2.5"),
        ({"season": 0}, "season; found: 0"),
        ({"stride": 0}, "stride; found: 0"),
        ({"bands": (2, 3)}, "bands do not divide the horizon"),
        ({"bands": (3, 2, 4)}, "bands do not divide the horizon"),
        ({"window": "rolling"}, "window; found: 'rolling'"),
        ({"refit": "never"}, "refit of 'RepeatSeason'; found: 'never'"),
        ({"refit": {"VAR": "first"}}, "refit names a model that is not compared"),
        ({"forecasters": []}, "no forecaster to compare"),
        ({"forecasters": [RepeatSeason(), RepeatSeason(2)]}, "need names of their own"),
        ({"forecasters": {"class": RepeatSeason}}, "'class' is not a forecaster"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, message):
    good = {"horizon": 4, "forecasters": [RepeatSeason()]}
    with pytest.raises(ConfigurationError, match=message):
        compare(simulated_var(60), **{**good, **arguments})


def test_without_sktime_the_message_says_what_to_install(uninstall):
    uninstall("sktime")
    with pytest.raises(MissingPackageError, match=r"compare needs .*sktime.*\[demo\]"):
        compare(simulated_var(60), 2)


# ---------------------------------------------------------------- the classical forecasters


def test_the_var_is_statsmodels_var_by_aic():
    y = simulated_var()
    got = GuardedVAR().fit(y, fh=[1, 3]).predict()
    fit = VAR(y.to_numpy()).fit(largest_order(len(y), 3), ic="aic")
    expected = fit.forecast(y.to_numpy()[-fit.k_ar :], 3)[[0, 2]]
    np.testing.assert_allclose(got, expected)
    assert got.index.tolist() == [y.index[-1] + 1, y.index[-1] + 3]


def test_the_ar_is_statsmodels_ar_by_aic_series_by_series():
    y = simulated_var()
    got = GuardedAR().fit(y, fh=[1, 2]).predict()
    for name in y:
        column = y[name].to_numpy()
        fit = ar_select_order(column, largest_order(len(y), 1), ic="aic").model.fit()
        np.testing.assert_allclose(got[name], fit.forecast(2))


@pytest.mark.parametrize("season", [1, 4])
def test_the_naive_forecast_is_sktimes(season):
    y = simulated_var()
    steps = [1, 2, 7]
    expected = NaiveForecaster(sp=season).fit(y, fh=steps).predict()
    pd.testing.assert_frame_equal(RepeatSeason(season).fit(y, fh=steps).predict(), expected)


@pytest.mark.parametrize("forecaster", [GuardedVAR(), GuardedAR(), RepeatSeason(4), RidgeVAR()])
def test_an_update_moves_the_forecast_on_and_refits_on_request(forecaster):
    y = simulated_var()
    moved = forecaster.clone().fit(y[:100], fh=[1, 2])
    before = moved.predict()
    moved.update(y[100:], update_params=False)
    fresh = forecaster.clone().fit(y, fh=[1, 2])
    refitted = forecaster.clone().fit(y[:100], fh=[1, 2]).update(y[100:], update_params=True)
    assert moved.predict().index.equals(fresh.predict().index)
    assert not np.allclose(moved.predict(), before)
    pd.testing.assert_frame_equal(refitted.predict(), fresh.predict())


def test_statsmodels_fits_an_underdetermined_var_and_the_guard_does_not():
    wide = pd.concat([simulated_var(30, seed).add_suffix(str(seed)) for seed in range(4)], axis=1)
    silent = VAR(wide.to_numpy()).fit(3)  # 37 coefficients in each equation, 27 rows
    assert np.isfinite(silent.forecast(wide.to_numpy()[-3:], 1)).all()
    with pytest.raises(DataError, match="30 observations; wanted: at least 40"):
        GuardedVAR().fit(wide, fh=[1])
    with pytest.raises(ConfigurationError, match=r"max_order.*wanted: an integer from 1 to 2"):
        GuardedVAR(max_order=3).fit(wide[["a0", "b0", "c0"]], fh=[1])


def test_where_the_var_is_refused_its_row_says_why_and_a_ridge_var_forecasts_in_it():
    wide = pd.concat([simulated_var(30, seed).add_suffix(str(seed)) for seed in range(4)], axis=1)
    found = compare(wide, 2, classical_forecasters(), season=1, n_origins=3)
    assert found.failures.empty
    var, ridge = (
        found.forecasts.query("model == @name")["y_pred"] for name in ("VAR", "Ridge VAR")
    )
    np.testing.assert_array_equal(var, ridge)
    note = found.effort().loc["VAR", "note"]
    assert "a ridge VAR in place of the VAR: an autoregression of 12 series is not" in note


def test_collinear_series_are_refused_by_the_var_and_not_by_the_ridge_var():
    y = simulated_var().assign(total=lambda y: y["a"] + y["c"])
    with pytest.raises(DataError, match=r"collinear; found: 3 independent among 4"):
        GuardedVAR().fit(y, fh=[1])
    with pytest.warns(RefusedVARWarning, match="collinear"):
        fitted = GuardedVAR(when_refused="ridge").fit(y, fh=[1])
    assert "collinear" in fitted.refusal_
    expected = RidgeVAR().fit(y, fh=[1]).predict()
    np.testing.assert_allclose(fitted.predict(), expected)
    with pytest.raises(ConfigurationError, match="when_refused"):
        GuardedVAR(when_refused="weep").fit(y, fh=[1])


def test_a_var_of_one_series_is_its_ar():
    y = simulated_var()[["a"]]
    pd.testing.assert_frame_equal(
        GuardedVAR().fit(y, fh=[1, 2]).predict(), GuardedAR().fit(y, fh=[1, 2]).predict()
    )


@pytest.mark.slow
@pytest.mark.parametrize("forecaster", [GuardedVAR, GuardedAR, RepeatSeason, RidgeVAR])
def test_the_classical_forecasters_pass_sktimes_own_checks(forecaster):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what sktime's fixtures warn of is not our subject
        check_estimator(forecaster, raise_exceptions=True)
