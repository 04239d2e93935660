"""Shape of the network for any panel."""

from __future__ import annotations

import itertools
import math
from dataclasses import asdict, dataclass
from typing import Any

from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.network.records import BANDS


@dataclass(frozen=True)
class ZeroShotConfig:
    """Shape of the network; none of it depends on a panel."""

    width: int = 64
    heads: int = 4
    n_layers: int = 3
    patch_length: int = 8
    fine_patch_length: int = 4
    """Of short windows, which have few patches to learn from."""
    fine_up_to: int = 160
    """Longest window, in steps, that is cut into fine patches."""
    horizon: int = 64
    """Steps forecast at once; further ones by rolling."""
    quantiles: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    decays: tuple[float, ...] = (1.0, 0.97, 0.85, 0.5)
    """Of a key from patch to patch, by head."""
    structure: str = "lu"
    prior_rows: float = 0.0
    """Rows that the records of the simple forecasts are worth against what was learned beyond them.

    0 in the training. What is learned there holds for simulations; a real panel differs, and a
    short one says little of how. Weights between the first and the trained ones are more robust to
    such a shift (Wortsman et al. 2022, Robust fine-tuning of zero-shot models)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "quantiles", tuple(self.quantiles))
        object.__setattr__(self, "decays", tuple(self.decays))
        if min(self.width, self.heads) < 1 or self.width % self.heads:
            raise ConfigurationError(
                "the heads must divide the width", found=f"width {self.width}, {self.heads} heads"
            )
        if len(self.decays) != self.heads or not all(0 < decay <= 1 for decay in self.decays):
            raise ConfigurationError(
                "each head has a decay", found=self.decays, wanted=f"{self.heads} in (0, 1]"
            )
        levels = self.quantiles
        is_rising = all(low < high for low, high in itertools.pairwise((0.0, *levels, 1.0)))
        if self.horizon != BANDS[-1][1] or 0.5 not in levels or not is_rising:
            raise ConfigurationError(
                "the horizon ends with the last band of the records, and the levels rise inside "
                "(0, 1) through the median",
                found=f"{self.horizon} steps, levels {levels}",
            )
        lengths = (self.n_layers, self.patch_length, self.fine_patch_length)
        if min(lengths) < 1 or max(lengths) > self.horizon or not 0 <= self.prior_rows < math.inf:
            raise ConfigurationError(
                "layers and patches are counted from 1 to the horizon, prior rows from 0",
                found=f"layers and patches {lengths}, {self.prior_rows} prior rows",
            )

    @property
    def head_width(self) -> int:
        """Width of a head (d)."""
        return self.width // self.heads

    def patch_length_of(self, n_steps: int) -> int:
        """Return the length of the patches of a window."""
        return self.fine_patch_length if n_steps <= self.fine_up_to else self.patch_length

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return asdict(self)
