"""The orders that a sample of some length lets be tried."""

from __future__ import annotations

import pytest

from samovar_forecast.linear.orders import candidate_orders, largest_order


@pytest.mark.parametrize(("n_rows", "n_series"), [(40, 12), (100, 6), (1000, 3), (7, 1)])
def test_the_largest_order_leaves_three_rows_a_coefficient_and_no_larger_one_would(
    n_rows, n_series
):
    order = largest_order(n_rows, n_series)
    assert order >= 1
    assert n_rows - order >= 3 * (n_series * order + 1)
    limited_by_rows = order < int(12 * (n_rows / 100) ** 0.25)
    if limited_by_rows:
        assert n_rows - order - 1 < 3 * (n_series * (order + 1) + 1)


def test_the_orders_tried_follow_rows_series_and_season():
    assert candidate_orders(4, 3) == [1]
    assert candidate_orders(40, 3) == [1, 2, 3]
    assert candidate_orders(400, 3, season=24) == [1, 2, 3, 4, 6, 8, 12, 24, 25]
    assert candidate_orders(400, 200) == [1, 2]
    assert candidate_orders(400, 2000) == [1]
