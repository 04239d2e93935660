"""What can be said of a forecaster on a history at once: where its origins end."""

from __future__ import annotations

from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from tests.builders.dynamics import dynamic, network_of


def test_covariates_ahead_limit_the_origins() -> None:
    model = dynamic(covariates=True)
    assert model.origins[-1] == model.index[-1]
    short = model.data.future.values[:-3]
    other = DynamicVAR.from_network(
        network_of(n_future_covariates=1), model.history, future_covariates=short
    )
    assert other.origins[-1] == model.index[-4]
    assert len(other.resid) == len(other.origins)
