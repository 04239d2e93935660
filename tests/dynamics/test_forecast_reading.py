"""A network on a history: its residuals and its gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.exceptions import DataError
from tests.builders.dynamics import dynamic, network_of
from tests.builders.linear_network import in_data_units


def test_residuals_of_a_linear_network_are_the_errors_of_the_known_var(linear: DynamicVAR) -> None:
    coefs, intercept, _ = in_data_units()
    y = linear.history.to_numpy()
    lagged = [y[3 - lag : len(y) - lag] for lag in (1, 2, 3)]
    fitted = intercept + sum(x @ a.T for a, x in zip(coefs, lagged, strict=True))
    assert np.allclose(linear.resid.to_numpy(), y[3:] - fitted, atol=1e-7)
    assert list(linear.resid.index) == list(linear.index[3:])
    assert np.allclose(linear.sigma_u, np.cov((y[3:] - fitted).T, ddof=0), atol=1e-6)


def test_gaps_of_the_history_are_read_as_the_network_reads_them() -> None:
    network = network_of(missing_values=True)
    frame = dynamic().history
    frame.loc["2020-02-03":"2020-02-05", "b"] = np.nan
    model = DynamicVAR.from_network(network, frame)
    parts = model.attribution()
    assert np.allclose(parts.total(), model.forecast().loc[1], rtol=1e-9)
    lag = 1 + int((model.origins[-1] - pd.Timestamp("2020-02-04")).days)
    assert np.all(model.at().lag(lag)[:, 1] == 0)
    assert model.at().identities().hold()
    assert model.resid.notna().all(axis=None)
    assert len(model.resid) == len(model.origins) - 1 - 3
    assert "one-step errors" in str(model.summary())
    with pytest.raises(DataError, match="missing or infinite"):
        DynamicVAR.from_network(network_of(), frame)
