"""A network learns from a panel by a plan, in a copy, and knows which rows it has not seen."""

from __future__ import annotations

import math

import numpy as np
import torch

from samovar_forecast.frames.panel import Panel
from samovar_forecast.frames.scaler import InstanceScaler
from samovar_forecast.learning.network_fit import (
    HowToTrain,
    adapt_member,
    pretrain_network,
    train_further,
    train_member,
)
from samovar_forecast.learning.plan import Plan
from samovar_forecast.learning.pretrained_member import PretrainedMember
from samovar_forecast.learning.scaled_rows import scale_rows
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from tests.builders.sktime import panel, wave

PLAN = Plan(
    train=True, context_length=9, patch_length=3, d_model=8, n_layers=1, max_epochs=1
).beside(None)
QUIET = HowToTrain(progress=False)


def scaled(known: Panel):
    return [scale_rows(instance, InstanceScaler.of(instance)) for instance in known.instances]


def test_the_training_starts_from_a_copy():
    known = Panel.from_frame(wave(n_time=50))
    start = PLAN.choose_start(known, 3, None, seed=0)
    before = start.network.head.weight.clone()
    member, result = train_member(scaled(known), known, PLAN, 3, start, QUIET)
    assert result.n_epochs == 1
    assert member.trained.network is not start.network
    assert torch.equal(start.network.head.weight, before)
    assert member.trained.beside == ("linear", "pretrained")
    new, _ = train_member(scaled(known), known, PLAN, 3, None, QUIET)
    assert not torch.equal(new.trained.network.head.weight, before)


def adapt(n_time: int = 120, **wishes) -> tuple:
    """Adapt a small network with random weights to waves."""
    config = ZeroShotConfig(width=8, heads=2, n_layers=1, decays=(1.0, 0.9))
    network = ZeroShotNetwork(config, torch.Generator().manual_seed(0)).eval()
    start = PretrainedMember(network, 1)
    instances = scaled(Panel.from_frame(wave(n_time=n_time)))
    plan = Plan(train=True, max_epochs=3, learning_rate=0.02, **wishes)
    return start, instances, *adapt_member(start, instances, plan, QUIET)


def test_the_pretrained_network_is_adapted_in_a_copy_by_rows_held_out():
    start, instances, member, result = adapt()
    again = adapt()[2]
    assert result.best_epoch is not None
    losses = [epoch["validation_loss"] for epoch in result.history]
    assert min(losses) == losses[result.best_epoch]
    assert member.honest_from == (96,)
    found, repeated, before = (
        one.forecast(instances, [np.array([110])], 4)[0] for one in (member, again, start)
    )
    np.testing.assert_array_equal(found, repeated)
    assert not np.allclose(found, before)


def test_without_rows_held_out_nothing_is_adapted():
    _, _, member, result = adapt(patience=1, validation_fraction=0.0)
    assert member is None
    assert result is None


def test_rows_held_out_are_honest_and_all_rows_are_for_a_network_that_came_ready():
    known = Panel.from_frame(panel(2))
    trained, _ = train_member(scaled(known), known, PLAN, 3, None, QUIET)
    assert trained.honest_from == (round(0.8 * 60), 53 - round(0.2 * 53))
    blind = Plan(**{**vars(PLAN), "validation_fraction": 0.0})
    assert train_member(scaled(known), known, blind, 3, None, QUIET)[0].honest_from == (
        math.inf,
        math.inf,
    )
    ready = Plan(**{**vars(PLAN), "train": False})
    member, result = train_member(scaled(known), known, ready, 3, trained.trained, QUIET)
    assert result is None
    assert member.honest_from == (0.0, 0.0)
    assert member.trained.is_held_out


def test_a_pretraining_trains_whatever_the_plan_says_of_a_fit():
    known = Panel.from_frame(panel(2))
    plan = Plan(**{**vars(PLAN), "train": False})
    learned = pretrain_network(known, plan, 3, None, QUIET)
    start = plan.choose_start(known, 3, None, seed=0)
    assert not torch.equal(learned.network.head.weight, start.network.head.weight)


def test_training_goes_on_in_a_copy_where_rows_hold_a_window():
    known = Panel.from_frame(wave(n_time=50))
    trained = train_member(scaled(known), known, PLAN, 3, None, QUIET)[0].trained
    further = train_further(trained, scaled(known), PLAN.budget_update(), QUIET)
    assert not torch.equal(further.network.head.weight, trained.network.head.weight)
    few = [rows.__class__(rows.target[:11], None, None) for rows in scaled(known)]
    assert train_further(trained, few, PLAN.budget_update(), QUIET) is trained
    gone = [rows.__class__(np.full((20, 2), np.nan), None, None) for rows in few]
    assert train_further(trained, gone, PLAN.budget_update(), QUIET) is trained
