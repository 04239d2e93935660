"""Sample paths beyond the output chunk stay as wide, and as high, as the data bear out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

pytest.importorskip("darts", reason="darts is not installed")

from darts.utils import likelihood_models
from darts.utils.likelihood_models import QuantileRegression

from samovar_forecast.adapters.darts.sample_paths import held_moments
from samovar_forecast.network.parameter_kinds import WindowMoments
from tests.builders.darts import THIRD_PARTY, daily, tiny

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]


def most_slow(*laws: str) -> list:
    """The first law always, the others where there is time."""
    return [laws[0], *(pytest.param(law, marks=pytest.mark.slow) for law in laws[1:])]


LEARNS = {"n_epochs": 4, "optimizer_kwargs": {"lr": 3e-3}}


def far_paths(values: np.ndarray, likelihood, **options) -> np.ndarray:
    """Sample paths of 24 output chunks, (96, samples)."""
    model = tiny(likelihood=likelihood, input_chunk_length=24, **LEARNS, **options)
    return model.fit(daily(values[:, None])).predict(96, num_samples=100).all_values()[:, 0]


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("law", most_slow("Gumbel", "Gaussian", "Laplace", "Quantile"))
def test_noise_around_a_level_stays_as_wide_as_in_the_first_chunk(law, linear):
    if law == "Quantile":
        likelihood = QuantileRegression([0.05, 0.25, 0.5, 0.75, 0.95])
    else:
        likelihood = getattr(likelihood_models, f"{law}Likelihood")()
    paths = far_paths(np.random.default_rng(0).normal(5, 1, 300), likelihood, linear=linear)
    first, last = (np.abs(np.diff(part, axis=0)).mean() for part in (paths[:4], paths[-4:]))
    assert last < 1.5 * first  # the width of a chunk, given the samples before
    # The level of a network alone walks at random, so that it widens with the root of time.
    assert paths[-8:].std() < (2 if linear else 3.5) * paths[:4].std()
    assert np.abs(np.median(paths[-8:]) - 5) < (1 if linear else 3)


@pytest.mark.parametrize(
    "law", most_slow("NegativeBinomial", "Gamma", "Exponential", "LogNormal", "Poisson")
)
def test_positive_values_and_counts_do_not_multiply(law):
    random = np.random.default_rng(0)
    values = {
        "Gamma": lambda: random.gamma(3, 20, 300),
        "Exponential": lambda: random.exponential(30, 300),
        "LogNormal": lambda: random.lognormal(5, 0.3, 300),
        "Poisson": lambda: random.poisson(30, 300),
        "NegativeBinomial": lambda: random.negative_binomial(5, 0.2, 300),
    }[law]()
    paths = far_paths(values, getattr(likelihood_models, f"{law}Likelihood")())
    assert 0.4 < paths[-8:].mean() / values.mean() < 2.5
    assert paths[-8:].std() < 5 * paths[:4].std()


def moments(target: torch.Tensor) -> WindowMoments:
    location, scale = target.mean(1, keepdim=True), target.std(1, keepdim=True)
    return WindowMoments.of_windows(target, location, scale)


def test_the_first_chunk_has_the_moments_of_its_window_also_where_a_state_is_all_zero():
    target = torch.rand(2, 12, 3, generator=torch.Generator().manual_seed(0))
    window = moments(target)
    found, state = held_moments(window, target, 4, None, counts=True)
    assert all(torch.equal(*pair) for pair in zip(found, window, strict=True))
    empty = tuple(torch.zeros_like(part) for part in state)
    again, state_again = held_moments(window, target, 4, empty, counts=True)
    assert all(torch.equal(*pair) for pair in zip(again, window, strict=True))
    assert all(torch.equal(*pair) for pair in zip(state_again, state, strict=True))


def test_a_later_chunk_keeps_the_deviation_and_its_level_rises_as_the_window_rose():
    target = torch.tensor([1.0, 2.0, 3.0, 2.0])[None, :, None]  # by half a unit a step
    window = moments(target)
    _, state = held_moments(window, target, 3, None, counts=False)
    later = 10 * target  # what samples have become
    found, after = held_moments(moments(later), later, 3, state, counts=True)
    spread, ceiling, rise = after
    assert torch.equal(spread, window.spread)
    assert rise.item() == pytest.approx(1.5)
    assert ceiling.item() == pytest.approx(4.5)
    assert found.level.item() == found.location.item() == pytest.approx(ceiling.item())
    free, _ = held_moments(moments(later), later, 3, state, counts=False)
    assert free.location.item() == 20.0  # a location is free: a mean that moves is no width
