"""The whole sktime forecaster as an artifact: what it holds, as plain data, and back."""

from __future__ import annotations

import inspect
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sktime.datatypes import convert_to
from sktime.exceptions import NotFittedError
from sktime.forecasting.base import ForecastingHorizon

from samovar_forecast.artifact import read_artifact, write_artifact
from samovar_forecast.exceptions import ArtifactError, ConfigurationError, SAMoVARError
from samovar_forecast.learning.artifact import FORMS
from samovar_forecast.learning.panel_forecaster import PanelForecaster
from samovar_forecast.learning.trained_network import TrainedNetwork, TrainingResult
from samovar_forecast.process import versions

if TYPE_CHECKING:
    from samovar_forecast.adapters.sktime.forecaster import SAMoVARForecaster

HOLDS = "sktime forecaster"

MTYPES = (
    *("pd.Series", "pd.DataFrame", "np.ndarray", "pd-multiindex", "pd_multiindex_hier"),
    *("df-list", "numpy3D", "nested_univ"),
)
"""sktime's names of the containers that come back from their rows alone."""


@dataclass(frozen=True)
class Horizon:
    """A horizon of sktime."""

    times: pd.Index
    is_relative: bool
    freq: str | None


@dataclass(frozen=True)
class Fit:
    """A fit: the model, and what sktime knows of the data.

    Attributes
    ----------
    model : PanelForecaster
    container : str
        sktime's name of the kind of frame that answers are given in.
    name : hashable
        Name of a series.
    cutoff : pandas.Index
    horizon : Horizon or None
    seed : int
        From which the next update is seeded.
    data : str
        Digest of the rows of fit and of the updates.
    training : TrainingResult or None
    """

    model: PanelForecaster
    container: str
    name: Hashable
    cutoff: pd.Index
    horizon: Horizon | None
    seed: int
    data: str
    training: TrainingResult | None


@dataclass(frozen=True)
class State:
    """What a forecaster is made of: parameters of the constructor, and what it has learned."""

    parameters: dict[str, Any]
    pretrained: TrainedNetwork | None
    fit: Fit | None


def save_forecaster(forecaster: SAMoVARForecaster, path: str | Path) -> None:
    """Write a forecaster; see :meth:`SAMoVARForecaster.save_artifact`."""
    pretrained = getattr(forecaster, "pretrained_network_", None)
    if not forecaster.is_fitted and pretrained is None:
        raise NotFittedError(
            "there is nothing to save before the forecaster has learned; call fit or pretrain first"
        )
    seed = getattr(forecaster, "_seed", 0)
    fit = _fit_of(forecaster, seed) if forecaster.is_fitted else None
    parameters = {
        name: _as_name(value, seed) for name, value in forecaster.get_params(deep=False).items()
    }
    write_artifact(path, HOLDS, State(parameters, pretrained, fit), FORMS, _card(fit, seed))


def _fit_of(forecaster: SAMoVARForecaster, seed: int) -> Fit:
    container = forecaster._y_metadata["mtype"]
    if container not in MTYPES:
        raise ConfigurationError(
            "answers in containers of this kind cannot be kept in an artifact",
            found=container,
            wanted=list(MTYPES),
            remedy="fit with a frame of pandas",
        )
    asked, horizon = forecaster._fh, None
    if asked is not None:
        freq = asked.freq
        freq = freq if freq is None or isinstance(freq, str) else freq.freqstr
        horizon = Horizon(asked.to_pandas(), asked.is_relative, freq)
    return Fit(
        forecaster._model,
        container,
        forecaster._converter_store_y.get("name"),
        forecaster.cutoff,
        horizon,
        seed,
        forecaster._data,
        forecaster._training,
    )


def _as_name(value: Any, seed: int) -> Any:
    """Return a parameter as text, numbers, or a tuple of them."""
    if isinstance(value, (np.random.RandomState, np.random.Generator)):
        return seed
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (list, np.ndarray, pd.Index)):
        return tuple(value)
    return value


def _card(fit: Fit | None, seed: int) -> dict[str, Any]:
    """Return what a reader wants to know of a forecaster without loading it."""
    card: dict[str, Any] = {
        "versions": versions("sktime", "torch", "pytorch-lightning", "pandas", "numpy"),
        "seed": seed,
    }
    if fit is None:
        return card
    panel, training = fit.model.panel, fit.training
    shares = {
        name: round(float(share.mean()), 4) for name, share in fit.model.average.shares.items()
    }
    card |= {
        "data_sha256": fit.data,
        "series": [str(name) for name in panel.target_names],
        "instances": len(panel.instances),
        "rows_kept": max(map(len, panel.instances)),
        "last_time": str(max(instance.last for instance in panel.instances)),
        "mean_shares": shares,
    }
    if training is not None:
        losses = [epoch.get("validation_loss") for epoch in training.history]
        known = [loss for loss in losses if loss is not None and np.isfinite(loss)]
        card |= {
            "epochs": training.n_epochs,
            "best_epoch": training.best_epoch,
            "best_validation_loss": min(known, default=None),
        }
    return card


def load_forecaster(kind: type[SAMoVARForecaster], path: str | Path) -> SAMoVARForecaster:
    """Return a forecaster of a class; see :meth:`SAMoVARForecaster.load_artifact`."""
    state = _read(path)
    known = inspect.signature(kind.__init__).parameters.keys() - {"self"}
    unknown = sorted(state.parameters.keys() - known)
    if unknown:
        raise ArtifactError(f"{path} holds a parameter that is not known", found=unknown[0])
    try:
        forecaster = kind(**state.parameters)
        forecaster._plan()
        if state.pretrained is not None:
            forecaster.pretrained_network_ = state.pretrained
            forecaster._state = "pretrained"
        if state.fit is not None:
            _restore(forecaster, state.fit)
    except ArtifactError:
        raise
    except (SAMoVARError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise ArtifactError(f"{path} holds no {HOLDS}", found=str(error)) from error
    return forecaster


def load_trained(path: str | Path) -> TrainedNetwork:
    """Return the trained network of a forecaster that was saved.

    Raises
    ------
    ArtifactError
        If there is no such artifact at ``path``, or no network was trained.
    """
    state = _read(path)
    trained = None if state.fit is None else state.fit.model.trained
    trained = trained or state.pretrained
    if trained is None:
        raise ArtifactError(
            f"{path} holds no trained network",
            remedy="save it after pretrain, or after fit with pretrained=False, train=True",
        )
    return trained


def _read(path: str | Path) -> State:
    state = read_artifact(path, HOLDS, State, FORMS).value
    assert isinstance(state, State)
    return state


def _restore(forecaster: SAMoVARForecaster, fit: Fit) -> None:
    """Bring a forecaster to a fit, by the steps of sktime's own ``fit`` around ours."""
    y, X = fit.model.panel.frames()
    if fit.container not in MTYPES:
        raise ValueError(f"no container {fit.container[:40]!r}")
    asked = None
    if fit.horizon is not None:
        asked = ForecastingHorizon(
            fit.horizon.times, is_relative=fit.horizon.is_relative, freq=fit.horizon.freq
        )
    if fit.container == "pd.Series":
        y = y.iloc[:, 0].rename(fit.name)
    else:
        y = convert_to(y, to_type=fit.container)
    forecaster._check_X_y(X=X, y=y)
    forecaster._set_cutoff(fit.cutoff)
    forecaster._check_fh(asked)
    forecaster._is_vectorized = False
    forecaster._seed, forecaster._data = fit.seed, fit.data
    forecaster._keep(fit.model, fit.training)
    forecaster._state = "fitted"
