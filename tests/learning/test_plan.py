"""Wishes and a panel become lengths, width, budget and head; what is asked for stays."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.frames.panel import Panel
from samovar_forecast.learning.plan import Plan, choose_epochs, choose_head, choose_lengths
from samovar_forecast.network.heads import Head


def monthly(n_time=60, columns=("load", "price")):
    index = pd.period_range("2015-01", periods=n_time, freq="M")
    values = np.random.default_rng(0).normal(size=(n_time, len(columns)))
    return pd.DataFrame(values, index, list(columns))


# ---------------------------------------------------------------- lengths


@pytest.mark.parametrize("n_observations", [3, 4, 7, 10, 20, 50, 200, 1000, 12_000, 100_000])
def test_default_lengths_leave_most_of_any_sample_for_windows(n_observations):
    for horizon, season in itertools.product(
        [None, 1, 3, 12, 96, 720], [1, 4, 12, 24, 52, 96, 3600]
    ):
        check_default_lengths(n_observations, horizon, season)


def check_default_lengths(n_observations, horizon, season):
    patch, context = choose_lengths(n_observations, horizon=horizon, season=season)
    assert context % patch == 0
    assert 1 <= context // patch <= 128
    assert horizon is None or patch <= horizon
    n_windows = n_observations - context - patch + 1
    assert n_windows >= n_observations // 2
    # Something is left for validation that training does not see.
    assert n_windows > patch or n_observations < 6


def test_a_long_sample_gets_the_horizon_as_patch_and_at_least_two_seasons_of_context():
    assert choose_lengths(8_640, horizon=96, season=24) == (96, 768)
    assert choose_lengths(5_000, horizon=1, season=12) == (1, 32)
    assert choose_lengths(5_000, horizon=6, season=52) == (6, 102)
    assert choose_lengths(5_000, season=24) == (24, 192)
    assert choose_lengths(5_000) == (8, 64)


def test_a_longer_sample_never_gives_a_shorter_window():
    lengths = [choose_lengths(n, horizon=12, season=12) for n in range(3, 400)]
    assert all(np.diff([patch for patch, _ in lengths]) >= 0)
    assert all(np.diff([context for _, context in lengths]) >= -12)


def test_what_the_user_has_decided_stays():
    assert choose_lengths(500, horizon=12, patch_length=5) == (5, 40)
    assert choose_lengths(500, horizon=12, context_length=7) == (7, 7)
    assert choose_lengths(500, patch_length=9, context_length=100) == (9, 100)


def test_a_sample_shorter_than_one_window_is_refused_with_the_number_that_is_needed():
    with pytest.raises(DataError, match=r"20 observations.*at least 28: context_length=24 and"):
        choose_lengths(20, context_length=24, patch_length=4)
    with pytest.raises(DataError, match=r"1 observations; wanted: at least 2"):
        choose_lengths(1)


# ---------------------------------------------------------------- head and budget


def test_a_fit_takes_a_thousand_steps_in_ten_to_a_hundred_epochs():
    assert choose_epochs(1000, batch_size=32) == 32
    assert choose_epochs(33, batch_size=32) == 100
    assert choose_epochs(10**6, batch_size=32) == 10


@pytest.mark.parametrize("wrong", [0.5, "0.1", (0.5,), ("0.1", "0.9"), {0.1: 1, 0.9: 2}])
def test_quantiles_that_are_no_levels_are_refused(wrong):
    with pytest.raises(ConfigurationError, match="quantiles holds no levels"):
        choose_head(wrong)


@pytest.mark.parametrize("levels", [np.array([0.1, 0.5, 0.9]), [0.1, 0.5, 0.9]])
def test_an_adaptation_refuses_quantiles_in_any_sequence(levels):
    plan = Plan(train=True, quantiles=levels)
    assert plan == Plan(train=True, quantiles=(0.1, 0.5, 0.9))
    with pytest.raises(ConfigurationError, match=r"quantiles is asked of.*\(0.1, 0.5, 0.9\)"):
        plan.check_adapting()
    Plan(train=True).check_adapting()


def test_the_head_is_a_point_unless_quantiles_are_asked_for():
    assert choose_head(None) == Head.point()
    assert choose_head(np.array([0.1, 0.9])).quantiles == (0.1, 0.9)


def test_the_budget_is_what_is_asked_for_or_what_the_windows_need():
    plan = Plan(learning_rate=0.01, batch_size=8, patience=3, next_patch_loss_weight=0.5)
    config = plan.budget_training(400)
    assert (config.max_epochs, config.batch_size, config.learning_rate) == (20, 8, 0.01)
    assert (config.patience, config.next_patch_loss_weight) == (3, 0.5)
    assert Plan(max_epochs=7).budget_training(400).max_epochs == 7
    with pytest.raises(ConfigurationError, match="max_epochs"):
        Plan(max_epochs=0).budget_training(400)


def test_an_update_is_one_epoch_at_a_tenth_of_the_rate():
    config = Plan(learning_rate=0.01, max_epochs=40).budget_update()
    assert (config.max_epochs, config.learning_rate, config.patience) == (1, 0.001, None)


@pytest.mark.parametrize("wrong", [-0.1, 1.0, float("nan")])
def test_a_fraction_that_is_no_share_is_refused(wrong):
    with pytest.raises(ConfigurationError, match="validation_fraction is no share"):
        Plan(validation_fraction=wrong)


# ---------------------------------------------------------------- members


def members(plan, ready=None):
    decided = plan.beside(ready)
    return (decided.linear, decided.pretrained, decided.train)


def test_the_members_are_the_linear_and_the_pretrained_forecast_unless_they_are_switched():
    assert members(Plan()) == (True, True, False)
    assert members(Plan(linear=False, train=True)) == (False, True, True)
    assert members(Plan(pretrained=False)) == (True, False, False)


def test_a_network_that_learned_before_brings_what_stood_beside_it():
    panel = Panel.from_frame(monthly())
    start = Plan(d_model=8, n_layers=1).choose_start(panel, 4, None, seed=0)
    alone = dataclasses.replace(start, beside=())
    assert members(Plan(), alone) == (False, False, False)
    assert members(Plan(linear=True), alone) == (True, False, False)
    assert members(Plan(), dataclasses.replace(start, beside=("pretrained",))) == (
        False,
        True,
        False,
    )


def test_a_forecast_without_a_member_is_refused():
    with pytest.raises(ConfigurationError, match=r"no member.*give a checkpoint"):
        Plan(linear=False, pretrained=False).beside(None)


@pytest.mark.parametrize("name", ["linear", "pretrained", "train"])
def test_a_switch_that_is_no_bool_is_refused_by_name(name):
    with pytest.raises(ConfigurationError, match=f"{name} says whether"):
        Plan(**{name: "alone"})


def test_steps_are_weighed_up_to_a_season_where_no_horizon_is_known():
    assert Plan().choose_steps(Panel.from_frame(monthly())) == 12
    daily = pd.DataFrame({"a": range(9)}, pd.RangeIndex(9))
    assert Plan().choose_steps(Panel.from_frame(daily)) == 8


# ---------------------------------------------------------------- the network


def test_a_new_network_has_the_channels_of_the_panel_and_the_lengths_of_the_sample():
    frame = monthly(columns=("load", "price", "wind", "rain"))
    panel = Panel.from_frame(frame[["load", "price"]], frame[["wind", "rain"]], past_names=["wind"])
    shape = Plan(quantiles=(0.1, 0.5, 0.9), n_layers=1).shape_network(panel, horizon=12)
    assert (shape.n_series, shape.n_past_covariates, shape.n_future_covariates) == (2, 1, 1)
    assert (shape.patch_length, shape.context_length) == choose_lengths(60, horizon=12, season=12)
    assert (shape.n_params, shape.n_layers, shape.missing_values) == (3, 1, True)


def test_a_start_is_new_with_its_seed_or_the_pretrained_network_itself():
    panel = Panel.from_frame(monthly())
    plan = Plan(d_model=8, n_layers=1)
    start, again, other = (plan.choose_start(panel, 4, None, seed) for seed in (0, 0, 1))
    assert (start.network.head.weight == again.network.head.weight).all()
    assert (start.network.head.weight != other.network.head.weight).any()
    assert plan.choose_start(panel, 4, start, seed=5) is start


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("patch_length", 5),
        ("context_length", 12),
        ("d_model", 16),
        ("n_heads", 4),
        ("quantiles", (0.1, 0.9)),
    ],
)
def test_a_pretrained_network_of_another_shape_is_refused_by_name(name, value):
    panel = Panel.from_frame(monthly())
    start = Plan(d_model=8, n_heads=1, n_layers=1).choose_start(panel, 4, None, seed=0)
    with pytest.raises(ConfigurationError, match=f"{name} is not that of the pretrained"):
        Plan(**{name: value}).choose_start(panel, 4, start, seed=0)


def test_a_panel_with_other_columns_than_the_pretrained_network_is_refused():
    start = Plan(d_model=8, n_layers=1).choose_start(Panel.from_frame(monthly()), 4, None, seed=0)
    with pytest.raises(DataError, match="another number of columns"):
        Plan().choose_start(Panel.from_frame(monthly(columns=("load",))), 4, start, seed=0)
