"""The pretrained network as a contestant: asked as it is, with nothing learned from the samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from benchmarks.samples import LEVELS, Forecast, Sample
from samovar_forecast import load_pretrained
from samovar_forecast.network.zero_shot import ZeroShotNetwork

AT_ONCE = 64
"""Samples of one shape that are forecast together, which is quicker and changes nothing."""
LONGEST = 2048


class ZeroShot:
    """The pretrained network; the last 2,048 rows of a sample are its context.

    Parameters
    ----------
    network : ZeroShotNetwork, optional
        Another network than that of the package.
    """

    together = True  # only to be handed many samples at once

    def __init__(self, network: ZeroShotNetwork | None = None) -> None:
        self.network = network

    def fit(self, samples: Sequence[Sample], horizon: int, season: int) -> None:
        self.network = self.network or load_pretrained().network
        self.horizon, self.season = horizon, season
        if self.network.config.quantiles != LEVELS:
            raise ValueError(f"the network gives the levels {self.network.config.quantiles}")

    def forecast(self, samples: Sequence[Sample], spread: bool = True) -> list[Forecast]:
        pasts = [sample.y.to_numpy(dtype=float)[-LONGEST:] for sample in samples]
        order = sorted(range(len(pasts)), key=lambda k: pasts[k].shape[::-1])
        found: dict[int, Forecast] = {}
        while order:
            n_series = pasts[order[0]].shape[1]
            some = [k for k in order[:AT_ONCE] if pasts[k].shape[1] == n_series]
            order = order[len(some) :]
            quantiles = self._forecast([pasts[k] for k in some])
            centre = LEVELS.index(0.5)
            for k, one in zip(some, quantiles, strict=True):
                found[k] = Forecast(one[..., centre], one if spread else None)
        return [found[k] for k in range(len(pasts))]

    def _forecast(self, pasts: list[np.ndarray]) -> np.ndarray:
        """Return quantiles (B, h, C, Q); what is not there in front is missing."""
        length = max(map(len, pasts))
        windows = np.full((len(pasts), length, pasts[0].shape[1]), np.nan)
        for window, past in zip(windows, pasts, strict=True):
            window[length - len(past) :] = past
        return self.network.forecast(torch.tensor(windows), self.horizon, self.season).numpy()
