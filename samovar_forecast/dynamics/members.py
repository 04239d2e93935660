"""The members of a forecast as a single map: linear forecasts, a pretrained and a trained network.

Letters: s steps ahead, C series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from samovar_forecast.dynamics.average_map import AverageMap
from samovar_forecast.dynamics.forecast_map import ForecastMap, Shape
from samovar_forecast.dynamics.linear_forecast_map import LinearForecastMap
from samovar_forecast.dynamics.network_map import NetworkMap
from samovar_forecast.dynamics.zero_shot_map import ZeroShotMap
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.linear.covariates import CovariateEffect
from samovar_forecast.linear.forecast import LinearForecast

if TYPE_CHECKING:
    from samovar_forecast.network import SAMoVARNetwork
    from samovar_forecast.network.zero_shot import ZeroShotNetwork

Member: TypeAlias = (
    "LinearForecast | tuple[ZeroShotNetwork, int] "
    "| tuple[ZeroShotNetwork, int, CovariateEffect | None] | SAMoVARNetwork"
)

LONGEST_CONTEXT = 2048
"""Rows before an origin that are read at most, if nothing else is said."""

ROUNDING = 1e-6
"""How far the sum of the shares may be from 1."""


def average_of(
    members: Mapping[str, Member],
    shares: Mapping[str, np.ndarray],
    n_rows: int,
    n_columns: Sequence[int],
    *,
    context_length: int | None = None,
    parameter: int = 0,
) -> AverageMap:
    """Return the map of a weighted average; see ``DynamicVAR.from_members``.

    A member without any share is not asked; a pretrained network is kept beside, for tests.

    Parameters
    ----------
    members : mapping of str to Member
    shares : mapping of str to array of shape (s, C)
    n_rows : int
        Of the history.
    n_columns : sequence of four int
        Series, past, future and static covariates.
    context_length : int, optional
    parameter : int, default=0
        Which of the numbers of a trained network is the forecast.

    Raises
    ------
    ConfigurationError
        If members and shares do not fit each other or the series.
    """
    n_series, n_past, n_future, n_static = n_columns
    checked = _check_shares(members, shares, n_series)
    silent = {name: members[name] for name, share in checked.items() if not share.any()}
    members = {name: members[name] for name, share in checked.items() if share.any()}
    n_steps = min(map(_steps_of, members.values()))
    step = np.minimum(np.arange(n_steps), len(next(iter(checked.values()))) - 1)
    trained = {
        name: NetworkMap(member, parameter)
        for name, member in members.items()
        if not isinstance(member, (LinearForecast, tuple))
    }
    lengths = [part.config.context_length for part in trained.values()]
    lengths += [_n_lags(one) for one in members.values() if isinstance(one, LinearForecast)]
    if context_length is None and any(isinstance(one, tuple) for one in members.values()):
        context_length = min(n_rows, LONGEST_CONTEXT)
    shape = Shape(
        max(lengths + ([] if context_length is None else [context_length])),
        # A trained network reads future covariates along its whole patch.
        max([n_steps, *(part.n_steps for part in trained.values() if n_future)]),
        n_series,
        n_past,
        n_future,
        n_static,
        all(part.config.missing_values for part in trained.values()),
    )
    own = replace(shape, patch_length=n_steps)
    parts: dict[str, ForecastMap] = {}
    for name, member in members.items():
        if isinstance(member, LinearForecast):
            parts[name] = LinearForecastMap(member, own, n_steps)
        elif isinstance(member, tuple):
            network, season, *effect = member
            parts[name] = ZeroShotMap(network, season, own, n_steps, *effect)
        else:
            parts[name] = trained[name]
    beside: dict[str, ForecastMap] = {}
    for name, member in silent.items():
        if isinstance(member, tuple):
            network, season, *effect = member
            n_own = min(n_steps, network.config.horizon)
            beside[name] = ZeroShotMap(network, season, own, n_own, *effect)
    checked = {name: share[step] for name, share in checked.items()}
    return AverageMap(parts, checked, shape, beside)


def _check_shares(
    members: Mapping[str, Member], shares: Mapping[str, np.ndarray], n_series: int
) -> dict[str, np.ndarray]:
    """Return the shares as arrays of a shape, or say what is wrong."""
    if members.keys() != shares.keys() or not members:
        raise ConfigurationError(
            "every member wants its share, and every share its member",
            found=f"members {list(members)}, shares {list(shares)}",
        )
    checked = {name: np.asarray(shares[name], dtype=float) for name in members}
    shapes = {share.shape for share in checked.values()}
    if len(shapes) > 1 or any(len(one) != 2 or one[1] != n_series for one in shapes):
        raise ConfigurationError(
            "shares want a number per step and series",
            found=f"shapes {sorted(shapes)}",
            wanted=f"(any, {n_series}), the same for all",
        )
    total = np.sum(list(checked.values()), axis=0)
    if not np.allclose(total, 1.0, rtol=0.0, atol=ROUNDING):
        raise ConfigurationError(
            "the shares of the members do not sum to 1",
            found=f"{total.min():.6g} to {total.max():.6g}",
        )
    return checked


def _steps_of(member: Member) -> int:
    """Return how many steps a member forecasts at once."""
    if isinstance(member, LinearForecast):
        return member.map.n_steps
    if isinstance(member, tuple):
        return member[0].config.horizon
    return member.config.patch_length


def _n_lags(linear: LinearForecast) -> int:
    """Return how many rows a linear forecast reads, those of its covariates among them."""
    n_lags = max(1, linear.map.n_lags)
    return n_lags if linear.effect is None else n_lags + linear.effect.weights.shape[2] - 1
