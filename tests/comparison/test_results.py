"""What a comparison found: its tables, and the notes of its rows."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.comparison import GuardedVAR, RepeatSeason, RidgeVAR, classical_forecasters
from tests.builders.comparison import compare, simulated_var


class FailsLate(RepeatSeason):
    """A naive forecast that gives up once it has seen a hundred rows."""

    def _predict(self, fh, X):
        if len(self._seen) > 100:
            raise RuntimeError("out of breath\nin the second line")
        return super()._predict(fh, X)


class FailsAtQuantiles(RepeatSeason):
    """A naive forecast whose intervals break."""

    def _predict_quantiles(self, fh, X, alpha):
        raise RuntimeError("no tails")


class Points(RepeatSeason):
    """A naive forecast without intervals."""

    _tags = {"capability:pred_int": False}


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


def test_the_leaderboard_is_sorted_and_its_bands_average_to_the_whole(comparison):
    table = comparison.leaderboard()
    assert table["MSE", "all"].is_monotonic_increasing
    assert list(table["MSE"].columns) == ["1", "2-3", "4-6", "all"]
    mean = table["MSE"][["1", "2-3", "4-6"]] @ np.array([1, 2, 3]) / 6
    np.testing.assert_allclose(mean, table["MSE", "all"])


def test_scores_can_be_had_by_step_series_and_origin(comparison):
    by_step = comparison.scores("step")
    assert by_step.index.names == ["model", "step"]
    n_models = len(classical_forecasters(4))
    assert len(by_step) == n_models * 6
    assert len(comparison.scores(["series", "origin"])) == n_models * 3 * 8


def test_ranks_are_averaged_over_series_and_origins_and_ties_share():
    y = simulated_var()
    twins = {"one": RepeatSeason(), "other": RepeatSeason(), "VAR": GuardedVAR()}
    ranks = compare(y, 3, twins, n_origins=12).ranks()
    assert ranks.sum() == pytest.approx(6)
    assert ranks["one"] == ranks["other"]
    assert ranks["VAR"] < 2 < ranks["one"]


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


def test_warnings_of_a_model_stand_in_its_row():
    found = compare(simulated_var(), 2, {"shy": Warns()}, n_origins=3)
    assert found.effort().loc["shy", "note"].startswith("warned 3 times")
    assert "this may not converge" in str(found)


def test_how_libraries_load_their_batches_is_kept_but_is_no_note():
    found = compare(simulated_var(), 2, {"network": TalksOfBatches()}, n_origins=2)
    assert found.runs["warnings"].map(len).tolist() == [2, 2]
    assert found.effort().loc["network", "note"] == ""
