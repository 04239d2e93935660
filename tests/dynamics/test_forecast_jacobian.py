"""The factored Jacobian: its lazy parts, weighted sums, and the three identities."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.dynamics.network_map import NetworkMap
from samovar_forecast.dynamics.windows import Units
from samovar_forecast.frames.scaler import Scaler
from tests.builders.dynamics import assert_lazy_parts_agree, network_of, one_jacobian, windows_of


def test_every_lazy_part_equals_that_part_of_the_dense_form() -> None:
    network = network_of(n_past_covariates=1)
    window = windows_of(network.config)
    unit = np.array([2.0, 0.5, 3.0, 10.0])
    zero = np.array([9.0, -1.0, 7.0, 0.0])
    units = Units.plain(network.config)._replace(channels=Scaler(zero, unit))
    jacobian = next(NetworkMap(network).jacobians(window, np.eye(4), units))
    dense = jacobian.dense()
    plain = one_jacobian(network, window).dense()
    assert np.allclose(dense, plain * unit[1:, None, None] / unit)
    assert np.allclose(
        jacobian.value, NetworkMap(network).forecast(window)[0] * unit[1:] + zero[1:]
    )
    assert jacobian.shape == dense.shape == (4, 3, 14, 4)
    assert_lazy_parts_agree(jacobian, dense)


def test_weights_ask_for_a_summary_of_the_horizon_in_one_pass() -> None:
    network = network_of()
    window = windows_of(network.config)
    plain = Units.plain(network.config)
    mean = next(NetworkMap(network).jacobians(window, np.full((1, 4), 0.25), plain))
    assert np.allclose(mean.dense()[0], one_jacobian(network, window).dense().mean(0))


@pytest.mark.parametrize("normalization", ["last_patch", "window"])
def test_the_three_identities_hold_under_window_normalisation(normalization: str) -> None:
    network = network_of(normalization=normalization)
    window = windows_of(network.config)
    dense = one_jacobian(network, window).dense()  # s C L C
    target = window.target[0]
    forecast = NetworkMap(network).forecast(window)[0]
    by_column = np.einsum("hctk,tk->hck", dense, target)
    assert np.allclose(by_column.sum(-1), forecast, rtol=1e-6)  # Euler: no intercept
    assert np.allclose(dense.sum(2), np.eye(3), atol=1e-10)  # unit roots, zero cross sums
    cross = by_column * (1 - np.eye(3))
    assert np.abs(cross).max() <= 1e-6 * np.abs(dense).max()  # pattern, never level or scale


def test_without_normalisation_the_identities_are_not_forced() -> None:
    network = network_of(normalization="none")
    dense = one_jacobian(network, windows_of(network.config)).dense()
    assert np.abs(dense.sum(2) - np.eye(3)).max() > 0.1
