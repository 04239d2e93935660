"""Jacobians written out and sums of them: every part equals that part of the dense form."""

from __future__ import annotations

import numpy as np

from samovar_forecast.dynamics.jacobian import DenseJacobian, JacobianSum
from tests.builders.dynamics import assert_lazy_parts_agree


def jacobian(n_rows: int, seed: int, n_ahead: int = 0, static: bool = False) -> DenseJacobian:
    rng = np.random.default_rng(seed)
    return DenseJacobian(
        rng.normal(size=(2, 3, n_rows, 4)),
        rng.normal(size=(2, 3)),
        np.array([1.0, 2.0, 3.0, 4.0]),
        rng.normal(size=(2, 3, n_rows + n_ahead, 2)) if n_ahead else None,
        rng.normal(size=(2, 3, 5)) if static else None,
    )


def test_every_part_of_a_written_jacobian_is_that_of_its_dense_form() -> None:
    one = jacobian(12, 0)
    assert one.shape == one.dense().shape
    assert_lazy_parts_agree(one, one.dense())


def test_a_sum_lines_its_parts_up_at_the_newest_row() -> None:
    long, short = jacobian(12, 0), jacobian(7, 1)
    total = JacobianSum((long, short), 12, 0)
    wanted = long.dense().copy()
    wanted[:, :, 5:] += short.dense()
    assert np.allclose(total.dense(), wanted)
    assert total.shape == wanted.shape
    assert_lazy_parts_agree(total, wanted)
    assert np.allclose(total.value, long.value + short.value)
    assert np.array_equal(total.unit, long.unit)
    assert total.future is None
    assert total.static is None


def test_covariates_of_a_sum_line_up_at_the_origin() -> None:
    long, short = jacobian(12, 0, n_ahead=3), jacobian(7, 1, n_ahead=5, static=True)
    total = JacobianSum((long, short, jacobian(12, 2)), 12, 5)
    wanted = np.zeros((2, 3, 17, 2))
    wanted[:, :, :15] += long.future
    wanted[:, :, 5:] += short.future
    assert np.allclose(total.future, wanted)
    assert np.array_equal(total.static, short.static)
