"""Small networks with generic weights, windows for them, and the variants of the mixture."""

from __future__ import annotations

import torch

from samovar_forecast.config import NetworkConfig
from samovar_forecast.network import SAMoVARNetwork

VARIANTS = (
    {"structure": "none"},
    {"qv_norm": False},
    {"structure": "none", "qv_norm": False},
    {"structure": "none", "predictor": "fixedvar"},
    {"attention_scale": "root"},
    {"attention_scale": "mean"},
)


def random_network(generic: bool = True, **fields: object) -> SAMoVARNetwork:
    """Return a small float64 network whose weights are generic, so that every part matters."""
    settings = {"n_series": 3, "patch_length": 4, "context_length": 20, "d_model": 16,
                "n_heads": 2, "dropout": 0.0, **fields}  # fmt: skip
    network = SAMoVARNetwork(NetworkConfig(**settings), torch.Generator().manual_seed(0)).double()
    if generic:
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in network.parameters():
                noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
                parameter.add_(0.2 * noise)
    return network.eval()


def windows(
    n_windows: int = 2, length: int = 20, n_channels: int = 3, seed: int = 2
) -> torch.Tensor:
    """Return random walks of shape (n_windows, length, n_channels)."""
    generator = torch.Generator().manual_seed(seed)
    steps = torch.randn(n_windows, length, n_channels, generator=generator, dtype=torch.float64)
    return steps.cumsum(1)


def with_gaps(window: torch.Tensor) -> torch.Tensor:
    """Return the same windows, with single values, a whole patch and a whole series missing."""
    gaps = window.clone()
    gaps[0, 5, 0] = torch.nan
    gaps[0, 12:16, 1] = torch.nan
    gaps[1, :, 2] = torch.nan
    gaps[1, -4:, 0] = torch.nan
    return gaps
