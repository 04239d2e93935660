"""Token space of a network: what its mixture did with a window, taken out of torch."""

from __future__ import annotations

import torch

from samovar_forecast.dynamics.network_map import NetworkMap, as_tensors
from samovar_forecast.dynamics.token_weights import TokenTrace
from samovar_forecast.dynamics.windows import Units, Windows
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.network.kernels import rms_normalize


@torch.no_grad()
def read_trace(network_map: NetworkMap, window: Windows, units: Units) -> TokenTrace:
    """Return what the mixture did with one window, its readings in data units.

    Parameters
    ----------
    network_map : NetworkMap
    window : Windows
        One window (B = 1).
    units : Units
        Of the data.

    Raises
    ------
    ConfigurationError
        If the network has no VAR mixture (LinTrans).
    """
    config, network, parameter = network_map.config, network_map.network, network_map.parameter
    if config.predictor == "lintrans":
        raise ConfigurationError(
            "LinTrans has no lag weights: its layers are interleaved with MLP blocks",
            remedy="use predictor='samovar' or 'fixedvar'; the Jacobian is there for all",
        )
    output = network(*as_tensors(window), return_trace=True)
    trace = output.trace
    stack = trace.stack_output[0]  # C N D
    gain = network.out_norm.gain
    size = rms_normalize(stack, torch.ones_like(gain), network.out_norm.epsilon) / stack
    shrink = torch.where(stack == 0, 0.0, size)  # C N D, the same along D
    k = config.n_params
    weight = network.head.weight.unflatten(0, (-1, k))[:, parameter]  # s D
    bias = network.head.bias.unflatten(0, (-1, k))[:, parameter]  # s
    series = units.series(config.n_series)
    unit = torch.from_numpy(series.scale)
    scale = trace.scale[0, 0] * unit  # C
    level = trace.location[0, 0] * unit + torch.from_numpy(series.location)  # C
    readout = scale[:, None, None, None] * weight * (gain * shrink)[:, :, None]
    predicted = output.patch_pred[0, ..., parameter]  # C N s
    return TokenTrace(
        var_input=trace.var_input[0].numpy(),
        queries=trace.queries[:, 0].numpy(),
        values=trace.values[:, 0].numpy(),
        structure=trace.structure.numpy(),
        stack_output=stack.numpy(),
        readout=readout.numpy(),
        offset=(scale[:, None] * bias + level[:, None]).numpy(),
        patch_prediction=(scale[:, None, None] * predicted + level[:, None, None]).numpy(),
    )
