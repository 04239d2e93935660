"""Responses of the direct forecasts: what the observation at an origin does to every step ahead.

The forecast of a step is not the forecast of the step before, asked again: a forecaster of several
steps at once has dynamics of its own at each of them. These responses are those of the forecast
that users get, the derivative of each step with respect to the newest observation. For a linear VAR
whose steps are iterated, they equal the MA representation.

Letters: O origins, H steps, C series.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from samovar_forecast.dynamics.decompositions import VarianceDecomposition, error_shares
from samovar_forecast.dynamics.responses import ImpulseResponses
from samovar_forecast.dynamics.simulation import check_covariance
from samovar_forecast.exceptions import ConfigurationError


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
    sigma_u : array of shape (C, C), optional
        Covariance of the one-step errors, for orthogonal shocks.
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
    shocks = np.eye(n_series)
    if orth:
        if sigma_u is None:
            raise ConfigurationError("orthogonal shocks need the covariance sigma_u of the errors")
        shocks = np.linalg.cholesky(check_covariance(sigma_u, n_series))
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
        error_shares(found.values**2), found.names, found.origins, kind="orth"
    )
