"""Responses of the direct forecasts: what the observation at an origin does to every step ahead.

The forecast of a step is not the forecast of the step before, asked again: a forecaster of several
steps at once has dynamics of its own at each of them. These responses are those of the forecast
that users get: the derivative of each step by the newest observation, by default of the dynamics,
in which a shock changes neither level nor scale nor what was learned, as a shock to a VAR leaves
its coefficients alone. For a linear VAR whose steps are iterated, they equal the MA representation.

Letters: O origins, H steps, C series.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from samovar_forecast.dynamics.connectedness import Connectedness
from samovar_forecast.dynamics.decompositions import VarianceDecomposition, error_shares
from samovar_forecast.dynamics.responses import ImpulseResponses
from samovar_forecast.dynamics.simulation import unit_shocks
from samovar_forecast.exceptions import DataError


def direct_irf(
    slopes: np.ndarray,
    names: Sequence[str],
    origins: Sequence[Hashable],
    *,
    sigma_u: np.ndarray | None = None,
    orth: bool = False,
    size: float = 1.0,
) -> ImpulseResponses:
    """Return the responses of the direct forecasts to a small shock at each origin.

    Parameters
    ----------
    slopes : array of shape (O, H, C, C)
        ``slopes[origin, h - 1, response, impulse]``: derivative of step h by the newest
        observation.
    names, origins : sequence
    sigma_u : array of shape (C, C) or (O, C, C), optional
        Covariance of the one-step errors, of all origins or of each, for orthogonal shocks.
    orth : bool, default=False
    size : float, default=1.0
        Multiple of the shock; the responses are in proportion to it.

    Returns
    -------
    ImpulseResponses
        Period 0 is the origin itself.

    Raises
    ------
    ConfigurationError
        If ``orth`` is asked for without ``sigma_u``.
    """
    n_series = len(names)
    if sigma_u is None or np.ndim(sigma_u) == 2:
        shocks = unit_shocks(orth, sigma_u, n_series)
    else:
        shocks = np.stack([unit_shocks(orth, own, n_series) for own in sigma_u])[:, None]
    now = np.broadcast_to(np.eye(n_series), (len(slopes), 1, n_series, n_series))
    return ImpulseResponses(
        values=size * np.concatenate([now, slopes], axis=1) @ shocks,
        names=tuple(names),
        origins=tuple(origins),
        kind="orth" if orth else "irf",
        size=float(size),
        method="direct",
    )


def direct_fevd(
    slopes: np.ndarray, names: Sequence[str], origins: Sequence[Hashable], *, sigma_u: np.ndarray
) -> VarianceDecomposition:
    """Decompose errors of H + 1 steps by the orthogonal responses of the direct forecasts.

    Parameters
    ----------
    slopes, names, origins, sigma_u
        As in :func:`direct_irf`.

    Returns
    -------
    VarianceDecomposition
    """
    found = direct_irf(slopes, names, origins, sigma_u=sigma_u, orth=True)
    return VarianceDecomposition(
        error_shares(found.values**2), found.names, found.origins, kind="orth", method="direct"
    )


def direct_connectedness(
    slopes: np.ndarray, names: Sequence[str], origins: Sequence[Hashable], *, sigmas: np.ndarray
) -> Connectedness:
    """Measure spillovers by the generalised shocks of each origin to its direct forecasts.

    Diebold & Yilmaz (2012, Int. J. Forecasting 28:57-66, section 2), with the responses and the
    covariance of the origin itself: both may move, and so does what is measured.

    Parameters
    ----------
    slopes, names, origins
        As in :func:`direct_irf`; H is a step less than the horizon.
    sigmas : array of shape (O, C, C)
        Covariance of the one-step errors at each origin.

    Returns
    -------
    Connectedness

    Raises
    ------
    DataError
        If there is only one series, or a series has no errors.
    """
    n_series = len(names)
    now = np.broadcast_to(np.eye(n_series), (len(slopes), 1, n_series, n_series))
    deviations = np.sqrt(np.diagonal(sigmas, axis1=1, axis2=2))
    is_still = ~(deviations > 0).all(axis=0)
    if is_still.any():
        raise DataError(
            "a series has no one-step errors whose source could be told",
            found=[name for name, still in zip(names, is_still, strict=True) if still],
            wanted="series that move",
            remedy="read the others without it",
        )
    shocks = sigmas / deviations[:, None]  # O C C, a shock per column
    squares = (np.concatenate([now, slopes], axis=1) @ shocks[:, None]) ** 2
    shares = error_shares(squares)[:, -1]
    horizon = slopes.shape[1] + 1
    return Connectedness(shares, tuple(names), tuple(origins), horizon, method="direct")
