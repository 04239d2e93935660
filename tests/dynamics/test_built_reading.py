"""A reading keeps its own copy of the network and of the data that it is built from."""

from __future__ import annotations

import torch

from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from tests.builders.dynamics import dynamic, network_of


def test_the_given_data_and_network_are_left_alone() -> None:
    frame = dynamic().history
    before = frame.copy()
    network = network_of().float()
    model = DynamicVAR.from_network(network, frame)
    frame.iloc[:] = 0.0
    assert model.history.equals(before)
    assert next(network.parameters()).dtype == torch.float32
    assert repr(model).startswith("DynamicVAR(3 series, 14 lags, 27 origins")
