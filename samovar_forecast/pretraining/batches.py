"""Batches of simulated panels, by number: the same number gives the same batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from samovar_forecast.pretraining.draws import Draws, seed_of
from samovar_forecast.pretraining.world import FAMILIES, draw_panels

BATCHES_AT_ONCE = 8
"""Batches of one size that are simulated together, which is cheaper."""


@dataclass(frozen=True)
class Sizes:
    """Which panels are trained on: their sizes, and how often each is drawn."""

    contexts: tuple[int, ...] = (40, 64, 96, 160, 256, 512)
    context_weights: tuple[float, ...] = (0.1, 0.2, 0.2, 0.15, 0.25, 0.1)
    series: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 8)
    positions: int = 2560
    """Positions in a batch, about: windows times series times patches of context."""
    alone: float = 0.4
    """Share of the batches in which no series sees another."""
    without: tuple[str, ...] = ()
    """Families of the simulated world that are left out."""

    def __post_init__(self) -> None:
        if strangers := set(self.without) - set(FAMILIES):
            raise ConfigurationError(
                "a family is not one of the simulated world's",
                found=sorted(strangers),
                wanted=f"some of {list(FAMILIES)}",
            )
        if len(set(self.without)) == len(FAMILIES):
            raise ConfigurationError("no family of the simulated world is left to train on")


@dataclass(frozen=True)
class Batch:
    """Windows, what comes after them, and the season told."""

    values: Tensor
    """(B, L, C)"""
    future: Tensor
    """(B, H, C)"""
    season: Tensor
    """(B,)"""
    with_others: bool
    positions: Tensor
    """(P,) positions whose forecasts are trained."""


def batches(
    seed: int,
    start: int,
    network: ZeroShotConfig,
    device: torch.device,
    sizes: Sizes,
    process: int = 0,
) -> Iterator[Batch]:
    """Yield the batches from number ``start`` on, without end.

    Parameters
    ----------
    seed, start : int
    network : ZeroShotConfig
    device : torch.device
    sizes : Sizes
    process : int, default=0
        Each of the processes that train together draws its own.

    Yields
    ------
    Batch
    """
    pool, skip = divmod(start, BATCHES_AT_ONCE)
    while True:
        draws = Draws(seed_of("batches", seed, process, pool), device)
        context = int(draws.one_of(list(sizes.contexts), list(sizes.context_weights), 1))
        n_series = sizes.series[int(draws.integers(0, len(sizes.series) - 1, 1))]
        patch_length = network.patch_length_of(context)
        n = max(2, sizes.positions * patch_length // (context * n_series))
        panels = draw_panels(
            draws, n * BATCHES_AT_ONCE, context + network.horizon, n_series, sizes.without
        )
        for number in range(BATCHES_AT_ONCE):
            with_others = bool(draws.chance(1 - sizes.alone, 1))
            n_positions = -(-context // patch_length)
            order = torch.rand(n_positions, generator=draws.generator, device=device).argsort()
            rows = slice(number * n, (number + 1) * n)
            if number < skip:
                continue
            yield Batch(
                panels.values[rows, :context],
                panels.values[rows, context:],
                panels.season[rows],
                with_others,
                order[: n_positions // 2].sort().values,
            )
        pool, skip = pool + 1, 0
