"""The pretrained member forecasts from any origin as from the rows before the origin alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from samovar_forecast import load_pretrained
from samovar_forecast.learning.pretrained_member import PretrainedMember
from samovar_forecast.learning.scaled_rows import ScaledRows
from samovar_forecast.linear.sharing import shared_estimates
from samovar_forecast.linear.simulate import simulate_var
from samovar_forecast.network.zero_shot import ZeroShotNetwork

COEFS = [[[0.6, 0.2], [0.0, 0.5]]]


def rows(n_rows: int = 80, seed: int = 0) -> ScaledRows:
    return ScaledRows(simulate_var(COEFS, n_rows, random_state=seed), None, None)


@pytest.fixture(scope="module")
def pretrained() -> PretrainedMember:
    return PretrainedMember.load(1, None)


def alone(member: PretrainedMember, values: np.ndarray, n_steps: int) -> np.ndarray:
    return member.network.forecast(torch.tensor(values)[None], n_steps, member.season)[0].numpy()


def test_the_pretrained_member_answers_what_its_network_answers(pretrained):
    instances = [rows(), rows(31, seed=1)]
    ends = [np.array([80]), np.array([31])]
    for n_steps in (3, 70):
        found = pretrained.forecast(instances, ends, n_steps)
        for own, answer in zip(instances, found, strict=True):
            np.testing.assert_allclose(answer[0], alone(pretrained, own.target, n_steps), atol=2e-4)


def test_origins_whole_patches_apart_are_read_from_one_window_as_each_by_itself(pretrained):
    # So few rows that no season is looked for, which a longer window might find.
    instance = rows(24)
    origins = np.array([9, 16, 17, 20, 24])
    found = pretrained.forecast([instance], [origins], 4)[0]
    assert found.shape == (5, 4, 2, len(load_pretrained().network.config.quantiles))
    for origin, answer in zip(origins, found, strict=True):
        expected = alone(pretrained, instance.target[:origin], 4)
        np.testing.assert_allclose(answer, expected, atol=2e-3)


def test_instances_of_unequal_length_are_forecast_together_as_each_alone(pretrained):
    # Lengths on both sides of a patch and of the change of its length, with a season to be found.
    instances = [
        ScaledRows(np.sin(2 * np.pi * np.arange(n) / 11)[:, None] + own.target, None, None)
        for n, own in ((n, rows(n, seed=n)) for n in (60, 61, 64, 66, 158, 161, 168))
    ]
    origins = [np.array([len(own) - 9, len(own) - 1, len(own)]) for own in instances]
    together = pretrained.forecast(instances, origins, 4)
    for own, ends, found in zip(instances, origins, together, strict=True):
        wanted = pretrained.forecast([own], [ends], 4)[0]
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_rows_of_a_comparison_ask_the_network_a_single_time(monkeypatch):
    asked, forward = [], ZeroShotNetwork.forward
    monkeypatch.setattr(
        ZeroShotNetwork, "forward", lambda *args, **kw: asked.append(1) or forward(*args, **kw)
    )
    with shared_estimates():
        one, other = (
            PretrainedMember.load(1, None).forecast([rows(24)], [np.array([24])], 4)[0]
            for _ in range(2)
        )
    assert len(asked) == 1
    np.testing.assert_array_equal(one, other)
    PretrainedMember.load(1, None).forecast([rows(24)], [np.array([24])], 4)
    assert len(asked) == 2


def test_a_long_past_is_read_no_further_back_than_told(pretrained):
    instance = rows(2100)
    changed = ScaledRows(instance.target.copy(), None, None)
    changed.target[:40] += 50.0
    ends = [np.array([2100])]
    np.testing.assert_array_equal(
        pretrained.forecast([instance], ends, 2)[0], pretrained.forecast([changed], ends, 2)[0]
    )
