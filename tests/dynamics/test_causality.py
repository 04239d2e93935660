"""Predictive causality and reliance: known outcomes, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from samovar_forecast.dynamics.causality import predictive_causality, reliance
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.linear.simulate import simulate_var
from tests.builders.steps import CHAIN, CHAIN_NAMES


class LeastSquares:
    """A linear VAR(1) fitted before the test origins."""

    def __init__(self, series, n_test):
        self.series, self.n_test = series, n_test
        self.asked = []

    def __call__(self, names):
        self.asked.append(names)
        series = self.series[:, [CHAIN_NAMES.index(name) for name in names]]
        design = np.column_stack([np.ones(len(series) - 1), series[:-1]])
        past = len(design) - self.n_test
        weights = np.linalg.lstsq(design[:past], series[1 : past + 1], rcond=None)[0]
        return design[past:] @ weights

    @property
    def actual(self):
        return pd.DataFrame(self.series[-self.n_test :], columns=list(CHAIN_NAMES))


@pytest.fixture(scope="module")
def learner():
    return LeastSquares(simulate_var(CHAIN, 900, random_state=0), n_test=400)


def test_a_chain_is_found_link_by_link(learner):
    found = predictive_causality(learner, learner.actual)
    expected = pd.DataFrame(False, index=list(CHAIN_NAMES), columns=list(CHAIN_NAMES))
    expected.loc["b", "a"] = expected.loc["c", "b"] = True
    pd.testing.assert_frame_equal(found.graph(), expected, check_names=False)
    assert found.graph().index.name == "caused"


def test_all_p_values_are_adjusted_together_by_holm(learner):
    table = predictive_causality(learner, learner.actual).to_frame()
    expected = multipletests(table["pvalue"], method="holm")[1]
    np.testing.assert_allclose(table["pvalue_holm"], expected)
    assert len(table) == 6


def test_one_pair_is_one_refit_without_the_causing_series(learner):
    learner.asked.clear()
    found = predictive_causality(learner, learner.actual, caused="c", causing="b")
    assert learner.asked == [("a", "b", "c"), ("a", "c")]
    row = found.table.iloc[0]
    assert row["pvalue"] == row["pvalue_holm"] < 1e-6
    assert row["gain"] > 0.1


def test_the_printed_test_says_what_was_tested_and_with_what_outcome(learner):
    text = str(predictive_causality(learner, learner.actual, caused=["b", "c"]))
    for words in ("H0: the causing series", "398 test origins", "Holm over 4 pair(s)", "rejected"):
        assert words in text


def test_names_and_shapes_that_do_not_fit_are_refused(learner):
    with pytest.raises(ConfigurationError, match="causing names no series"):
        predictive_causality(learner, learner.actual, causing="d")
    with pytest.raises(ConfigurationError, match="no pair"):
        predictive_causality(learner, learner.actual, caused="a", causing="a")
    with pytest.raises(DataError, match=r"wrong shape; found: \(1, 400, 3\)"):
        predictive_causality(lambda _: np.zeros((400, 3)), learner.actual)


def test_reliance_shows_what_a_fitted_map_leans_on_without_a_refit():
    series = simulate_var(CHAIN, 400, random_state=6)
    windows = np.lib.stride_tricks.sliding_window_view(series, 5, axis=0)[:-1].transpose(0, 2, 1)
    actual = pd.DataFrame(series[5:], columns=list(CHAIN_NAMES))
    frame = reliance(lambda windows: windows[:, -1] @ CHAIN[0].T, windows, actual)
    by_pair = frame.set_index(["caused", "causing"])
    assert by_pair.loc[("b", "a"), "loss_increase"] > 0.05
    assert by_pair.loc[("c", "b"), "movement"] > 0.1
    assert by_pair.loc[("c", "a"), "movement"] == 0.0
    assert len(frame) == 6
