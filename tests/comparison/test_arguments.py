"""The arguments of a comparison: what follows from the data, and what is refused."""

from __future__ import annotations

import pandas as pd
import pytest
from sktime.forecasting.naive import NaiveForecaster

from samovar_forecast import SAMoVARForecaster
from samovar_forecast.comparison import GuardedVAR, RepeatSeason, classical_forecasters
from samovar_forecast.comparison import compare as compare_with_classical
from samovar_forecast.comparison.arguments import refit_policies
from samovar_forecast.exceptions import ConfigurationError, DataError
from tests.builders.comparison import compare, simulated_var


def test_the_classical_rows_stand_beside_what_is_given_unless_they_are_given():
    mine = {"mine": RepeatSeason(2), "VAR": GuardedVAR(max_order=1)}
    found = compare_with_classical(simulated_var(), 2, mine, n_origins=2, season=4)
    others = [name for name in classical_forecasters(4) if name != "VAR"]
    assert found.models == ["mine", "VAR", *others]
    assert {"Ridge VAR", "AR", "Naive", "Seasonal naive", "Theta (linear)"} <= set(others)
    assert found.fitted["VAR"].max_order == 1


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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda y: y.set_axis(pd.MultiIndex.from_product([["load"], y.columns]), axis=1),
            r"columns of y have names of several levels.*2 levels, for example \('load', 'a'\)"
            r".*join the levels",
        ),
        (lambda y: y["a"].rename(("load", "a")), r"names of several levels"),
        (lambda y: y.set_axis(["a", None, "c"], axis=1), r"y has a column without a name"),
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


def test_by_default_a_fit_of_samovar_serves_four_origins_and_any_other_model_is_fitted_at_each():
    named = {"ours": SAMoVARForecaster(), "naive": RepeatSeason(), "sktime": NaiveForecaster()}
    assert refit_policies(None, named) == {"ours": 4, "naive": "every", "sktime": "every"}
    asked = {"naive": "first"}
    assert refit_policies(asked, named) == {"ours": 4, "naive": "first", "sktime": "every"}
    assert set(refit_policies("every", named).values()) == {"every"}


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
        ({"bands": 5}, "bands do not divide the horizon; found: 5"),
        ({"bands": (2.5, 4)}, "bands do not divide the horizon"),
        ({"forecasters": []}, "no forecaster to compare"),
        ({"forecasters": 5}, "neither a mapping nor a sequence; found: 5"),
        ({"forecasters": "VAR"}, "neither a mapping nor a sequence"),
        ({"nested": 5}, "nested; found: 5"),
        ({"nested": {"RepeatSeason": 5}}, "nested; found"),
        ({"classical": "no"}, "classical; found: 'no'"),
        ({"progress": 5}, "progress; found: 5"),
        ({"resume": 5}, "resume; found: 5"),
        ({"resume": "a\0b"}, "resume; found"),
        ({"forecasters": [RepeatSeason(), RepeatSeason(2)]}, "need names of their own"),
        ({"forecasters": {"class": RepeatSeason}}, "'class' is not a forecaster"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, message):
    good = {"horizon": 4, "forecasters": [RepeatSeason()]}
    with pytest.raises(ConfigurationError, match=message):
        compare(simulated_var(60), **{**good, **arguments})


def test_a_pipeline_that_forgets_its_last_rows_is_fitted_at_every_origin():
    from sktime.forecasting.compose import TransformedTargetForecaster
    from sktime.transformations.series.boxcox import LogTransformer
    from sktime.transformations.series.difference import Differencer

    from samovar_forecast import SAMoVARForecaster

    steps = [("diff", Differencer()), ("model", SAMoVARForecaster())]
    others = [("log", LogTransformer()), ("model", SAMoVARForecaster())]
    named = {
        "differences": TransformedTargetForecaster(steps),
        "inner": TransformedTargetForecaster(
            [("log", LogTransformer()), ("all", TransformedTargetForecaster(steps))]
        ),
        "logs": TransformedTargetForecaster(others),
        "plain": SAMoVARForecaster(),
    }
    assert refit_policies("first", named) == {
        "differences": "every",
        "inner": "every",
        "logs": "first",
        "plain": "first",
    }
