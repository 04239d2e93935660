"""The pretrained network as a member of a forecast: which windows are read for which origins.

Letters: n rows of an instance, B origins, s steps ahead, C series, K numbers per step and series.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from samovar_forecast.learning.members import put_back, take_off
from samovar_forecast.learning.scaled_rows import ScaledRows
from samovar_forecast.linear.covariates import CovariateEffect
from samovar_forecast.linear.sharing import shared
from samovar_forecast.network.heads import Head
from samovar_forecast.network.pretrained import load_pretrained
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_config import ZeroShotConfig

PRETRAINED_READS = 2048
"""Rows before an origin that the pretrained network reads at most; at least half of them, where
there are so many, when many origins are asked for."""

PRETRAINED_NEEDS = 8
"""Rows from which on the pretrained network forecasts the past."""

NUMBERS_AT_ONCE = 2**16
"""Numbers in the windows that the pretrained network is given together."""


@dataclass(frozen=True)
class PretrainedMember:
    """The pretrained network, which has learned from no row of the panel.

    Parameters
    ----------
    network : ZeroShotNetwork
    season : int
        Steps after which a pattern is likely to repeat; 1 for none.
    effect : CovariateEffect, optional
    """

    network: ZeroShotNetwork
    season: int
    effect: CovariateEffect | None = None

    name: ClassVar[str] = "pretrained"
    n_rows: ClassVar[int] = PRETRAINED_READS
    n_needed: ClassVar[int] = PRETRAINED_NEEDS

    @classmethod
    def load(cls, season: int, effect: CovariateEffect | None) -> PretrainedMember:
        """Return the network whose weights came with the package."""
        return cls(_shipped_network(), season, effect)

    @property
    def head(self) -> Head:
        """Quantiles."""
        return Head.of_quantiles(self.network.config.quantiles)

    @property
    def n_steps_at_once(self) -> int:
        """Steps that are forecast at once."""
        return self.network.config.horizon

    def forecast(
        self, instances: Sequence[ScaledRows], origins: Sequence[np.ndarray], n_steps: int
    ) -> list[np.ndarray]:
        """Forecast as :class:`~samovar_forecast.learning.members.Member` says.

        Origins that lie whole patches apart are read from one window, for the network forecasts
        from the end of every patch. Only the length of the patches, and what is found in prefixes
        of the window, may then be others than in a window that ends at the origin: seasons, and
        how more than eight series hang together.
        """
        n_levels = self.head.n_params
        values = [take_off(self.effect, rows) for rows in instances]
        answers = [
            np.empty((len(own), n_steps, rows.shape[1], n_levels))
            for own, rows in zip(origins, values, strict=True)
        ]
        windows = [
            window
            for number, own in enumerate(origins)
            for window in self._cut(number, own, is_shared=n_steps <= self.n_steps_at_once)
        ]
        for batch in _batches(windows, self.network.config, values[0].shape[1]):
            quantiles = self._read(batch, instances, values, n_steps)  # B P s C Q
            for window, numbers in zip(batch, quantiles, strict=True):
                answers[window.instance][window.places] = numbers[-1 - window.patches_back]
        if self.effect is not None:
            for answer, rows, own in zip(answers, instances, origins, strict=True):
                for level in range(n_levels):
                    answer[..., level] = put_back(self.effect, rows, own, answer[..., level])
        return answers

    def _cut(self, number: int, origins: np.ndarray, *, is_shared: bool) -> Iterator[_Window]:
        """Yield windows of an instance from whose patches all of its origins can be read."""
        patch = self.network.config.patch_length
        half = PRETRAINED_READS // 2
        keys = (
            np.stack([-(-origins // half), origins % patch], 1) if is_shared else origins[:, None]
        )
        _, groups = np.unique(keys, axis=0, return_inverse=True)
        for group in range(groups.max(initial=-1) + 1):
            places = np.flatnonzero(groups.ravel() == group)
            end = int(origins[places].max())
            start = max(0, end - PRETRAINED_READS)
            back = (end - origins[places]) // self.network.config.patch_length_of(end - start)
            yield _Window(number, start, end, places, back)

    def _read(
        self,
        batch: Sequence[_Window],
        instances: Sequence[ScaledRows],
        values: Sequence[np.ndarray],
        n_steps: int,
    ) -> np.ndarray:
        """Return the quantiles from the last patches of each window, (B, P, s, C, Q)."""
        length = max(len(window) for window in batch)
        target = np.stack([window.of(values[window.instance], length) for window in batch])
        known = [instances[window.instance].past_covariates for window in batch]
        parts = [
            window.of(rows, length)
            for window, rows in zip(batch, known, strict=True)
            if rows is not None
        ]
        past = np.stack(parts) if parts else None
        n_positions = 1 + max(int(window.patches_back.max()) for window in batch)
        return _quantiles_along(self.network, self.season, target, past, n_positions, n_steps)


@shared
def _shipped_network() -> ZeroShotNetwork:
    """Return the network that came with the package; who shares it can share its answers."""
    return load_pretrained().network


@shared
def _quantiles_along(
    network: ZeroShotNetwork,
    season: int,
    target: np.ndarray,
    past: np.ndarray | None,
    n_positions: int,
    n_steps: int,
) -> np.ndarray:
    """Return the quantiles from the last patches of windows (B, length, C), (B, P, s, C, Q)."""
    rows = torch.from_numpy(target)
    covariates = None if past is None else torch.from_numpy(past)
    if n_positions == 1:
        ahead = network.forecast(rows, n_steps, season, past_covariates=covariates)
        return ahead[:, None].numpy()
    along = network.forecast_along(rows, n_positions, n_steps, season, past_covariates=covariates)
    return along.numpy()


@dataclass(frozen=True)
class AdaptedMember(PretrainedMember):
    """The pretrained network after a training on rows of the panel.

    Parameters
    ----------
    network, season, effect
        As of :class:`PretrainedMember`.
    honest_from : tuple of float
        For each instance, the first row that the network has not learned from; infinite if it has
        learned from all of them.
    """

    honest_from: tuple[float, ...] = ()

    name: ClassVar[str] = "adapted"


@dataclass(frozen=True)
class _Window:
    """Rows of an instance that are read at once, and which of its origins are read from them."""

    instance: int
    start: int
    end: int
    places: np.ndarray
    patches_back: np.ndarray

    def __len__(self) -> int:
        return self.end - self.start

    def of(self, values: np.ndarray, length: int) -> np.ndarray:
        """Return the rows, filled up to a length with missing rows in front."""
        rows = np.full((length, values.shape[1]), np.nan)
        rows[length - len(self) :] = values[self.start : self.end]
        return rows


def _batches(
    windows: list[_Window], config: ZeroShotConfig, n_series: int
) -> Iterator[list[_Window]]:
    """Yield windows that are read together: of as many patches, for missing rows are no patches.

    The season that the network looks for depends on the length of the window that it is given.
    """
    alike: dict[tuple[int, int, bool], list[_Window]] = {}
    for window in windows:
        patch_length = config.patch_length_of(len(window))
        key = (-(-len(window) // patch_length), patch_length, len(window.places) > 1)
        alike.setdefault(key, []).append(window)
    for (n_patches, patch_length, _), group in alike.items():
        n_together = max(1, NUMBERS_AT_ONCE // max(1, n_patches * patch_length * n_series))
        yield from (group[at : at + n_together] for at in range(0, len(group), n_together))
