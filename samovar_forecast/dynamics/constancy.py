"""Is the dynamics dynamic at all: constant weights against state-dependent ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from samovar_forecast.accuracy_tests import (
    KNOWN_LAGS,
    as_text,
    check_forecasts,
    clark_west,
    known_before,
    table_of,
)
from samovar_forecast.exceptions import DataError


@dataclass(frozen=True, eq=False)
class ConstancyTest:
    """Whether a state-dependent map forecasts better than one with constant weights.

    Attributes
    ----------
    table : DataFrame
        One row a series: ``series``, ``statistic``, ``pvalue``, ``pvalue_holm``,
        ``mse_restricted`` (constant), ``mse_full`` (dynamic) and ``gain``.
    level : float
    n_origins, n_trainings : int
    """

    table: pd.DataFrame
    level: float
    n_origins: int
    n_trainings: int

    @property
    def is_rejected(self) -> bool:
        """Whether constancy is rejected for any series, at the level, after Holm."""
        return bool((self.table["pvalue_holm"] < self.level).any())

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of `table`."""
        return self.table.copy()

    def __str__(self) -> str:
        """Return the table and how to read it."""
        head = (
            "Constancy of the dynamics, out of sample\n"
            "H0: state-dependent weights do not improve the one-step forecast\n"
            f"{self.n_origins} test origins, {self.n_trainings} training(s) of each network; "
            f"Clark-West with HAC errors, Holm over {len(self.table)} series\n"
        )
        return head + as_text(self.table, self.level)


def constancy(
    actual: pd.DataFrame,
    constant: np.ndarray,
    dynamic: np.ndarray,
    *,
    level: float = 0.05,
    max_lags: int | None = None,
) -> ConstancyTest:
    """Test whether weights that depend on the state forecast better than constant ones.

    The stack with constant VAR weights (``predictor="fixedvar"``) is nested in the dynamic one,
    so the two are compared by `clark_west`, series by series, after what is linear in the recent
    past has been taken out.

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
    names = tuple(actual.columns)
    small = check_forecasts(constant, names, len(actual))
    large = check_forecasts(dynamic, names, len(actual))
    truth = actual.to_numpy(dtype=float)
    known = known_before(truth, small, squares=False)
    rows = [
        {
            "series": name,
            **clark_west(
                *(truth[KNOWN_LAGS:, i], small[:, KNOWN_LAGS:, i], large[:, KNOWN_LAGS:, i]),
                known=known,
                max_lags=max_lags,
            )._asdict(),
        }
        for i, name in enumerate(names)
    ]
    table = table_of(rows)
    return ConstancyTest(table, level, len(actual) - KNOWN_LAGS, len(large))


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
