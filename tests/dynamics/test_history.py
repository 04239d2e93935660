"""Data that do not fit the network are refused at the door."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.scaler import Scaler
from tests.builders.dynamics import network_of


def test_data_that_do_not_fit_are_refused_at_the_door() -> None:
    network = network_of()
    good = np.random.default_rng(0).normal(size=(20, 3))
    gap = pd.DataFrame(good.copy(), columns=list("abc"))
    gap.loc[7, "b"] = np.nan
    with pytest.raises(DataError, match="'b' at 7"):
        DynamicVAR.from_network(network, gap)
    with pytest.raises(DataError, match="does not fit the network"):
        DynamicVAR.from_network(network, good[:, :2])
    with pytest.raises(DataError, match="the scaler of history"):
        DynamicVAR.from_network(network, good, scaler=Scaler(np.zeros(2), np.ones(2)))
    with pytest.raises(DataError, match="past_covariates does not fit"):
        DynamicVAR.from_network(network, good, past_covariates=good)
    with pytest.raises(DataError, match="too few one-step residuals"):
        _ = DynamicVAR.from_network(network, good[:14]).sigma_u
