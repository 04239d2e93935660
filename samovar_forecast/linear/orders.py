"""The orders of an autoregression: how many lags a sample identifies, or can shrink."""

from __future__ import annotations

ROWS_PER_COEFFICIENT = 3
"""Least number of rows of a regression for each coefficient of the regression.

With three rows for each coefficient, two thirds of the rows are left to tell signal from noise.
AIC prefers long lags when rows are few; with this limit, every order that AIC sees is identified.
"""

ORDERS = (1, 2, 3, 4, 6, 8, 12)
"""Orders of a shrunken VAR that are tried, besides a season and a season plus one step."""

ROWS_PER_SHRUNKEN_LAG = 12
"""An order is tried if the sample has at least this number of rows for each lag."""

MOST_REGRESSORS = 512
"""An order is tried if an equation then has at most this number of regressors."""


def largest_order(n_rows: int, n_series: int) -> int:
    """Return the largest order that may be offered to an information criterion.

    Parameters
    ----------
    n_rows : int
        Rows of the training window.
    n_series : int
        Series on the right-hand side of each equation.

    Returns
    -------
    int
        The smaller of two limits: the limit of statsmodels, ``12 * (n_rows / 100) ** (1 / 4)``, and
        the largest order ``p`` with ``n_rows - p >= ROWS_PER_COEFFICIENT * (n_series * p + 1)``.
        0 if not even order 1 is identified.
    """
    share = ROWS_PER_COEFFICIENT
    by_sample_size = int(12 * (n_rows / 100) ** 0.25)
    by_freedom = (n_rows - share) // (share * n_series + 1)
    return max(0, min(by_sample_size, by_freedom))


def candidate_orders(n_rows: int, n_series: int, season: int = 1) -> list[int]:
    """Return the orders of a shrunken VAR that a sample allows; order 1 is always among them."""
    wanted = sorted({*ORDERS, season, season + 1} if season > 1 else ORDERS)
    return [
        order
        for order in wanted
        if order == 1
        or (order * ROWS_PER_SHRUNKEN_LAG <= n_rows and order * n_series <= MOST_REGRESSORS)
    ]
