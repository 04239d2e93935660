"""Normalisations: what their moments are, and that their slopes are the derivatives of them."""

from __future__ import annotations

import typing

import pytest
import torch

from samovar_forecast.config import Normalization
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.network.normalization import (
    NORMALIZATIONS,
    denormalize,
    make_normalizer,
    normalize,
)
from tests.builders.network import windows, with_gaps

NAMES = tuple(NORMALIZATIONS)


def test_every_normalization_of_the_configuration_is_known_and_no_other() -> None:
    assert set(NAMES) == set(typing.get_args(Normalization))
    with pytest.raises(ConfigurationError, match=r"'median'.*'last_patch', 'window', 'none'"):
        make_normalizer("median", 4)


@pytest.mark.parametrize(("name", "newest"), [("last_patch", 4), ("window", 20)])
def test_moments_are_a_mean_of_the_newest_values_and_the_deviation_of_all(name, newest) -> None:
    window = windows()
    location, scale = make_normalizer(name, 4).moments(window)
    torch.testing.assert_close(location, window[:, -newest:].mean(1, keepdim=True))
    torch.testing.assert_close(scale, window.std(1, keepdim=True), rtol=0, atol=2e-8)


def test_without_normalization_values_stay_as_they_are() -> None:
    window = windows()
    moments = make_normalizer("none", 4).moments(window)
    assert torch.equal(normalize(window, *moments), window)


def test_moments_are_those_of_the_observed_values() -> None:
    window = windows()
    gaps = with_gaps(window)
    observed = ~gaps.isnan()
    location, scale = make_normalizer("last_patch", 4).moments(gaps.nan_to_num(), observed)
    first = gaps[0, :, 0][observed[0, :, 0]]
    torch.testing.assert_close(scale[0, 0, 0], first.std(), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(location[0, 0, 0], window[0, -4:, 0].mean())
    # Nothing in the last patch: the level of the rest. Nothing at all: 0 and 1.
    torch.testing.assert_close(location[1, 0, 0], window[1, :-4, 0].mean())
    assert location[1, 0, 2] == 0
    assert scale[1, 0, 2] == 1


@pytest.mark.parametrize("name", NAMES)
def test_where_all_values_are_observed_the_moments_are_those_without_gaps(name: str) -> None:
    normalizer, window = make_normalizer(name, 4), windows()
    everywhere = torch.ones_like(window, dtype=torch.bool)
    plain, observed = normalizer.moments(window), normalizer.moments(window, everywhere)
    torch.testing.assert_close(observed, plain)
    torch.testing.assert_close(normalizer.slopes(window, everywhere), normalizer.slopes(window))


@pytest.mark.parametrize("has_gaps", [False, True])
@pytest.mark.parametrize("length", [1, 3, 20])
@pytest.mark.parametrize("name", NAMES)
def test_slopes_are_the_derivatives_of_the_moments(name: str, length: int, has_gaps: bool) -> None:
    window, observed = windows(length=length), None
    if has_gaps:
        gaps = with_gaps(windows())[:, -length:]
        window, observed = gaps.nan_to_num(), ~gaps.isnan()
        window[1, :, 0] += torch.arange(length)  # its gaps are filled with other numbers than 0
    window.requires_grad_()
    normalizer = make_normalizer(name, 4)
    slopes = normalizer.slopes(window.detach(), observed)
    for moment, slope in zip(normalizer.moments(window, observed), slopes, strict=True):
        # A channel's moments know its own values alone: a sum of all has the slopes of each.
        wanted = torch.zeros_like(window)
        if moment.requires_grad:
            (wanted,) = torch.autograd.grad(moment.sum(), window, retain_graph=True)
        # The square root has no derivative where a channel has one value or none.
        has_slope = ~wanted.isnan()
        torch.testing.assert_close(slope[has_slope], wanted[has_slope])
        assert torch.isfinite(slope).all()
        assert (slope[~has_slope] == 0).all()


def test_a_constant_window_has_scale_0_and_is_forecast_by_its_last_value() -> None:
    window = torch.full((1, 20, 1), 0.3)
    for name in ("last_patch", "window"):
        normalizer = make_normalizer(name, 4)
        location, scale = normalizer.moments(window)
        assert scale.item() == 0
        assert torch.equal(denormalize(torch.tensor(5.0), location, scale), window[:, -1:])
        assert normalize(window, location, scale).abs().max() == 0
        by_location, by_scale = normalizer.slopes(window)
        assert by_location.flatten().tolist() == [0.0] * 19 + [1.0]
        assert by_scale.abs().max() == 0


def test_denormalize_undoes_normalize() -> None:
    window = windows()
    moments = make_normalizer("window", 4).moments(window)
    torch.testing.assert_close(denormalize(normalize(window, *moments), *moments), window)
