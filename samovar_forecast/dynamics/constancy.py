"""Are the dynamics dynamic at all: constant weights against weights that follow the state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from samovar_forecast.accuracy_tests import KNOWN_LAGS
from samovar_forecast.arguments import check_level
from samovar_forecast.dynamics.nested_comparison import (
    NamedForecasts,
    NestedTest,
    compare_nested,
    outcome_table,
)
from samovar_forecast.exceptions import DataError


@dataclass(frozen=True, eq=False, kw_only=True)
class ConstancyTest(NestedTest):
    """Whether a state-dependent map forecasts better than a map with constant weights.

    A `NestedTest` of series: the forecast with constant weights is the restricted forecast.

    Attributes
    ----------
    table : DataFrame
        A row per ``series``.
    """

    @property
    def is_rejected(self) -> bool:
        """Whether constancy is rejected for any series, at the level, after Holm."""
        return bool((self.table["pvalue_holm"] < self.level).any())

    def __repr__(self) -> str:
        n_found = int((self.table["pvalue_holm"] < self.level).sum())
        return f"ConstancyTest({len(self.table)} series, {n_found} rejected at {self.level:.0%})"

    def __str__(self) -> str:
        """Return the table and how to read it."""
        null = "state-dependent weights do not improve the one-step forecast"
        return self._text("Constancy of the dynamics", null, "network", "series")


def constancy(
    actual: pd.DataFrame,
    constant: np.ndarray,
    dynamic: np.ndarray,
    *,
    level: float = 0.05,
    max_lags: int | None = None,
) -> ConstancyTest:
    """Test whether weights that depend on the state forecast better than constant weights.

    The stack with constant VAR weights (``predictor="fixedvar"``) is nested in the dynamic
    stack, so the two are compared by `clark_west`, series by series, after what is linear in the
    recent past has been taken out.

    Parameters
    ----------
    actual : DataFrame of shape (n, C)
    constant, dynamic : ndarray of shape (n, C) or (S, n, C)
        One-step forecasts at the same origins, of networks trained in the same way.
    level : float, default=0.05
    max_lags : int, optional

    Returns
    -------
    ConstancyTest
    """
    check_level(level)
    names = tuple(actual.columns)
    restricted = NamedForecasts.checked(constant, names, len(actual))
    full = NamedForecasts.checked(dynamic, names, len(actual))
    outcomes = compare_nested(actual, restricted, full, names, squares=False, max_lags=max_lags)
    return ConstancyTest(
        table=outcome_table([{"series": name} for name in names], outcomes),
        level=level,
        n_origins=len(actual) - KNOWN_LAGS,
        n_trainings=len(full.values),
    )


def path_constancy(
    paths: np.ndarray, lower: np.ndarray, upper: np.ndarray, names: Sequence[str]
) -> pd.DataFrame:
    """Return how much of each coefficient's path lies outside a band.

    Read beside `constancy`: a band from networks with constant dynamics (`bands`) holds the share
    of the path that its level says if nothing moves but the estimate.

    Parameters
    ----------
    paths : ndarray of shape (n_origins, order, C, C)
        ``[origin, lag - 1, response, impulse]``.
    lower, upper : ndarray, broadcastable to ``paths``
    names : sequence of str

    Returns
    -------
    DataFrame
        Columns ``lag``, ``response``, ``impulse``, ``share_outside``, ``range`` (largest less
        smallest coefficient on the path) and ``first_outside`` (number of the first origin
        outside, -1 if there is none).
    """
    path = np.asarray(paths, dtype=float)
    if path.ndim != 4 or path.shape[2:] != (len(names), len(names)):
        raise DataError(
            "paths have the wrong shape",
            found=path.shape,
            wanted=f"(n_origins, order, {len(names)}, {len(names)})",
        )
    outside = (path < lower) | (path > upper)
    index = pd.MultiIndex.from_product(
        [range(1, path.shape[1] + 1), names, names], names=["lag", "response", "impulse"]
    )
    columns = {
        "share_outside": outside.mean(axis=0),
        "range": np.ptp(path, axis=0),
        "first_outside": np.where(outside.any(axis=0), outside.argmax(axis=0), -1),
    }
    flat = {name: part.ravel() for name, part in columns.items()}
    return pd.DataFrame(flat, index=index).reset_index()
