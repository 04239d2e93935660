"""The tests of a comparison: their statistics from elsewhere, their verdicts in known cases."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.accuracy_tests import clark_west, diebold_mariano
from samovar_forecast.comparison import (
    GuardedAR,
    GuardedVAR,
    RepeatSeason,
    classical_forecasters,
    compare,
)
from samovar_forecast.comparison.significance import against_benchmark, margins
from samovar_forecast.exceptions import ConfigurationError, DataError, MissingPackageError
from tests.builders.comparison import compare as compare_alone
from tests.builders.comparison import simulated_var

LAG_MATRIX = np.array([[0.5, 0.6], [0.0, 0.7]])


def simulated(n_time: int = 160, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = np.zeros((n_time, 2))
    for t in range(1, n_time):
        values[t] = LAG_MATRIX @ values[t - 1] + rng.normal(size=2)
    return pd.DataFrame(values, columns=["a", "b"])


class Noisy(RepeatSeason):
    """The mean of the past plus noise: much worse than any model."""

    def _extrapolate(self, values, steps):
        rng = np.random.default_rng(len(values))
        return values.mean(axis=0) + 5 * values.std(axis=0) * rng.normal(size=(steps, 2))


@pytest.fixture(scope="module")
def found():
    models = {"noisy": Noisy(), "VAR": GuardedVAR(), "AR": GuardedAR(), "Naive": RepeatSeason()}
    models["twin"] = GuardedVAR()
    return compare(
        simulated(), 2, models, n_origins=24, stride=2, season=1, classical=False, refit="first"
    )


def test_models_are_tested_against_the_best_classical_one_and_ties_are_called_ties(found):
    table = found.significance()
    assert found.best_classical == "VAR"
    verdicts = table["verdict"].to_dict()
    assert verdicts["VAR"] == "benchmark"
    assert verdicts["twin"] == "tie"
    assert verdicts["noisy"] == "worse"
    losses = found.scores("origin")["MSE"].unstack("model")
    expected = diebold_mariano(losses["noisy"], losses["VAR"], 1)
    assert table.loc["noisy", "statistic"] == pytest.approx(expected.statistic)
    assert (table["pvalue_holm"].dropna() >= table["pvalue"].dropna()).all()


def test_a_better_model_than_the_best_classical_one_is_called_better():
    y = simulated()

    class Knows(RepeatSeason):
        def _extrapolate(self, values, steps):
            return y.to_numpy()[len(values) : len(values) + steps] + 0.01

    models = {"knows": Knows(), "Naive": RepeatSeason()}
    found = compare(y, 2, models, n_origins=12, season=1, classical=False)
    assert found.significance().loc["knows", "verdict"] == "better"
    assert "best classical model, Naive" in " ".join(str(found).split())
    assert "better: knows" in str(found)


def test_with_too_few_origins_no_test_is_made():
    found = compare(simulated(), 2, {"Naive": RepeatSeason()}, n_origins=4, season=1)
    table = found.significance()
    assert set(table["verdict"]) == {"benchmark", "too few origins"}
    assert table["pvalue"].isna().all()
    assert found.nested_tests().empty
    few = rf"found: {len(found.models)} models at 4 origins; wanted: .* 10 origins"
    with pytest.raises(DataError, match=few):
        found.confidence_set()


def test_without_a_classical_model_there_is_nothing_to_test_against():
    found = compare(simulated(), 2, {"noisy": Noisy()}, n_origins=6, season=1, classical=False)
    assert found.best_classical is None
    assert found.significance().empty


def test_a_level_that_is_none_is_refused(found):
    with pytest.raises(ConfigurationError, match="level; found: 5"):
        found.significance(level=5)


def test_nested_pairs_are_tested_by_clark_and_west_one_step_ahead(found):
    table = found.nested_tests()
    pairs = set(zip(table["larger"], table["smaller"], strict=True))
    assert pairs == {("VAR", "AR"), ("VAR", "Naive"), ("AR", "Naive")}
    assert len(table) == 3 * 2
    one_step = found.forecasts.query("step == 1 and series == 'a'").set_index(["model", "origin"])
    truth = one_step.loc["VAR", "y_true"].to_numpy()
    expected = clark_west(
        truth, one_step.loc["AR", "y_pred"].to_numpy(), one_step.loc["VAR", "y_pred"].to_numpy()
    )
    row = table.query("larger == 'VAR' and smaller == 'AR' and series == 'a'").iloc[0]
    assert row["statistic"] == pytest.approx(expected.statistic)
    assert row["pvalue"] < 0.05  # b drives a, which an AR cannot know
    assert (table["pvalue_holm"] >= table["pvalue"]).all()


def test_the_user_can_name_special_cases_of_a_model():
    models = {"mine": GuardedVAR(), "Naive": RepeatSeason()}
    arguments = {"n_origins": 20, "season": 1, "classical": False, "refit": "first"}
    found = compare(simulated(), 1, models, nested={"mine": ["Naive"]}, **arguments)
    assert set(found.nested_tests()["larger"]) == {"mine"}
    with pytest.raises(ConfigurationError, match=r"nested names a model .* found: other"):
        compare(simulated(), 1, models, nested={"mine": "other"}, **arguments)


def test_the_confidence_set_leaves_out_what_is_clearly_worse_and_keeps_twins_together(found):
    pytest.importorskip("arch")
    table = found.confidence_set()
    assert table.loc["VAR"].equals(table.loc["twin"])
    assert bool(table.loc["VAR", "included"])
    assert not table.loc["noisy", "included"]
    assert found.confidence_set().equals(table)  # its seed is fixed


def test_without_arch_the_confidence_set_says_what_to_install(found, uninstall):
    uninstall("arch")
    with pytest.raises(MissingPackageError, match=r"confidence set needs .*arch.*\[report\]"):
        found.confidence_set()


# ---------------------------------------------------------------- margins


def test_the_same_forecaster_twice_is_called_a_tie():
    twins = {"one": RepeatSeason(), "other": RepeatSeason()}
    found = compare_alone(simulated_var(), 4, twins, n_origins=5)
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
    found = compare_alone(simulated_var(), 4, classical_forecasters(), season=1, n_origins=3)
    assert found.margins()["standard_errors"].isna().all()
    assert "too few origins for a standard error" in " ".join(str(found).lower().split())


# ---------------------------------------------------------------- tables of any origin


def test_the_tests_need_tables_and_no_comparison():
    losses = pd.DataFrame(
        np.random.default_rng(0).chisquare(3, size=(30, 2)), columns=["ours", "theirs"]
    )
    losses["worse"] = losses["theirs"] + 2
    mse = losses.mean().sort_values()
    table = against_benchmark(mse, losses, "theirs", overlap=2)
    expected = diebold_mariano(losses["ours"].to_numpy(), losses["theirs"].to_numpy(), 2)
    assert table.loc["ours", "pvalue"] == pytest.approx(expected.pvalue)
    assert table.loc["worse", "verdict"] == "worse"
    assert not margins(mse, losses, overlap=2).loc["worse", "ties"]
