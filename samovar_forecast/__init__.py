"""Multivariate forecasts by a linear Transformer that is a vector autoregression.

The public names below are resolved when they are first used, so that importing the
package costs next to nothing and loads neither torch nor a host library. Figures are in
`samovar_forecast.plots`, rows of a comparison in `samovar_forecast.comparison`; docs/public.md
lists every path that users may import.

=======================  ==============================================  ============
name                     what it is                                      needs
=======================  ==============================================  ============
`SAMoVARForecaster`      the sktime forecaster: frames in, frames out    ``[sktime]``
`SAMoVARModel`           the darts model: TimeSeries in and out          ``[darts]``
`SAMoVARZeroShotModel`   the pretrained network as a darts model         ``[darts]``
`compare`                a leaderboard beside classical models           ``[demo]``
`write_report`           a comparison as one HTML page                   ``[report]``
`forecast_long_frame`    series below one another, frame by frame
`forecast_long_frames`   the same for frames that follow each other
`DynamicVAR`             a fitted network read as a VAR
`read_var`               a frame read as a dynamic VAR, without training
`NetworkLearner`         how a network is trained again, for tests
`predictive_causality`   does a series help to forecast another
`SAMoVARNetwork`         the network itself, a ``torch.nn.Module``
`NetworkConfig`          what the network is: sizes, options
`TrainingConfig`         how it is trained: optimiser, schedule, stop
`Head`                   what the numbers of a network are
`fit_network`            train a network on windows
`SeriesTensors`          one series and its covariates, as tensors
`WindowSet`              the windows of many series
`series_from_array`      the series of an array in a file
`array_from_parquet`     such an array of a Parquet file
`Scaler`                 mean and deviation of a training sample
`attach_anchor`          put a linear forecast beside a network
`simulate_var`           a VAR process with known matrices
`load_pretrained`        the network that forecasts without training
=======================  ==============================================  ============
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from samovar_forecast.adapters.darts.model import SAMoVARModel
    from samovar_forecast.adapters.darts.zero_shot import SAMoVARZeroShotModel
    from samovar_forecast.adapters.sktime.forecaster import SAMoVARForecaster
    from samovar_forecast.comparison import compare
    from samovar_forecast.config import NetworkConfig, TrainingConfig
    from samovar_forecast.dynamics.causality import predictive_causality
    from samovar_forecast.dynamics.dynamic_var import DynamicVAR
    from samovar_forecast.dynamics.panel_reading import read_var
    from samovar_forecast.dynamics.refitting import NetworkLearner
    from samovar_forecast.frames.scaler import Scaler
    from samovar_forecast.learning.anchoring import attach_anchor
    from samovar_forecast.learning.series_file import array_from_parquet, series_from_array
    from samovar_forecast.learning.training import fit_network
    from samovar_forecast.learning.windows import SeriesTensors, WindowSet
    from samovar_forecast.linear.simulate import simulate_var
    from samovar_forecast.network import SAMoVARNetwork
    from samovar_forecast.network.heads import Head
    from samovar_forecast.network.pretrained import load_pretrained
    from samovar_forecast.report import write_report
    from samovar_forecast.sharding.long_frame import forecast_long_frame, forecast_long_frames

__version__ = "0.1.0"

__all__ = [
    "DynamicVAR",
    "Head",
    "NetworkConfig",
    "NetworkLearner",
    "SAMoVARForecaster",
    "SAMoVARModel",
    "SAMoVARNetwork",
    "SAMoVARZeroShotModel",
    "Scaler",
    "SeriesTensors",
    "TrainingConfig",
    "WindowSet",
    "array_from_parquet",
    "attach_anchor",
    "compare",
    "fit_network",
    "forecast_long_frame",
    "forecast_long_frames",
    "load_pretrained",
    "predictive_causality",
    "read_var",
    "series_from_array",
    "simulate_var",
    "write_report",
]


class _Home(NamedTuple):
    """Where a public name lives, and the host library that it cannot do without."""

    module: str
    host: str | None = None
    extra: str | None = None
    versions: str = ""


_HOMES = {
    "DynamicVAR": _Home("samovar_forecast.dynamics.dynamic_var"),
    "Head": _Home("samovar_forecast.network.heads"),
    "NetworkConfig": _Home("samovar_forecast.config"),
    "NetworkLearner": _Home("samovar_forecast.dynamics.refitting"),
    "SAMoVARForecaster": _Home("samovar_forecast.adapters.sktime.forecaster", "sktime", "sktime"),
    "SAMoVARModel": _Home(
        "samovar_forecast.adapters.darts.model", "darts", "darts", ">=0.48.1,<0.49"
    ),
    "SAMoVARNetwork": _Home("samovar_forecast.network"),
    "SAMoVARZeroShotModel": _Home(
        "samovar_forecast.adapters.darts.zero_shot", "darts", "darts", ">=0.48.1,<0.49"
    ),
    "Scaler": _Home("samovar_forecast.frames.scaler"),
    "SeriesTensors": _Home("samovar_forecast.learning.windows"),
    "TrainingConfig": _Home("samovar_forecast.config"),
    "WindowSet": _Home("samovar_forecast.learning.windows"),
    "array_from_parquet": _Home("samovar_forecast.learning.series_file"),
    "attach_anchor": _Home("samovar_forecast.learning.anchoring"),
    "compare": _Home("samovar_forecast.comparison"),
    "fit_network": _Home("samovar_forecast.learning.training"),
    "forecast_long_frame": _Home("samovar_forecast.sharding.long_frame"),
    "forecast_long_frames": _Home("samovar_forecast.sharding.long_frame"),
    "load_pretrained": _Home("samovar_forecast.network.pretrained"),
    "predictive_causality": _Home("samovar_forecast.dynamics.causality"),
    "read_var": _Home("samovar_forecast.dynamics.panel_reading"),
    "series_from_array": _Home("samovar_forecast.learning.series_file"),
    "simulate_var": _Home("samovar_forecast.linear.simulate"),
    "write_report": _Home("samovar_forecast.report"),
}


def __getattr__(name: str) -> object:
    """Resolve a public name on its first use (PEP 562) and keep it in the module."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if home.host is not None and home.extra is not None:
        from samovar_forecast.exceptions import require

        require(home.host, name, home.extra, home.versions)
    value = getattr(importlib.import_module(home.module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names beside what the module already holds."""
    return sorted({*globals(), *__all__})
