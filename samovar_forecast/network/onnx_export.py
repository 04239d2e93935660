"""Networks as ONNX files: a runtime of ONNX forecasts from them, without torch and this package.

Letters of shapes: see :mod:`samovar_forecast.network`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from samovar_forecast.bundle import write_file
from samovar_forecast.exceptions import ConfigurationError, require
from samovar_forecast.network.paths import MOST_JOINT
from samovar_forecast.process import usual_torch

if TYPE_CHECKING:
    from samovar_forecast.network.samovar import SAMoVARNetwork
    from samovar_forecast.network.window_forecasts import WindowForecasts


def export_trained(network: SAMoVARNetwork, path: str | Path) -> None:
    """Write a trained network; see :meth:`SAMoVARNetwork.export_onnx`."""
    config, n_windows = network.config, 2  # a single window would be taken for all that there is
    length = config.context_length
    shapes = {
        "target": (length, config.n_series),
        "past_covariates": (length, config.n_past_covariates),
        "future_covariates": (length + config.patch_length, config.n_future_covariates),
        "static_covariates": (config.n_series, config.n_static_covariates),
    }
    dtype = network.head.weight.dtype
    inputs = {
        name: torch.zeros(n_windows, *shape, dtype=dtype)
        for name, shape in shapes.items()
        if shape[1]
    }
    _write(_TrainedForecast(network), path, inputs, "forecast")


def export_pretrained(
    network: WindowForecasts, path: str | Path, n_rows: int, n_series: int, n_steps: int
) -> None:
    """Write a pretrained network; see :meth:`ZeroShotNetwork.export_onnx`."""
    check_number_of_series(n_series)
    n_windows = 2
    values = torch.arange(n_rows, dtype=torch.float64)[:, None].expand(n_windows, -1, n_series)
    inputs = {
        "values": values.contiguous(),
        "season": torch.ones(n_windows, dtype=torch.long),
    }
    _write(_PretrainedForecast(network, n_steps), path, inputs, "quantiles")


def check_number_of_series(n_series: int) -> None:
    """Refuse so many series that the pretrained network reads their common factors.

    Raises
    ------
    ConfigurationError
    """
    if n_series > MOST_JOINT:
        raise ConfigurationError(
            "the pretrained network reads many series through common factors, which it looks for "
            "from directions that are drawn and by a QR decomposition; ONNX has neither",
            found=f"{n_series} series",
            wanted=f"at most {MOST_JOINT}, covariates of the past among them",
            remedy="export a network for groups of series, or for single series",
        )


class _TrainedForecast(nn.Module):
    def __init__(self, network: SAMoVARNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        target: Tensor,
        past_covariates: Tensor | None = None,
        future_covariates: Tensor | None = None,
        static_covariates: Tensor | None = None,
    ) -> Tensor:
        covariates = past_covariates, future_covariates, static_covariates
        return self.network(target, *covariates, last_only=True).forecast


class _PretrainedForecast(nn.Module):
    def __init__(self, network: WindowForecasts, n_steps: int) -> None:
        super().__init__()
        self.network = network
        self.n_steps = n_steps

    def forward(self, values: Tensor, season: Tensor) -> Tensor:
        return self.network.forecast(values, self.n_steps, season)


def _write(module: nn.Module, path: str | Path, inputs: Mapping[str, Tensor], output: str) -> None:
    """Write a module whose inputs and output have as many windows as are asked for.

    Raises
    ------
    MissingPackageError
        If a package that writes ONNX is not installed.
    """
    for package in ("onnx", "onnxscript"):
        require(package, "export_onnx", "onnx")
    any_number = {0: torch.export.Dim("batch")}
    with usual_torch(), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter on itself
        program = torch.onnx.export(
            module.eval(),
            kwargs=dict(inputs),
            input_names=list(inputs),
            output_names=[output],
            dynamic_shapes=dict.fromkeys(inputs, any_number),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    write_file(path, program.model_proto.SerializeToString())
