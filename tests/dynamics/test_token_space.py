"""Token space of a model: its weights rebuild the forecast, its paths carry names and dates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.config import NetworkConfig
from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.dynamics.token_weights import token_contributions
from samovar_forecast.frames.scaler import Scaler
from tests.builders.dynamics import dynamic, trained


def test_token_space_of_a_trained_network_rebuilds_its_forecast() -> None:
    config = NetworkConfig(n_series=2, patch_length=8, context_length=64, dropout=0.0)
    network, values = trained(config)
    model = DynamicVAR.from_network(network, values, scaler=Scaler(np.ones(2), np.full(2, 3.0)))
    origin = model.origins[17]
    trace = model.tokens.trace(origin)
    rebuilt = model.tokens.lag_weights(origin).apply(trace)
    wanted = trace.stack_output[:, -1]
    assert np.abs(rebuilt - wanted).max() <= 1e-9 * np.abs(wanted).max()
    parts = token_contributions(trace, step=5).sum(axis=(1, 2, 3)) + trace.offset[:, 4]
    assert np.allclose(parts, model.forecast(origin).loc[5], rtol=1e-9)


def test_the_paths_of_influence_carry_names_and_dates() -> None:
    model = dynamic()
    found = model.tokens.influence_paths("b", step=2, top=5)
    table = found.table
    assert len(table) == 5
    described = ["contribution", "patch_lag", "from_kind", "n_layers", "head"]
    assert list(table.columns) == [*described, "tokens", "starts", "ends"]
    assert len(found.patches) == 4
    assert found.forecast == pytest.approx(model.forecast().loc[2, "b"])
    every = model.tokens.influence_paths("b", step=2, top=10**6).table["contribution"]
    assert every.sum() + found.offset == pytest.approx(found.forecast, rel=1e-9)
    assert list(table["contribution"].abs()) == sorted(table["contribution"].abs(), reverse=True)
    assert table["ends"].max() <= model.origins[-1]
    oldest = model.tokens.influence_paths("b", from_patch=0, top=3).table
    assert set(oldest["patch_lag"]) == {3}
    assert set(oldest["starts"]) == {model.origins[-1] - pd.Timedelta(days=13)}  # padded patch
    assert set(oldest["ends"]) == {model.origins[-1] - pd.Timedelta(days=12)}
