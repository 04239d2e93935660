"""Predictive causality, constancy and reliance: known outcomes, and what protects their size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from samovar_forecast import NetworkConfig, TrainingConfig
from samovar_forecast.accuracy_tests import clark_west, known_before
from samovar_forecast.dynamics import causality
from samovar_forecast.dynamics.constancy import constancy, path_constancy
from samovar_forecast.dynamics.refitting import NetworkLearner, network_step
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.linear.simulate import simulate_var

NAMES = ("a", "b", "c")
CHAIN = np.array([[[0.5, 0.0, 0.0], [0.5, 0.3, 0.0], [0.0, 0.5, 0.2]]])  # a -> b -> c


class LeastSquares:
    """A linear VAR(1) fitted before the test origins."""

    def __init__(self, series, n_test):
        self.series, self.n_test = series, n_test
        self.asked = []

    def __call__(self, names):
        self.asked.append(names)
        series = self.series[:, [NAMES.index(name) for name in names]]
        design = np.column_stack([np.ones(len(series) - 1), series[:-1]])
        past = len(design) - self.n_test
        weights = np.linalg.lstsq(design[:past], series[1 : past + 1], rcond=None)[0]
        return design[past:] @ weights

    @property
    def actual(self):
        return pd.DataFrame(self.series[-self.n_test :], columns=list(NAMES))


@pytest.fixture(scope="module")
def learner():
    return LeastSquares(simulate_var(CHAIN, 900, random_state=0), n_test=400)


# ----------------------------------------------------------------------------------- clark-west


def test_the_statistic_is_the_one_of_clark_and_west():
    rng = np.random.default_rng(0)
    actual, small, large = rng.normal(size=(3, 120))
    outcome = clark_west(actual, small, large, max_lags=3)
    adjusted = (actual - small) ** 2 - ((actual - large) ** 2 - (small - large) ** 2)
    mean = adjusted.mean()
    centred = adjusted - mean
    variance = centred @ centred  # Newey and West, Bartlett weights
    for lag in (1, 2, 3):
        variance += 2 * (1 - lag / 4) * centred[lag:] @ centred[:-lag]
    deviation = np.sqrt(variance / 120**2 * 120 / 119)
    np.testing.assert_allclose(outcome.statistic, mean / deviation)
    np.testing.assert_allclose(outcome.mse_full, ((actual - large) ** 2).mean())


def test_a_better_forecast_gives_a_small_p_value_and_a_worse_one_does_not():
    rng = np.random.default_rng(1)
    signal, noise = rng.normal(size=(2, 300))
    better = clark_west(signal + noise, np.zeros(300), signal)
    worse = clark_west(signal + noise, np.zeros(300), -signal)
    assert better.pvalue < 1e-6
    assert worse.pvalue > 1 - 1e-6
    assert better.mse_full < better.mse_restricted


def test_identical_forecasts_are_not_told_apart():
    actual = np.random.default_rng(2).normal(size=50)
    assert clark_west(actual, np.zeros(50), np.zeros(50))[:2] == (0.0, 1.0)


def rejections(n_trainings, repetitions=300, n_origins=200, noise=0.3):
    """Share of rejections where both learners know the truth, but for noise of their training."""
    rng = np.random.default_rng(3)
    rejected = 0
    for _ in range(repetitions):
        actual = rng.normal(size=n_origins)
        small, large = noise * rng.normal(size=(2, n_trainings, n_origins))
        rejected += clark_west(actual, small, large).pvalue < 0.05
    return rejected / repetitions


def test_crossing_the_trainings_keeps_their_noise_out_of_the_test():
    assert rejections(n_trainings=1) > 0.3  # averaging two noisy forecasts helps: no causality
    assert 0.02 <= rejections(n_trainings=3) <= 0.09


def test_what_the_restricted_learner_could_have_known_is_no_predictive_content():
    rng = np.random.default_rng(4)
    past, other, noise = rng.normal(size=(3, 400))
    actual = past + noise
    imperfect = 0.7 * past
    corrected = 0.9 * past + 0.1 * other  # a better use of the past, and an irrelevant series
    assert clark_west(actual, imperfect, corrected).pvalue < 0.01
    assert clark_west(actual, imperfect, corrected, known=past[:, None]).pvalue > 0.05
    content = clark_west(actual + other, imperfect, corrected, known=past[:, None])
    assert content.pvalue < 1e-6


def test_what_is_known_is_left_out_when_there_are_too_few_origins_for_it():
    actual, restricted = np.zeros((62, 2)), np.zeros((2, 62, 2))
    assert known_before(actual, restricted, squares=True).shape == (60, 6)
    actual, restricted = np.zeros((402, 2)), np.zeros((2, 402, 2))
    assert known_before(actual, restricted, squares=True).shape == (400, 12)
    assert known_before(actual, restricted, squares=False).shape == (400, 8)


def test_forecasts_that_do_not_fit_or_are_missing_are_refused():
    actual = np.zeros(50)
    with pytest.raises(DataError, match="do not fit"):
        clark_west(actual, np.zeros(49), np.zeros(50))
    with pytest.raises(DataError, match="too few test origins"):
        clark_west(actual[:5], np.zeros(5), np.ones(5))
    with pytest.raises(DataError, match="missing or not finite"):
        clark_west(actual, np.zeros(50), np.full(50, np.nan))


# ------------------------------------------------------------------------------------ causality


def test_a_chain_is_found_link_by_link(learner):
    found = causality.predictive_causality(learner, learner.actual)
    expected = pd.DataFrame(False, index=list(NAMES), columns=list(NAMES))
    expected.loc["b", "a"] = expected.loc["c", "b"] = True
    pd.testing.assert_frame_equal(found.graph(), expected, check_names=False)
    assert found.graph().index.name == "caused"


def test_all_p_values_are_adjusted_together_by_holm(learner):
    table = causality.predictive_causality(learner, learner.actual).to_frame()
    expected = multipletests(table["pvalue"], method="holm")[1]
    np.testing.assert_allclose(table["pvalue_holm"], expected)
    assert len(table) == 6


def test_one_pair_is_one_refit_without_the_causing_series(learner):
    learner.asked.clear()
    found = causality.predictive_causality(learner, learner.actual, caused="c", causing="b")
    assert learner.asked == [("a", "b", "c"), ("a", "c")]
    row = found.table.iloc[0]
    assert row["pvalue"] == row["pvalue_holm"] < 1e-6
    assert row["gain"] > 0.1


def test_the_printed_test_says_what_was_tested_and_with_what_outcome(learner):
    text = str(causality.predictive_causality(learner, learner.actual, caused=["b", "c"]))
    for words in ("H0: the causing series", "398 test origins", "Holm over 4 pair(s)", "rejected"):
        assert words in text


def test_names_and_shapes_that_do_not_fit_are_refused(learner):
    with pytest.raises(ConfigurationError, match="causing names no series"):
        causality.predictive_causality(learner, learner.actual, causing="d")
    with pytest.raises(ConfigurationError, match="no pair"):
        causality.predictive_causality(learner, learner.actual, caused="a", causing="a")
    with pytest.raises(DataError, match=r"wrong shape; found: \(1, 400, 3\)"):
        causality.predictive_causality(lambda _: np.zeros((400, 3)), learner.actual)


# -------------------------------------------------------------------------------------- network

CONFIG = NetworkConfig(
    n_series=3,
    patch_length=1,
    context_length=4,
    d_model=16,
    n_heads=2,
    n_layers=1,
    dropout=0.0,
    normalization="none",
)
TRAINING = TrainingConfig(max_epochs=6, batch_size=64, learning_rate=3e-3)


@pytest.fixture(scope="module")
def network_learner():
    series = simulate_var(CHAIN, 400, intercept=np.array([10.0, 0.0, -5.0]), random_state=1)
    return NetworkLearner(series, NAMES, CONFIG, TRAINING, n_test=100)


def test_a_network_without_a_series_never_reads_it(network_learner):
    learner = network_learner
    step = learner.fit(learner.series[:250], seed=0, removed=("a",))
    windows = learner.test_histories.copy()
    before = step(windows)
    windows[:, :, 0] += 3.0
    after = step(windows)
    np.testing.assert_array_equal(before[:, 1:], after[:, 1:])
    assert np.abs(before[:, 0] - after[:, 0]).min() > 0  # its own forecast may use it
    windows[:, :, 1] += 3.0
    assert np.abs(step(windows)[:, 2] - after[:, 2]).min() > 0


def test_the_network_learner_forecasts_every_test_origin_from_its_own_window(network_learner):
    learner = network_learner
    forecasts = learner(NAMES)
    assert forecasts.shape == (2, 100, 3)
    step = learner.fit(learner.series[:-100], seed=1)
    window = learner.series[-11 - 4 : -11]
    np.testing.assert_allclose(forecasts[1, -11], step(window[None])[0], rtol=1e-5)
    error = ((learner.test_actual - forecasts) ** 2).mean(axis=(0, 1))
    assert (error < learner.test_actual.var(axis=0)).all()


def test_the_network_step_is_the_network_in_the_units_of_the_data(network_learner):
    import torch

    network, location, scale = network_learner.train(network_learner.series[:200], seed=0)
    windows = network_learner.test_histories[:2]
    scaled = torch.tensor((windows - location) / scale, dtype=torch.float32)
    with torch.no_grad():
        expected = network(scaled).forecast[:, 0, :, 0].numpy() * scale + location
    np.testing.assert_allclose(network_step(network, location, scale)(windows), expected, rtol=1e-5)


def test_a_refit_leaves_an_anchor_and_further_parameters_out(network_learner):
    config = replace(CONFIG, anchor=(2, 1), n_params=3)
    learner = replace(network_learner, network=config, training=replace(TRAINING, max_epochs=1))
    network, _, _ = learner.train(learner.series[:100], seed=0)
    assert network.config == CONFIG


def test_a_learner_that_cannot_train_says_why():
    series = np.zeros((100, 3))
    with pytest.raises(ConfigurationError, match="do not fit"):
        NetworkLearner(series, ("a", "b"), CONFIG, TRAINING, n_test=10)
    with pytest.raises(DataError, match="nothing to train on"):
        NetworkLearner(series, NAMES, CONFIG, TRAINING, n_test=97)
    with pytest.raises(DataError, match="have gaps"):
        NetworkLearner(series * np.nan, NAMES, CONFIG, TRAINING, n_test=10)
    with pytest.raises(ConfigurationError, match="covariates"):
        NetworkLearner(series, NAMES, replace(CONFIG, n_past_covariates=1), TRAINING, n_test=10)


# ------------------------------------------------------------------------ constancy and reliance


def test_constant_dynamics_are_not_rejected_and_switching_ones_are():
    rng = np.random.default_rng(5)
    state = np.repeat(rng.choice([-0.8, 0.8], size=40), 10)
    past, noise = rng.normal(size=(2, 400))
    actual = pd.DataFrame({"switching": state * past + noise, "constant": 0.8 * past + noise})
    constant = np.column_stack([0.0 * past, 0.8 * past])
    dynamic = np.column_stack([state * past, 0.8 * past])
    test = constancy(actual, constant, dynamic)
    assert test.is_rejected
    rejected = test.to_frame().set_index("series")["pvalue_holm"] < 0.05
    assert rejected.to_dict() == {"switching": True, "constant": False}
    assert "H0: state-dependent weights do not improve" in str(test)


def test_a_path_outside_its_band_is_found_with_its_place():
    paths = np.zeros((50, 2, 1, 1))
    paths[30:, 1] = 0.5
    frame = path_constancy(paths, np.full((2, 1, 1), -0.1), np.full((2, 1, 1), 0.1), ["y"])
    second = frame.query("lag == 2").iloc[0]
    assert (second["share_outside"], second["range"], second["first_outside"]) == (0.4, 0.5, 30)
    assert frame.query("lag == 1").iloc[0]["first_outside"] == -1


def test_reliance_shows_what_a_fitted_map_leans_on_without_a_refit():
    series = simulate_var(CHAIN, 400, random_state=6)
    windows = np.lib.stride_tricks.sliding_window_view(series, 5, axis=0)[:-1].transpose(0, 2, 1)
    actual = pd.DataFrame(series[5:], columns=list(NAMES))
    frame = causality.reliance(lambda windows: windows[:, -1] @ CHAIN[0].T, windows, actual)
    by_pair = frame.set_index(["caused", "causing"])
    assert by_pair.loc[("b", "a"), "loss_increase"] > 0.05
    assert by_pair.loc[("c", "b"), "movement"] > 0.1
    assert by_pair.loc[("c", "a"), "movement"] == 0.0
    assert len(frame) == 6
