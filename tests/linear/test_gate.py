"""The gate opens for a network that helps, as far as it helps, and stays shut otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.linear.gate import PRIOR_SHARE, estimate_gate


def case(n_windows: int, share: float, seed: int = 0) -> tuple[np.ndarray, ...]:
    """A network whose best share is known: the truth lies at ``share`` of the way to it."""
    rng = np.random.default_rng(seed)
    shape = (n_windows, 4, 3)
    anchor, distance = rng.normal(size=shape), rng.normal(size=shape)
    actual = anchor + share * distance + 0.3 * rng.normal(size=shape)
    return anchor, anchor + distance, actual, np.zeros(n_windows, dtype=int)


def test_the_known_share_is_found_when_there_are_many_windows() -> None:
    assert np.abs(estimate_gate(*case(2000, 0.6)) - 0.6).max() < 0.05


def test_a_network_that_does_not_help_gets_nothing_and_one_that_overshoots_at_most_all() -> None:
    assert np.all(estimate_gate(*case(2000, -0.5)) == 0)
    assert np.all(estimate_gate(*case(2000, 3.0)) == 1)


def test_a_useless_network_rarely_gets_more_than_a_little() -> None:
    gates = [estimate_gate(*case(60, 0.0, seed)) for seed in range(40)]
    assert np.mean([gate.max() < 0.1 for gate in gates]) > 0.7


def test_a_few_windows_say_little_for_the_network_or_against_it() -> None:
    for share in (-1.0, 0.0, 1.0):
        gate = estimate_gate(*case(3, share))
        assert np.all((gate >= 0) & (gate < 0.3))
    some, more = (estimate_gate(*case(n, 1.0)).mean() for n in (3, 300))
    assert some < more
    assert np.all(estimate_gate(*case(0, 1.0)) == 0)


def test_the_gate_differs_by_series_where_the_data_say_so() -> None:
    anchor, network, actual, instance = case(2000, 0.8)
    actual[:, :, 2] = anchor[:, :, 2] + 0.3 * np.random.default_rng(9).normal(size=(2000, 4))
    gate = estimate_gate(anchor, network, actual, instance)
    assert gate[:, :2].min() > 0.7
    assert gate[:, 2].max() < 0.1


def test_the_combination_is_no_worse_than_the_anchor_where_it_was_set() -> None:
    for share in (-1.0, 0.0, 0.2, 0.9):
        anchor, network, actual, instance = case(120, share)
        gate = estimate_gate(anchor, network, actual, instance)
        combined = anchor + gate * (network - anchor)
        before, after = (np.square(one - actual).mean((0, 1)) for one in (anchor, combined))
        assert np.all(after <= before + 1e-12)


def test_gaps_are_no_evidence_and_a_series_without_error_stays_the_anchors() -> None:
    anchor, network, actual, instance = case(500, 0.6)
    actual[::3, 1, 0] = np.nan
    actual[1::3, 2, 2] = np.nan
    actual[2::3, 0, 0] = np.nan  # no window is complete
    anchor[:, :, 1] = np.where(np.isnan(actual[:, :, 1]), 0, actual[:, :, 1])
    gate = estimate_gate(anchor, network, actual, instance)
    assert np.abs(gate[:, [0, 2]] - 0.6).max() < 0.1
    assert np.all(gate[:, 1] == 0)


@pytest.mark.parametrize("prior_share", [0.0, PRIOR_SHARE])
@pytest.mark.parametrize("n_known", [1, 3])
def test_a_series_that_is_hardly_known_has_the_share_of_the_others(n_known, prior_share) -> None:
    gates, alone = [], []
    for seed in range(30):
        anchor, network, actual, instance = case(300, 0.0, seed)
        actual += np.random.default_rng(seed + 100).normal(size=actual.shape)
        actual[n_known:, :, 2] = np.nan
        gates.append(estimate_gate(anchor, network, actual, instance, prior_share=prior_share))
        others = [one[..., :2] for one in (anchor, network, actual)]
        alone.append(estimate_gate(*others, instance, prior_share=prior_share))
    found, wanted = np.array(gates), np.array(alone)
    assert found[..., 2].max() < 0.2
    assert np.abs(found[..., :2] - wanted).max() < 0.1


def test_a_series_that_is_hardly_known_hardly_moves_a_share_that_is_known() -> None:
    anchor, network, actual, instance = case(2000, 0.6)
    actual[2:, :, 2] = np.nan
    actual[:2, :, 2] = anchor[:2, :, 2] - 5 * (network - anchor)[:2, :, 2]
    assert np.abs(estimate_gate(anchor, network, actual, instance) - 0.6).max() < 0.05
