"""Token space of a model: its weights rebuild the forecast, its paths carry names and dates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.config import NetworkConfig
from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.dynamics.token_weights import token_contributions
from samovar_forecast.frames.scaler import Scaler
from tests.builders.dynamics import dynamic, network_of, trained
from tests.builders.members import SCALER, linear_forecast, seasonal_frame


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


def test_paths_add_up_to_what_the_network_gives_beside_other_members() -> None:
    y, network = seasonal_frame(40), network_of()
    among = np.array([[0.5, 0.1, 0.5], [0.5, 0.25, 0.5], [0.5, 0.25, 0.5], [0.5, 0.25, 0.5]])
    average = DynamicVAR.from_members(
        {"linear": linear_forecast(4), "trained": network},
        {"linear": 1 - among, "trained": among},
        y,
        scaler=SCALER,
    )
    alone = DynamicVAR.from_network(network, y, scaler=SCALER)
    name = y.columns[1]
    whole = alone.tokens.influence_paths(name, step=2, top=10**6)
    found = average.tokens.influence_paths(name, step=2, top=10**6)
    assert (whole.share, found.share) == (1.0, 0.25)
    np.testing.assert_allclose(
        found.table["contribution"], 0.25 * whole.table["contribution"], rtol=1e-12
    )
    total = found.table["contribution"].sum() + found.offset
    assert total == pytest.approx(0.25 * alone.forecast().loc[2, name], rel=1e-9)
    assert found.forecast == pytest.approx(total, rel=1e-9)
    assert "25.0% of it" in found.plot().get_title(loc="left")
    assert average.tokens.shares[0, 1] == 0.1
