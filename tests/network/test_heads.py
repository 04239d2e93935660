"""Heads: parameters in the units of the data, quantiles in order, and their losses."""

from __future__ import annotations

import math

import pytest
import torch

from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.network import heads
from samovar_forecast.network.heads import Head, gaussian_errors, pinball_errors, window_moments
from samovar_forecast.network.normalization import make_normalizer


def moments_of(target: torch.Tensor, normalization: str = "window") -> heads.WindowMoments:
    location, scale = make_normalizer(normalization, 4).moments(target)
    return window_moments(target, location, scale, normalization)


def windows(level: float = 0.0, unit: float = 1.0, seed: int = 0) -> torch.Tensor:
    noise = torch.randn(5, 12, 3, generator=torch.Generator().manual_seed(seed))
    return level + unit * noise.double()


def numbers(n_params: int, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(5, 7, 3, n_params, generator=generator).double()


def test_a_location_follows_shift_and_unit_of_the_data_and_a_scale_the_unit_alone():
    plain = Head.gaussian()(numbers(2), moments_of(windows()))
    moved = Head.gaussian()(numbers(2), moments_of(windows(level=1000, unit=5)))
    torch.testing.assert_close(moved[..., 0], 1000 + 5 * plain[..., 0], rtol=0, atol=1e-5)
    torch.testing.assert_close(moved[..., 1], 5 * plain[..., 1], rtol=1e-7, atol=0)


def test_a_gaussian_head_starts_at_mean_and_deviation_of_the_window():
    target = windows(level=1000)
    mean, deviation = Head.gaussian()(torch.zeros(5, 1, 3, 2), moments_of(target)).unbind(-1)
    torch.testing.assert_close(mean, target.mean(1, keepdim=True))
    torch.testing.assert_close(deviation, target.std(1, keepdim=True))


@pytest.mark.parametrize("levels", [(0.5,), (0.9,), (0.1, 0.5, 0.9), (0.01, 0.2, 0.3, 0.4, 0.99)])
def test_quantiles_never_cross_and_start_at_those_of_a_normal_distribution(levels):
    head, window = Head.of_quantiles(levels), moments_of(windows(level=10, unit=2))
    assert (head(numbers(len(levels)), window).diff(dim=-1) > 0).all()
    start = head(torch.zeros(5, 1, 3, len(levels)).double(), window)
    normal = torch.distributions.Normal(window.location, window.scale)
    for k, level in enumerate(levels):
        torch.testing.assert_close(start[..., k], normal.icdf(torch.tensor(level).double()))


@pytest.mark.parametrize("constant", [0.0, 1e-6, 20.0])
def test_no_density_is_infinite_on_a_constant_window(constant):
    target = torch.full((1, 12, 1), constant)
    window = moments_of(target)
    parameters = Head.gaussian()(torch.zeros(1, 2, 1, 2), window)
    assert (parameters[..., 0] == constant).all()
    assert math.isfinite(gaussian_errors(parameters, target[:, :2]).mean())
    assert (parameters[..., 1] > 0).all()
    assert (Head.of_quantiles([0.1, 0.5, 0.9])(torch.zeros(1, 2, 1, 3), window).diff() > 0).all()


def test_counts_of_a_window_without_events_can_still_be_expected():
    window = moments_of(torch.zeros(1, 12, 1))
    none, some = Head(("count",))(torch.tensor([-9.0, 9.0]).view(1, 2, 1, 1), window).flatten()
    assert 0 < none < 1e-3
    assert some > 8


def test_a_probability_starts_at_the_share_of_the_window_and_is_never_certain():
    target = torch.tensor([0, 0, 1, 1, 1, 1, 1, 1.0] + [0] * 8).view(2, 8, 1)
    odds = Head(("log_odds",))(torch.zeros(2, 1, 1, 1), moments_of(target)).flatten()
    torch.testing.assert_close(odds.sigmoid(), torch.tensor([6.5 / 9, 0.5 / 9]))


def test_a_network_without_normalisation_predicts_in_the_units_of_the_data():
    window = moments_of(windows(level=50), "none")
    raw = numbers(1)
    torch.testing.assert_close(Head.point()(raw, window), raw)
    torch.testing.assert_close(Head(("log_level",))(raw, window), raw)


def test_the_pinball_loss_is_least_at_the_quantile():
    actual = windows()[:1, :, :1].expand(1, 12, 1)
    levels = [0.3]
    best = actual.quantile(0.3)
    losses = [
        pinball_errors(
            torch.full((1, 12, 1, 1), float(best) + shift).double(), actual, levels
        ).mean()
        for shift in (-0.3, 0.0, 0.3)
    ]
    assert losses[1] < losses[0]
    assert losses[1] < losses[2]


def test_levels_that_do_not_rise_and_unknown_kinds_are_refused():
    with pytest.raises(ConfigurationError, match="must rise"):
        Head.of_quantiles([0.5, 0.1])
    with pytest.raises(ConfigurationError, match="inside"):
        Head.of_quantiles([0.5, 1.0])
    with pytest.raises(ConfigurationError, match="unknown kind"):
        Head(("variance",))
