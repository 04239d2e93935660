"""The members of a forecast: each forecasts from any row of any instance, in scaled units.

A member holds what it has learned and no data. Covariates that are known ahead reach the linear
and the pretrained member by a linear effect, which is taken off the series before they are asked
and added to what they forecast.

Letters: n rows of an instance, B origins, s steps ahead, C series, K numbers per step and series.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view

from samovar_forecast.learning.answers import cut_window, roll_windows
from samovar_forecast.learning.scaled_rows import ScaledRows
from samovar_forecast.learning.trained_network import TrainedNetwork
from samovar_forecast.linear.average import LONGEST_LAG, estimate_each
from samovar_forecast.linear.covariates import CovariateEffect, confirmed_effect
from samovar_forecast.linear.forecast import WINDOWS_AT_ONCE, LinearForecast
from samovar_forecast.linear.held_out import Trial
from samovar_forecast.linear.linear_map import LinearMap, without_gaps
from samovar_forecast.linear.smoothing import filled
from samovar_forecast.network.heads import Head
from samovar_forecast.network.pretrained import load_pretrained
from samovar_forecast.network.zero_shot import ZeroShotConfig, ZeroShotNetwork

PRETRAINED_READS = 2048
"""Rows before an origin that the pretrained network reads at most; at least half of them, where
there are so many, when many origins are asked for."""

PRETRAINED_NEEDS = 8
"""Rows from which on the pretrained network forecasts the past."""

NUMBERS_AT_ONCE = 2**16
"""Numbers in the windows that the pretrained network is given together."""


class Member(Protocol):
    """A forecast that stands in the average."""

    name: ClassVar[str]

    @property
    def head(self) -> Head:
        """What the K numbers per step and series are."""

    @property
    def n_rows(self) -> int:
        """Rows before an origin that are read at most."""

    @property
    def n_needed(self) -> int:
        """Rows that have to lie before an origin in the past."""

    def forecast(
        self, instances: Sequence[ScaledRows], origins: Sequence[np.ndarray], n_steps: int
    ) -> list[np.ndarray]:
        """Forecast the next steps from origins of each instance.

        Parameters
        ----------
        instances : sequence of ScaledRows
            All instances, in the order of the fit.
        origins : sequence of int arrays of shape (B,)
            For each instance, the numbers of rows that are known; no later row is read, but for
            covariates that are known ahead.
        n_steps : int
            Any number; the member rolls itself out beyond its own.

        Returns
        -------
        list of arrays of shape (B, n_steps, C, K)
        """


@dataclass(frozen=True)
class LinearMember:
    """The linear forecast of each instance, estimated in closed form on its own rows.

    Parameters
    ----------
    forecasts : tuple of LinearForecast
        In the order of the instances; the effect of covariates is that of all instances.
    """

    forecasts: tuple[LinearForecast, ...]

    name: ClassVar[str] = "linear"
    n_needed: ClassVar[int] = 1

    @classmethod
    def estimate(
        cls,
        instances: Sequence[ScaledRows],
        n_steps: int,
        season: int,
        effect: CovariateEffect | None,
    ) -> tuple[LinearMember, list[Trial | None]]:
        """Estimate the maps of each instance, and return their forecasts from earlier origins.

        Raises
        ------
        DataError
            If a series has no value at all.
        """
        values = [take_off(effect, rows) for rows in instances]
        fits = iter(estimate_each([own for own in values if len(own) > 1], n_steps, season))
        found: list[LinearForecast] = []
        trials: list[Trial | None] = []
        for own in values:
            if len(own) > 1:
                fit = next(fits)
                found.append(LinearForecast(fit.map, fit.weights, effect, fit.direct))
                trials.append(fit.trial)
            else:  # of a single row, the last value is all that is known
                last = LinearMap.of(own=np.ones((n_steps, own.shape[1], 1)))
                weights = {"last": np.ones((n_steps, own.shape[1]))}
                found.append(LinearForecast(last, weights, effect))
                trials.append(None)
        return cls(tuple(found)), trials

    @property
    def head(self) -> Head:
        """A point."""
        return Head.point()

    @property
    def n_rows(self) -> int:
        """The longest lag of any instance."""
        return max(1, *(forecast.map.n_lags for forecast in self.forecasts))

    def forecast(
        self, instances: Sequence[ScaledRows], origins: Sequence[np.ndarray], n_steps: int
    ) -> list[np.ndarray]:
        """Forecast as :class:`Member` says; before the first row its value stands in."""
        return [
            self._forecast_one(forecast, rows, own, n_steps)[..., None]
            for forecast, rows, own in zip(self.forecasts, instances, origins, strict=True)
        ]

    @staticmethod
    def _forecast_one(
        linear: LinearForecast, rows: ScaledRows, origins: np.ndarray, n_steps: int
    ) -> np.ndarray:
        values, length = take_off(linear.effect, rows), max(1, linear.map.n_lags)
        ahead = np.empty((len(origins), n_steps, values.shape[1]))
        places = np.array_split(np.arange(len(origins)), 1 + len(origins) // WINDOWS_AT_ONCE)
        for some in places:
            path = _windows_before(values, origins[some], length)  # B length C
            while path.shape[1] < length + n_steps:
                path = np.concatenate([path, linear.map(path[:, -length:])], axis=1)
            ahead[some] = path[:, length : length + n_steps]
        return put_back(linear.effect, rows, origins, ahead)


def _windows_before(values: np.ndarray, origins: np.ndarray, length: int) -> np.ndarray:
    """Return the last rows before each origin without gaps, (B, length, C).

    A gap is crossed by a straight line, and at the end of what is known the last value goes on.
    """
    if not np.isfinite(values[: origins.max(initial=0)]).all():
        known = [filled(without_gaps(values[:origin])) for origin in origins]
        return np.stack([_windows_before(rows, np.array([len(rows)]), length)[0] for rows in known])
    padded = np.concatenate([np.repeat(values[:1], length, axis=0), values])
    return sliding_window_view(padded, length, axis=0)[origins].swapaxes(1, 2)


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
        return cls(load_pretrained().network, season, effect)

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
        """Forecast as :class:`Member` says.

        Origins that lie whole patches apart are read from one window, for the network forecasts
        from the end of every patch; only the season found in the window, and the length of the
        patches, may then be others than in a window that ends at the origin.
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
        target = torch.stack([window.of(values[window.instance], length) for window in batch])
        known = [instances[window.instance].past_covariates for window in batch]
        parts = [
            window.of(rows, length)
            for window, rows in zip(batch, known, strict=True)
            if rows is not None
        ]
        past = torch.stack(parts) if parts else None
        n_positions = 1 + max(int(window.patches_back.max()) for window in batch)
        if n_positions == 1:
            ahead = self.network.forecast(target, n_steps, self.season, past_covariates=past)
            return ahead[:, None].numpy()
        return self.network.forecast_along(
            target, n_positions, n_steps, self.season, past_covariates=past
        ).numpy()


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

    def of(self, values: np.ndarray, length: int) -> torch.Tensor:
        """Return the rows, filled up to a length with missing rows in front."""
        rows = np.full((length, values.shape[1]), np.nan)
        rows[length - len(self) :] = values[self.start : self.end]
        return torch.from_numpy(rows)


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


@dataclass(frozen=True)
class TrainedMember:
    """A network that was trained for series of these columns.

    Parameters
    ----------
    trained : TrainedNetwork
    honest_from : tuple of float
        For each instance, the first row that the network has not learned from; infinite if it has
        learned from all of them.
    """

    trained: TrainedNetwork
    honest_from: tuple[float, ...]

    name: ClassVar[str] = "trained"

    @property
    def head(self) -> Head:
        """As it was trained."""
        return self.trained.head

    @property
    def n_rows(self) -> int:
        """Its context."""
        return self.trained.config.context_length

    @property
    def n_needed(self) -> int:
        """A full context."""
        return self.n_rows

    def forecast(
        self, instances: Sequence[ScaledRows], origins: Sequence[np.ndarray], n_steps: int
    ) -> list[np.ndarray]:
        """Forecast as :class:`Member` says; before the first row values are missing."""
        shape = self.trained.config
        n_ahead = math.ceil(n_steps / shape.patch_length) * shape.patch_length
        windows = []
        for rows, own in zip(instances, origins, strict=True):
            n_before = max(0, shape.context_length - int(own.min(initial=len(rows))))
            series = rows.tensors(len(rows) + n_before)
            windows += [cut_window(series, n_before + int(one), shape, n_ahead) for one in own]
        rolled = list(roll_windows(self.trained, windows, n_steps))
        empty = np.empty((0, n_steps, shape.n_series, self.head.n_params))
        ends = np.cumsum([len(own) for own in origins])
        return [
            np.stack(rolled[end - len(own) : end]) if len(own) else empty
            for own, end in zip(origins, ends, strict=True)
        ]


def effect_of_panel(
    instances: Sequence[ScaledRows], n_steps: int, season: int
) -> CovariateEffect | None:
    """Return the effect of covariates known ahead as far as the last third of the rows confirms it.

    The instances have one effect, in their scaled units. None without such covariates, or where
    nothing is confirmed.
    """
    if instances[0].future_covariates is None:
        return None
    rows = [instance.linear for instance in instances]
    n_lags = min(LONGEST_LAG, *(len(instance) for instance in instances))
    return confirmed_effect(rows, n_steps, n_lags, season)


def take_off(effect: CovariateEffect | None, rows: ScaledRows) -> np.ndarray:
    """Return the series without the effect, (n, C)."""
    return rows.target if effect is None else effect.taken_off(rows.linear)


def put_back(
    effect: CovariateEffect | None, rows: ScaledRows, origins: np.ndarray, ahead: np.ndarray
) -> np.ndarray:
    """Return forecasts (B, s, C) with the effect; where covariates end, their last row goes on."""
    if effect is None:
        return ahead
    assert rows.future_covariates is not None
    added = effect(rows.future_covariates)
    at = np.minimum(origins[:, None] + np.arange(ahead.shape[1]), len(added) - 1)
    return ahead + added[at]
