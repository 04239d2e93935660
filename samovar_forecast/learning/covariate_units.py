"""The units of covariates that never move in an instance: those which the panel shows.

The scale of an instance's own rows says nothing of such a covariate: a deviation would count as if
one unit of the user were one standard deviation.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np

from samovar_forecast.frames.panel import Instance
from samovar_forecast.frames.scaler import InstanceScaler, Scaler
from samovar_forecast.learning.members import take_off
from samovar_forecast.learning.scaled_rows import ScaledRows
from samovar_forecast.linear.covariates import CovariateEffect


def scale_panel(instances: Sequence[Instance]) -> dict[Hashable, InstanceScaler]:
    """Take the scalers of all instances of a panel, by key.

    A covariate that never moves in an instance has the median scale of the instances in which it
    moves. A covariate that moves in no instance has scale 0.
    """
    scalers = [InstanceScaler.of(instance) for instance in instances]
    past = _shared([one.past_covariates for one in scalers])
    future = _shared([one.future_covariates for one in scalers])
    return {
        instance.key: InstanceScaler(scaler.target, own_past, own_future)
        for instance, scaler, own_past, own_future in zip(
            instances, scalers, past, future, strict=True
        )
    }


def fit_units(
    scalers: dict[Hashable, InstanceScaler],
    instances: Sequence[Instance],
    rows: Sequence[ScaledRows],
    effect: CovariateEffect | None,
) -> dict[Hashable, InstanceScaler]:
    """Return scalers in which the effect of a covariate that never moved is that of the panel.

    The effect is in standard deviations of a series, and those of an instance in which the
    covariate moves hold the effect itself. So where it never moved, two units are considered: the
    unit in which the effect is as large beside the rest of the series as elsewhere, and the unit in
    which the effect is as large in the units of the user as elsewhere. The larger unit is taken,
    that is, the smaller effect: the instances may differ much in level or in noise. Of several
    series the largest unit counts.

    Parameters
    ----------
    scalers : dict of hashable to InstanceScaler
        Of :func:`scale_panel`.
    instances : sequence of Instance
    rows : sequence of ScaledRows
        The instances in the units of the scalers; those of a covariate that never moved are 0,
        whatever its unit.
    effect : CovariateEffect or None

    Returns
    -------
    dict of hashable to InstanceScaler
    """
    moving = np.array([Scaler.of(one.future_covariates).scale > 0 for one in instances])  # I F
    if effect is None or moving.all():
        return scalers
    rest = np.array([_rest(take_off(effect, own)) for own in rows])  # I C
    spread = np.array([scalers[one.key].target.scale for one in instances])  # I C
    unit = np.array([scalers[one.key].future_covariates.scale for one in instances])  # I F
    has_rest = np.isfinite(rest) & (rest > 0) & (spread > 0)
    reacts = np.asarray(effect.weights.any(axis=2))  # C F
    for number, covariate in zip(*np.nonzero(~moving), strict=True):
        candidates = []
        for series in np.flatnonzero(reacts[:, covariate] & has_rest[number]):
            shown = moving[:, covariate] & has_rest[:, series]
            if shown.any():
                known = unit[shown, covariate]
                beside = known * rest[shown, series] / rest[number, series]
                alike = known * spread[number, series] / spread[shown, series]
                candidates.append(max(np.median(beside), np.median(alike)))
        if candidates:
            unit[number, covariate] = max(candidates)
    return {
        one.key: scalers[one.key]._replace(
            future_covariates=replace(scalers[one.key].future_covariates, scale=own)
        )
        for one, own in zip(instances, unit, strict=True)
    }


def _shared(scalers: list[Scaler]) -> list[Scaler]:
    """Return the scalers of one role; a column that never moves has the scale that others show."""
    scale = np.array([one.scale for one in scalers])  # I K
    moving = scale > 0
    for column in np.flatnonzero(~moving.all(axis=0) & moving.any(axis=0)):
        shown = moving[:, column]
        scale[~shown, column] = np.median(scale[shown, column])
    return [replace(one, scale=own) for one, own in zip(scalers, scale, strict=True)]


def _rest(values: np.ndarray) -> np.ndarray:
    """Return the deviation of the changes of each series, (C,); NaN for fewer than two changes."""
    changes = np.diff(values, axis=0)
    is_there = np.isfinite(changes)
    count = is_there.sum(axis=0)
    total = np.square(np.where(is_there, changes, 0.0)).sum(axis=0)
    return np.where(count > 1, np.sqrt(total / np.maximum(count, 1)), np.nan)
