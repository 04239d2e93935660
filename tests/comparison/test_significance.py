"""The tests of a comparison: their statistics from elsewhere, their verdicts in known cases."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.accuracy_tests import clark_west, diebold_mariano
from samovar_forecast.comparison import GuardedAR, GuardedVAR, RepeatSeason, compare
from samovar_forecast.exceptions import ConfigurationError, DataError, MissingPackageError

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
    with pytest.raises(DataError, match=r"found: 4 models at 4 origins; wanted: .* 10 origins"):
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
