"""What a mixture did with a window is read in the units of the data, for any predicted number."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from samovar_forecast.dynamics.network_map import NetworkMap
from samovar_forecast.dynamics.network_trace import read_trace
from samovar_forecast.dynamics.windows import Units
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.frames.scaler import Scaler
from tests.builders.dynamics import golden_trace, network_of, windows_of


def test_the_trace_predicts_what_the_network_forecasts_of_any_predicted_number() -> None:
    network = network_of(n_params=3)
    window = windows_of(network.config)
    with torch.no_grad():
        wanted = network(torch.from_numpy(window.target)).forecast[..., 2].numpy()
    frozen = NetworkMap(network, parameter=2)
    trace = read_trace(frozen, window, Units.plain(network.config))
    assert np.allclose(trace.patch_prediction[:, -1].T, wanted[0])


def test_the_trace_is_in_the_units_of_the_data() -> None:
    network = network_of()
    window = windows_of(network.config)
    scaler = Scaler(np.array([1.0, -2.0, 30.0]), np.array([4.0, 0.5, 10.0]))
    units = Units.plain(network.config)._replace(channels=scaler)
    frozen = NetworkMap(network)
    trace = read_trace(frozen, window, units)
    wanted = frozen.forecast(window)[0] * scaler.scale + scaler.location  # s C
    assert np.allclose(trace.patch_prediction[:, -1].T, wanted)
    rebuilt = np.einsum("cnsd,cnd->cns", trace.readout, trace.stack_output)
    assert np.allclose(rebuilt + trace.offset[:, None], trace.patch_prediction)


def test_lintrans_is_refused_because_it_has_no_lag_weights() -> None:
    with pytest.raises(ConfigurationError, match="LinTrans has no lag weights"):
        golden_trace("f_lintrans")
