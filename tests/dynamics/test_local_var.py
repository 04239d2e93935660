"""The VAR at an origin: identities, lazy parts, roots that are built in."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.dynamics.network_map import NetworkMap
from samovar_forecast.exceptions import ConfigurationError
from tests.builders.dynamics import dynamic
from tests.builders.linear_network import companion


def test_under_window_normalisation_the_lags_alone_give_the_forecast() -> None:
    model = dynamic()
    local = model.at()
    assert np.abs(local.intercept).max() <= 1e-5 * np.abs(local.forecast).max()
    assert np.allclose(local.coefs.sum(axis=0), np.eye(3), atol=1e-9)
    assert local.identities().hold(1e-6)
    assert model.unit_roots_by_construction
    assert dynamic(covariates=True).at().identities().hold(1e-6)
    plain = dynamic(normalization="none")
    assert plain.at().identities() is None
    assert not plain.unit_roots_by_construction


def test_a_reading_that_does_not_give_the_forecast_back_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exact = NetworkMap._moments

    def inexact(self: NetworkMap, channels: np.ndarray) -> object:
        moments = exact(self, channels)
        return moments._replace(scale_slope=1.05 * moments.scale_slope)

    monkeypatch.setattr(NetworkMap, "_moments", inexact)
    model = dynamic()
    with pytest.warns(UserWarning, match="back only to"):
        local = model.at()
    assert not local.identities().hold()
    assert "CAUTION" in str(model.summary())


def test_effects_of_covariates_are_derivatives_too() -> None:
    model = dynamic(covariates=True)
    local = model.at()
    position = model.data.position(None)
    for table, row, effect in (
        (model.data.past, position - 2, local.past_effects[2, :, 1]),
        (model.data.future, position + 1, local.future_effects[14, :, 0]),
        (model.data.static, 1, np.array([0, local.static_effects[1, 1], 0])),
    ):
        column = min(1, table.values.shape[1] - 1)
        ends = []
        for sign in (1, -1):
            table.values[row, column] += sign * 1e-5
            ends.append(model.forecast().loc[1].to_numpy())
            table.values[row, column] -= sign * 1e-5
        assert np.allclose((ends[0] - ends[1]) / 2e-5, effect, rtol=1e-5, atol=1e-7)


def test_the_transient_form_forecasts_the_same_changes() -> None:
    model = dynamic()
    local = model.at()
    steps = np.diff(local.target, axis=0)[::-1]  # newest change first
    change = np.einsum("lck,lk->c", local.transient(), steps)
    assert local.transient().shape == (13, 3, 3)
    assert np.allclose(local.target[-1] + change, local.forecast, rtol=1e-6)


def test_roots_that_are_built_in_are_not_blamed_on_the_data() -> None:
    model = dynamic()
    local = model.at()
    full = np.abs(np.linalg.eigvals(companion(local.coefs)))
    assert np.sum(np.abs(full - 1) < 1e-6) >= 3  # a unit root for each series
    left = np.abs(np.linalg.eigvals(companion(local.transient())))
    assert np.allclose(local.largest_root(), left.max())
    assert local.is_stable() == (left.max() < 1)
    assert model.is_stable() == (model.at(part="dynamics").largest_root() < 1)
    assert model.transient().shape == (13, 3, 3)
    with pytest.raises(ConfigurationError, match="only a VAR with unit roots"):
        dynamic(normalization="none").transient()
