"""Heads: parameters in the units of the data, quantiles in order, and their losses."""

from __future__ import annotations

import json
import math

import pytest
import torch

from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.network.heads import HEADS, Head, ParameterHead, PointHead
from samovar_forecast.network.normalization import make_normalizer
from samovar_forecast.network.parameter_kinds import WindowMoments


def moments_of(target: torch.Tensor) -> WindowMoments:
    return WindowMoments.of_windows(target, *make_normalizer("window", 4).moments(target))


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
    assert math.isfinite(Head.gaussian().errors(parameters, target[:, :2]).mean())
    assert (parameters[..., 1] > 0).all()
    assert (Head.of_quantiles([0.1, 0.5, 0.9])(torch.zeros(1, 2, 1, 3), window).diff() > 0).all()


def test_the_pinball_loss_is_least_at_the_quantile():
    actual = windows()[:1, :, :1].expand(1, 12, 1)
    head = Head.of_quantiles([0.3])
    best = actual.quantile(0.3)
    losses = [
        head.errors(torch.full((1, 12, 1, 1), float(best) + shift).double(), actual).mean()
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
        ParameterHead(("variance",))


WITH_A_LAW = (Head.point(), Head.gaussian(), Head.of_quantiles([0.1, 0.25, 0.5, 0.9]))
NAMES = [head.name for head in WITH_A_LAW]


@pytest.mark.parametrize("head", WITH_A_LAW, ids=NAMES)
def test_every_number_of_a_head_with_a_loss_is_trained(head):
    raw = numbers(head.n_params).requires_grad_()
    head.errors(head(raw, moments_of(windows())), windows()[:, :7]).sum().backward()
    assert (raw.grad.abs().amax((0, 1, 2)) > 0).all()


def test_numbers_of_a_host_are_no_loss_and_no_score_of_ours():
    """They were trained by the squared error of the first number alone."""
    head = ParameterHead(("count", "positive"))
    parameters, actual = torch.ones(2, 4, 3, 2), torch.ones(2, 4, 3)
    with pytest.raises(ConfigurationError, match=r"no loss.*count.*point.*gaussian.*quantiles"):
        head.errors(parameters, actual)
    with pytest.raises(ConfigurationError, match="no score"):
        head.scores(actual, parameters)
    with pytest.raises(ConfigurationError, match="no score"):
        head.values(actual, parameters)


@pytest.mark.parametrize("head", WITH_A_LAW, ids=NAMES)
def test_values_undo_scores_and_rise_with_them(head):
    parameters = head(numbers(head.n_params), moments_of(windows(level=10, unit=2)))
    actual = windows(level=10, unit=6)[:, :7]
    scores = head.scores(actual, parameters)
    torch.testing.assert_close(head.values(scores, parameters), actual)
    assert (head.scores(actual + 0.1, parameters) > scores).all()
    assert head.scores(torch.full_like(actual, torch.nan), parameters).isnan().all()


@pytest.mark.parametrize("head", [*WITH_A_LAW, ParameterHead(("count", "positive"))])
def test_a_head_survives_json(head):
    assert Head.from_dict(json.loads(json.dumps(head.to_dict()))) == head
    assert set(HEADS) == {"point", "gaussian", "quantiles", "parameters"}


def test_a_head_that_nobody_knows_is_refused_with_the_names_of_all_heads():
    with pytest.raises(ConfigurationError, match=r"'laplace'.*'point', 'gaussian', 'quantiles'"):
        Head.from_dict({"name": "laplace"})
    with pytest.raises(ConfigurationError, match="None"):
        Head.from_dict({})
    assert Head.from_dict({"name": "point"}) == PointHead()
