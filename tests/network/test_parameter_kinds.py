"""Kinds of parameters: a number of the network in the units of the data."""

from __future__ import annotations

import typing

import torch

from samovar_forecast.network.heads import Head, ParameterHead
from samovar_forecast.network.normalization import make_normalizer
from samovar_forecast.network.parameter_kinds import PARAMETER_KINDS, Kind, WindowMoments


def moments_of(target: torch.Tensor) -> WindowMoments:
    return WindowMoments.of_windows(target, *make_normalizer("window", 4).moments(target))


def test_every_kind_has_its_arithmetic():
    assert set(PARAMETER_KINDS) == set(typing.get_args(Kind))


def test_kinds_with_a_unit_follow_the_unit_of_the_data():
    target = torch.randn(5, 12, 3, generator=torch.Generator().manual_seed(0)).double()
    raw = torch.randn(5, 7, 3, generator=torch.Generator().manual_seed(1)).double()
    powers = {"scale": 1, "level": 1, "rate": -1, "positive": 0, "free": 0}
    for kind, power in powers.items():
        plain = PARAMETER_KINDS[kind](raw, moments_of(target))
        larger = PARAMETER_KINDS[kind](raw, moments_of(10 * target))
        torch.testing.assert_close(larger, 10.0**power * plain)
    logarithms = [PARAMETER_KINDS["log_level"](raw, moments_of(k * target)).exp() for k in (1, 10)]
    torch.testing.assert_close(logarithms[1], 10 * logarithms[0])


def test_counts_of_a_window_without_events_can_still_be_expected():
    window = moments_of(torch.zeros(1, 12, 1))
    none, some = ParameterHead(("count",))(
        torch.tensor([-9.0, 9.0]).view(1, 2, 1, 1), window
    ).flatten()
    assert 0 < none < 1e-3
    assert some > 8


def test_a_probability_starts_at_the_share_of_the_window_and_is_never_certain():
    target = torch.tensor([0, 0, 1, 1, 1, 1, 1, 1.0] + [0] * 8).view(2, 8, 1)
    odds = ParameterHead(("log_odds",))(torch.zeros(2, 1, 1, 1), moments_of(target)).flatten()
    torch.testing.assert_close(odds.sigmoid(), torch.tensor([6.5 / 9, 0.5 / 9]))


def test_a_network_without_normalisation_predicts_in_the_units_of_the_data():
    target = torch.full((5, 12, 3), 50.0)
    window = WindowMoments.neutral(*make_normalizer("none", 4).moments(target))
    raw = torch.randn(5, 7, 3, 1, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(Head.point()(raw, window), raw)
    torch.testing.assert_close(ParameterHead(("log_level",))(raw, window), raw)
