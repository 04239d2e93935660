"""Batches are named by their number and have the sizes asked for."""

from dataclasses import replace
from itertools import islice

import pytest
import torch

from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from samovar_forecast.pretraining.batches import Sizes, batches
from samovar_forecast.pretraining.draws import Draws
from samovar_forecast.pretraining.world import FAMILIES, draw_panels

NETWORK = ZeroShotConfig()


def test_batches_are_the_same_from_any_start():
    from_zero = batches(0, 0, NETWORK, torch.device("cpu"), Sizes(positions=128))
    later = batches(0, 9, NETWORK, torch.device("cpu"), Sizes(positions=128))
    for _ in range(9):
        next(from_zero)
    first, second = next(from_zero), next(later)
    assert torch.equal(first.values.nan_to_num(), second.values.nan_to_num())
    assert torch.equal(first.positions, second.positions)
    assert first.with_others == second.with_others


SMALL = Sizes(contexts=(64, 200), context_weights=(0.5, 0.5), series=(1, 3), positions=256)


def some(n, seed=0, sizes=SMALL):
    return list(islice(batches(seed, 0, NETWORK, torch.device("cpu"), sizes), n))


def test_a_batch_has_the_sizes_asked_for_and_positions_of_its_windows():
    for batch in some(16):
        n, context, n_series = batch.values.shape
        assert context in SMALL.contexts
        assert n_series in SMALL.series
        patch_length = NETWORK.patch_length_of(context)
        assert n == SMALL.positions * patch_length // (context * n_series)
        assert batch.future.shape == (n, 64, n_series)
        assert batch.season.shape == (n,)
        n_positions = context // patch_length
        assert len(batch.positions) == n_positions // 2
        assert (batch.positions.diff() > 0).all()
        assert batch.positions.max() < n_positions


def test_no_two_batches_and_no_two_seeds_are_alike():
    found = some(8) + some(8, seed=1)
    sums = {batch.values.nan_to_num().sum().item() for batch in found}
    assert len(sums) == 16


@pytest.mark.parametrize(("alone", "with_others"), [(1.0, {False}), (0.0, {True})])
def test_the_share_of_batches_in_which_series_are_alone_is_kept(alone, with_others):
    assert {batch.with_others for batch in some(8, sizes=replace(SMALL, alone=alone))} == (
        with_others
    )


def test_families_that_are_left_out_are_not_drawn(monkeypatch):
    kept = ("counts", "levels")
    without = tuple(name for name in FAMILIES if name not in kept)
    drawn = draw_panels(Draws(0), 40, 64, 2, without)
    assert {list(FAMILIES)[int(place)] for place in drawn.family} == set(kept)
    asked = []
    monkeypatch.setattr(
        "samovar_forecast.pretraining.batches.draw_panels",
        lambda *arguments: asked.append(arguments[-1]) or draw_panels(*arguments),
    )
    some(1, sizes=replace(SMALL, without=without))
    assert asked == [without]


@pytest.mark.parametrize(
    ("without", "said"), [(("trends",), "simulated world's"), (tuple(FAMILIES), "no family")]
)
def test_unknown_families_and_no_families_are_refused(without, said):
    with pytest.raises(ConfigurationError, match=said):
        Sizes(without=without)
