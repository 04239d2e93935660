"""Random numbers for the simulated world: one seeded source, on any device."""

from __future__ import annotations

import hashlib
import math

import torch
from torch import Tensor


def seed_of(purpose: str, *numbers: int) -> int:
    """Return the seed of what is drawn for a purpose; any other purpose or number has another.

    Sums of numbers that are far apart would not do: on the CPU torch looks at the lower half of a
    seed, where ``2**40`` is ``0``.

    Parameters
    ----------
    purpose : str
    *numbers : int

    Returns
    -------
    int
    """
    key = " ".join([purpose, *map(str, numbers)])
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little") >> 1


class Draws:
    """Source of random tensors.

    Parameters
    ----------
    seed : int
    device : str or torch.device, default="cpu"
    """

    def __init__(self, seed: int, device: str | torch.device = "cpu") -> None:
        self.device = torch.device(device)
        self.generator = torch.Generator(self.device).manual_seed(seed)

    def normal(self, *shape: int) -> Tensor:
        """Return standard normal numbers."""
        return torch.randn(*shape, generator=self.generator, device=self.device)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Return numbers from U(low, high)."""
        unit = torch.rand(*shape, generator=self.generator, device=self.device)
        return low + (high - low) * unit

    def log_uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Return numbers whose logarithm is uniform between those of low and high."""
        return self.uniform(math.log(low), math.log(high), *shape).exp()

    def chance(self, probability: float | Tensor, *shape: int) -> Tensor:
        """Return 1 with a probability, else 0."""
        return (self.uniform(0.0, 1.0, *shape) < probability).float()

    def integers(self, low: int, high: int, *shape: int) -> Tensor:
        """Return integers from low to high, both possible."""
        return torch.randint(low, high + 1, shape, generator=self.generator, device=self.device)

    def one_of(self, values: list[int], weights: list[float], n: int) -> Tensor:
        """Return ``n`` of the values, drawn by weight."""
        weight = torch.tensor(weights, device=self.device)
        index = torch.multinomial(weight, n, replacement=True, generator=self.generator)
        return torch.tensor(values, device=self.device)[index]

    def gamma(self, shape: Tensor) -> Tensor:
        """Return numbers from Gamma(shape, 1)."""
        return torch._standard_gamma(shape, generator=self.generator)

    def poisson(self, rate: Tensor) -> Tensor:
        """Return counts from Poisson(rate)."""
        return torch.poisson(rate, generator=self.generator)


def standardize(series: Tensor) -> Tensor:
    """Return series (B, L, C) with mean 0 and deviation 1 over time; constant ones stay 0."""
    centred = series - series.mean(1, keepdim=True)
    deviation = centred.square().mean(1, keepdim=True).sqrt()
    return torch.where(deviation > 1e-6, centred / deviation.clamp(min=1e-6), 0.0)


def smooth_curves(draws: Draws, n: int, length: int, n_series: int, n_waves: int = 16) -> Tensor:
    """Return smooth random curves of many length scales, deviation about 1; (n, L, C).

    Sums of random cosines: draws of stationary Gaussian processes whose kernel is the Fourier
    transform of the law of the frequencies (Rahimi and Recht 2007, NeurIPS): squared-exponential,
    or with heavy-tailed frequencies of the Matern kind.
    """
    scale = draws.log_uniform(3.0, 1.5 * length, n, 1, n_series)
    frequency = draws.normal(n, n_waves, n_series).abs() / scale
    rough = draws.chance(0.4, n, 1, n_series)
    frequency = frequency / (1 - rough + rough * draws.normal(n, n_waves, n_series).abs() + 0.05)
    phase = draws.uniform(0.0, 2 * math.pi, n, n_waves, n_series)
    time = torch.arange(length, device=draws.device, dtype=phase.dtype)
    curves = torch.zeros(n, length, n_series, device=draws.device)
    for wave in range(n_waves):
        curves += torch.cos(time[:, None] * frequency[:, wave, None] + phase[:, wave, None])
    return curves * math.sqrt(2 / n_waves)


def filtered(series: Tensor, kernel: Tensor) -> Tensor:
    """Return the causal convolution of (B, L, C) with a kernel (B, K) or (B, K, C)."""
    kernel = kernel[..., None] if kernel.dim() == 2 else kernel
    length = series.shape[1] + kernel.shape[1]
    product = torch.fft.rfft(series, length, dim=1) * torch.fft.rfft(kernel, length, dim=1)
    return torch.fft.irfft(product, length, dim=1)[:, : series.shape[1]]
