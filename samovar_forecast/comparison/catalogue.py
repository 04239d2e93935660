"""Forecasters that can be asked for by name, where the package that brings them is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from samovar_forecast.exceptions import ConfigurationError, MissingPackageError, SAMoVARError

EPOCHS = 30
"""Passes over the training rows that each network makes; none stops early."""


class Task(NamedTuple):
    """What a forecaster is built for."""

    horizon: int
    season: int
    n_rows: int
    """Rows of the first training window."""
    random_state: int = 0

    @property
    def context(self) -> int:
        """The past that a network sees: four horizons or two seasons, a third of the rows."""
        wanted = max(4 * self.horizon, 2 * self.season, 16)
        return max(2, min(wanted, self.n_rows // 3, 512))


class _Entry(NamedTuple):
    packages: tuple[str, ...]
    build: Callable[[Task], Any]
    downloads: str = ""
    """Where its trained weights come from when it is built; empty where it learns from the data."""


def known_forecasters() -> dict[str, bool]:
    """Return the names that `from_catalogue` knows, and whether each is installed."""
    return {name: not _missing(entry) for name, entry in _CATALOGUE.items()}


def from_catalogue(names: Sequence[str], task: Task) -> dict[str, Any]:
    """Return forecasters by name, each with its library's defaults and the sizes of the task.

    The networks that learn here see standardised series, as SAMoVAR does.

    Parameters
    ----------
    names : sequence of str
        Names that `known_forecasters` has; ``"installed"`` stands for all that are installed,
        without forecasters that would download trained weights: these have to be named.
    task : Task

    Returns
    -------
    dict of str to sktime forecaster or darts model

    Raises
    ------
    ConfigurationError
        If a name is not known.
    MissingPackageError
        If the package that brings a forecaster is not installed.
    SAMoVARError
        If trained weights cannot be loaded.
    """
    wanted: list[str] = []
    for name in names:
        if name == "installed":
            wanted += [
                known
                for known, there in known_forecasters().items()
                if there and not _CATALOGUE[known].downloads
            ]
        elif name in _CATALOGUE:
            wanted.append(name)
        else:
            raise ConfigurationError(
                "a forecaster of this name is not known",
                found=repr(name),
                wanted=f"'installed' or some of {list(_CATALOGUE)}",
                remedy="any other one can be handed to compare() as an object",
            )
    built = {}
    for name in dict.fromkeys(wanted):
        missing = _missing(_CATALOGUE[name])
        if missing:
            raise MissingPackageError(
                f"{name} needs the package {missing[0]!r}, which is not installed",
                remedy=f"install it with: pip install {' '.join(missing)}",
            )
        built[name] = _build(name, task)
    return built


def _build(name: str, task: Task) -> Any:
    source = _CATALOGUE[name].downloads
    if not source:
        return _CATALOGUE[name].build(task)
    try:
        return _CATALOGUE[name].build(task)
    except Exception as error:  # whatever the download ends with
        raise SAMoVARError(
            f"the trained weights of {name} cannot be loaded",
            found=f"{type(error).__name__}: {str(error)[:200]}",
            remedy=f"they are downloaded once, from {source}: connect, or leave {name} out",
        ) from error


def _missing(entry: _Entry) -> list[str]:
    return [name for name in entry.packages if importlib.util.find_spec(name) is None]


def _auto_ets(task: Task) -> Any:
    from sktime.forecasting.ets import AutoETS

    return AutoETS(auto=True, sp=task.season)


def _auto_arima(task: Task) -> Any:
    from sktime.forecasting.statsforecast import StatsForecastAutoARIMA

    return StatsForecastAutoARIMA(sp=task.season)


def _darts(class_name: str, **settings: Any) -> Callable[[Task], Any]:
    def build(task: Task) -> Any:
        from darts import models

        return _on_standardized(getattr(models, class_name)(**settings, **_network_sizes(task)))

    return build


def _foundation(class_name: str) -> Callable[[Task], Any]:
    def build(task: Task) -> Any:
        from darts import models

        sizes = _network_sizes(task)
        for name in ("n_epochs", "random_state"):  # it learns nothing here
            del sizes[name]
        return getattr(models, class_name)(**sizes)

    return build


def _neuralforecast(class_name: str) -> Callable[[Task], Any]:
    def build(task: Task) -> Any:
        from darts.models import NeuralForecastModel

        return _on_standardized(NeuralForecastModel(model=class_name, **_network_sizes(task)))

    return build


def _on_standardized(model: Any) -> Any:
    from samovar_forecast.comparison.darts_forecaster import DartsForecaster

    return DartsForecaster(model, standardize=True)


def _network_sizes(task: Task) -> dict[str, Any]:
    return {
        "input_chunk_length": task.context,
        "output_chunk_length": min(task.horizon, max(1, task.n_rows // 3 - 1)),
        "n_epochs": EPOCHS,
        "random_state": task.random_state,
        "pl_trainer_kwargs": {
            "accelerator": "auto",
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "logger": False,
        },
    }


_CATALOGUE = {
    "AutoETS": _Entry(("statsmodels",), _auto_ets),
    "AutoARIMA": _Entry(("statsforecast",), _auto_arima),
    **{
        name: _Entry(("darts",), _darts(f"{name}Model"))
        for name in ("NLinear", "DLinear", "TiDE", "TSMixer", "NHiTS")
    },
    # It cannot do without covariates that are known ahead: here, how far ahead a step lies.
    "TFT": _Entry(("darts",), _darts("TFTModel", add_relative_index=True)),
    **{
        name: _Entry(("darts", "neuralforecast"), _neuralforecast(name))
        for name in ("iTransformer", "PatchTST", "Informer", "Autoformer")
    },
    "Chronos2": _Entry(
        ("darts", "huggingface_hub"),
        _foundation("Chronos2Model"),
        "huggingface.co/amazon/chronos-2",
    ),
}
