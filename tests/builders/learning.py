"""What the tests of the learning share: two sines, their windows, a small network."""

from __future__ import annotations

import torch

from samovar_forecast.config import NetworkConfig
from samovar_forecast.learning.windows import SeriesTensors, WindowSet
from samovar_forecast.network import SAMoVARNetwork


def sines(n_time: int = 160, noise: float = 0.1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    angle = torch.arange(n_time)[:, None] * torch.tensor([0.3, 0.5]) + torch.tensor([0.0, 1.0])
    return torch.sin(angle) + noise * torch.randn(n_time, 2, generator=generator)


def window_sets(values: torch.Tensor | None = None) -> tuple[WindowSet, WindowSet]:
    windows = WindowSet.from_series([SeriesTensors(sines() if values is None else values)], 16, 4)
    train, validation = windows.split_in_time(0.2)
    assert validation is not None
    return train, validation


def network(seed: int = 0, **fields: object) -> SAMoVARNetwork:
    settings = {"d_model": 16, "n_heads": 2, "n_layers": 2, **fields}
    config = NetworkConfig(n_series=2, patch_length=4, context_length=16, **settings)
    return SAMoVARNetwork(config, torch.Generator().manual_seed(seed))
