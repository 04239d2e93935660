"""The tests of a comparison: their statistics from elsewhere, their verdicts in known cases."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

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


# ---------------------------------------------------------------- Diebold and Mariano


def test_without_overlap_the_statistic_is_the_paired_t_test():
    rng = np.random.default_rng(0)
    first, second = rng.chisquare(3, size=(2, 17))
    expected = stats.ttest_rel(first, second)
    got = diebold_mariano(first, second)
    assert got.statistic == pytest.approx(expected.statistic)
    assert got.pvalue == pytest.approx(expected.pvalue)


def test_with_overlap_the_statistic_is_the_formula_written_out():
    rng = np.random.default_rng(3)
    n, h = 40, 4
    noise = np.convolve(rng.normal(size=n + h - 1), np.ones(h), mode="valid")
    first, second = 3 + noise, np.full(n, 2.5)
    d = first - second
    variance = sum(
        (d[abs(lag) :] - d.mean()) @ (d[: n - abs(lag)] - d.mean()) / n for lag in range(1 - h, h)
    )
    corrected = (n + 1 - 2 * h + h * (h - 1) / n) / n
    expected = d.mean() / np.sqrt(variance / n) * np.sqrt(corrected)
    got = diebold_mariano(first, second, overlap=h)
    assert got.statistic == pytest.approx(expected)
    assert got.pvalue == pytest.approx(2 * stats.t.sf(abs(expected), n - 1))


def test_a_variance_that_would_be_negative_is_taken_with_bartletts_weights():
    difference = np.tile([1.0, -1.0], 10) + 0.1
    plain = difference - difference.mean()
    gamma = [plain @ plain / 20, plain[1:] @ plain[:-1] / 20]
    assert gamma[0] + 2 * gamma[1] < 0
    got = diebold_mariano(difference, np.zeros(20), overlap=2)
    factor = (20 + 1 - 4 + 2 / 20) / 20
    assert got.statistic == pytest.approx(
        0.1 / np.sqrt((gamma[0] + gamma[1]) / 20) * np.sqrt(factor)
    )


def test_the_same_losses_are_no_difference_and_a_constant_one_is_certain():
    losses = np.random.default_rng(0).chisquare(3, size=12)
    assert diebold_mariano(losses, losses) == (0.0, 1.0)
    assert diebold_mariano(losses + 1, losses) == (np.inf, 0.0)


def test_exchanging_the_forecasts_changes_the_sign_alone():
    first, second = np.random.default_rng(0).chisquare(3, size=(2, 20))
    one, other = diebold_mariano(first, second, 3), diebold_mariano(second, first, 3)
    assert one.statistic == pytest.approx(-other.statistic)
    assert one.pvalue == pytest.approx(other.pvalue)


def test_under_equal_accuracy_the_test_rejects_as_often_as_it_says():
    rng = np.random.default_rng(0)
    rejected = 0
    for _ in range(600):
        shocks = rng.normal(size=31)
        overlapping = shocks[1:] + shocks[:-1]  # as two-step forecasts made at every step
        rejected += diebold_mariano(overlapping, np.zeros(30), overlap=2).pvalue < 0.1
    assert 0.06 < rejected / 600 < 0.16


@pytest.mark.parametrize(
    ("first", "second", "overlap", "message"),
    [
        ([1.0, 2.0], [1.0], 1, "do not fit each other"),
        ([1.0, np.nan], [1.0, 2.0], 1, "do not fit each other"),
        ([1.0], [2.0], 1, "too few losses"),
        ([1.0, 2.0, 1.0], [2.0, 1.0, 1.0], 3, "too few losses"),
    ],
)
def test_losses_that_cannot_be_tested_are_refused(first, second, overlap, message):
    with pytest.raises(DataError, match=message):
        diebold_mariano(np.array(first), np.array(second), overlap)


# ---------------------------------------------------------------- the tables


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
