"""Multivariate forecasts by a linear Transformer that is a vector autoregression.

The public names below are resolved when they are first used, so that importing the
package costs next to nothing and loads neither torch nor a host library.

====================  ==============================================  ============
name                  what it is                                      needs
====================  ==============================================  ============
`SAMoVARForecaster`   the sktime forecaster: frames in, frames out    ``[sktime]``
`SAMoVARModel`        the darts model: TimeSeries in and out          ``[darts]``
`SAMoVARNetwork`      the network itself, a ``torch.nn.Module``
`NetworkConfig`       what the network is: sizes, options
`TrainingConfig`      how it is trained: optimiser, schedule, stop
`DynamicVAR`          a fitted network read as a VAR, origin by origin
`compare`             a leaderboard beside classical models           ``[demo]``
====================  ==============================================  ============
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from samovar_forecast.adapters.darts.model import SAMoVARModel
    from samovar_forecast.adapters.sktime.forecaster import SAMoVARForecaster
    from samovar_forecast.comparison import compare
    from samovar_forecast.config import NetworkConfig, TrainingConfig
    from samovar_forecast.dynamics.dynamic_var import DynamicVAR
    from samovar_forecast.network import SAMoVARNetwork

__version__ = "0.1.0"

__all__ = [
    "DynamicVAR",
    "NetworkConfig",
    "SAMoVARForecaster",
    "SAMoVARModel",
    "SAMoVARNetwork",
    "TrainingConfig",
    "compare",
]


class _Home(NamedTuple):
    """Where a public name lives, and the host library that it cannot do without."""

    module: str
    host: str | None = None
    extra: str | None = None
    versions: str = ""


_HOMES = {
    "DynamicVAR": _Home("samovar_forecast.dynamics.dynamic_var"),
    "NetworkConfig": _Home("samovar_forecast.config"),
    "SAMoVARForecaster": _Home("samovar_forecast.adapters.sktime.forecaster", "sktime", "sktime"),
    "SAMoVARModel": _Home(
        "samovar_forecast.adapters.darts.model", "darts", "darts", ">=0.48,<0.49"
    ),
    "SAMoVARNetwork": _Home("samovar_forecast.network"),
    "TrainingConfig": _Home("samovar_forecast.config"),
    "compare": _Home("samovar_forecast.comparison"),
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
