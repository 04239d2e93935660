"""What is handed to a network on a history: windows as arrays, and the units that they are in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from samovar_forecast.config import NetworkConfig
from samovar_forecast.frames.scaler import Scaler


class Windows(NamedTuple):
    """Arguments of a forecaster as arrays; B windows, L context, s patch length."""

    target: np.ndarray
    """(B, L, C)"""
    past_covariates: np.ndarray | None = None
    """(B, L, P)"""
    future_covariates: np.ndarray | None = None
    """(B, L + s, F)"""
    static_covariates: np.ndarray | None = None
    """(B, C, S)"""
    n_known: np.ndarray | None = None
    """(B,) rows of the history up to the end of a window; None where all of it is known"""

    @property
    def tables(self) -> tuple[np.ndarray | None, ...]:
        """What a network reads."""
        return self[:4]

    def part(self, start: int, stop: int) -> Windows:
        """Return some of the windows."""
        others = (None if table is None else table[start:stop] for table in self[1:])
        return Windows(self.target[start:stop], *others)


class Units(NamedTuple):
    """How the network's numbers become data: ``value * scale + location``, column by column."""

    channels: Scaler
    """(P + C,), past covariates first; no scale is 0"""
    future: Scaler
    """(F,)"""

    @classmethod
    def plain(cls, config: NetworkConfig) -> Units:
        """Return the units of data that is given to the network as it is."""
        sizes = (config.n_channels, config.n_future_covariates)
        return cls(*(Scaler(np.zeros(size), np.ones(size)) for size in sizes))

    def series(self, n_series: int) -> Scaler:
        """Return the units of the series alone."""
        return Scaler(self.channels.location[-n_series:], self.channels.scale[-n_series:])


def joined(parts: Sequence[Windows]) -> Windows:
    """Return several groups of windows as a single group."""
    if len(parts) == 1:
        return parts[0]
    tables = [[table for table in some if table is not None] for some in zip(*parts, strict=True)]
    target, *others = (np.concatenate(some) if some else None for some in tables)
    assert target is not None
    return Windows(target, *others)
