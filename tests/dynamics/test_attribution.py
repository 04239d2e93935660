"""A forecast is the sum of what every observation and covariate gave to it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.builders.dynamics import dynamic


@pytest.mark.parametrize("normalization", ["last_patch", "window", "none"])
@pytest.mark.parametrize("covariates", [False, True])
def test_attribution_adds_up_to_the_forecast(normalization: str, covariates: bool) -> None:
    model = dynamic(normalization=normalization, covariates=covariates)
    for origin in (model.origins[0], model.origins[-1]):
        for horizon in (1, 4):
            parts = model.attribution(origin, horizon)
            forecast = model.forecast(origin).loc[horizon].to_numpy()
            assert np.allclose(parts.total(), forecast, rtol=1e-9)
            assert np.allclose(parts.forecast, forecast, rtol=1e-12)
            frame = parts.to_frame("b")
            assert frame["contribution"].sum() == pytest.approx(forecast[1], rel=1e-9)
    kinds = set(parts.to_frame("a")["kind"])
    assert kinds == {"series", "intercept"} | (
        {"past covariate", "future covariate", "static covariate"} if covariates else set()
    )
