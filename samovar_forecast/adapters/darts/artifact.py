"""A fitted darts model as an artifact: parameters, weights and the series of a fit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
import torch
from darts import TimeSeries
from torch import Tensor

from samovar_forecast.adapters.darts.host import TorchTrainingSample
from samovar_forecast.adapters.darts.plain_parameters import PARAMETER, SERIES, TABLE
from samovar_forecast.artifact import read_artifact, write_artifact
from samovar_forecast.artifact.plain import Form, Forms, Reader, Writer
from samovar_forecast.exceptions import (
    ArtifactError,
    ConfigurationError,
    NotFittedError,
    SAMoVARError,
)
from samovar_forecast.network.artifact import check_weights
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from samovar_forecast.process import isolated_random_state, usual_torch, versions

if TYPE_CHECKING:
    from samovar_forecast.adapters.darts.base import SAMoVARTorchModel

Model = TypeVar("Model", bound="SAMoVARTorchModel")

_ENCODED = "darts_enc_"

LARGEST_SAMPLE = 10_000_000
"""Numbers of a window."""

KEPT_TYPES = {torch.float32, torch.float64}
SAMPLE_TYPES = ("float16", "float32", "float64")

_OF_A_LOADED_MODEL = {"save_checkpoints": False, "force_reset": False}
"""A loaded model writes no checkpoints of its own, and clears no folder of another machine."""


class Weights(dict[str, Tensor]):
    """State of a module."""


class Parameter:
    """A parameter of a constructor; it is never made."""


@dataclass(frozen=True)
class State:
    """What a fitted model is made of.

    Attributes
    ----------
    parameters : dict of str to object
        Of the constructor.
    sample : dict of str to tuple of int
        Shapes of a window, of the parts that are there.
    weights : Weights
    zero_shot : ZeroShotConfig or None
        Shape of the pretrained network.
    random_state : tuple
        Of the generator that draws samples.
    static_covariates : DataFrame or None
    series, past_covariates, future_covariates : TimeSeries or None
        That the model was fitted on, if it is a single series.
    sample_type : str or None
        Type of the numbers of the fit, ``"float32"`` or ``"float64"``, in which the model computes.
        None in artifacts of before: the type of the weights.
    """

    parameters: dict[str, Parameter]
    sample: dict[str, tuple[int, ...]]
    weights: Weights
    zero_shot: ZeroShotConfig | None
    random_state: Parameter
    static_covariates: pd.DataFrame | None
    series: TimeSeries | None
    past_covariates: TimeSeries | None
    future_covariates: TimeSeries | None
    sample_type: str | None = None


def _write_weights(value: Weights, writer: Writer, at: str) -> dict[str, Any]:
    for name, tensor in value.items():
        writer.keep(f"{at}.{name}", tensor)
    return {}


def _read_weights(plain: Any, reader: Reader, at: str) -> Weights:
    if plain != {}:
        raise ValueError(f"{at} names nothing")
    return Weights(reader.take(f"{at}."))


FORMS = Forms(
    {
        Parameter: PARAMETER,
        Weights: Form(_write_weights, _read_weights),
        TimeSeries: SERIES,
        pd.DataFrame: TABLE,
    }
)


def save_model(model: SAMoVARTorchModel, path: str | Path) -> None:
    """Write a fitted model; see :meth:`SAMoVARTorchModel.save_artifact`."""
    if model.model is None or not model._fit_called:
        raise NotFittedError("the model is not fitted", remedy="call fit first")
    series = model.training_series
    if model.encoders.encoding_available and series is None:
        raise ConfigurationError(
            "encoders that were fitted on several series cannot be kept in an artifact",
            remedy="leave add_encoders out, or keep the model by darts' own save",
        )
    network = model.model.network
    weights = Weights(model.model.state_dict())
    unknown = {own.dtype for own in weights.values() if own.is_floating_point()} - KEPT_TYPES
    if unknown:
        raise ConfigurationError(
            "an artifact holds weights in float32 or float64",
            found=", ".join(map(str, unknown)),
            remedy="fit on series in float32, or keep the model by darts' own save",
        )
    sample = model.train_sample.sample_shapes()
    state = State(
        dict(model.model_params) | _OF_A_LOADED_MODEL,
        {name: shape for name, shape in sample.items() if shape is not None},
        weights,
        network.config if isinstance(network.config, ZeroShotConfig) else None,
        model._random_instance.get_state(),
        model.static_covariates,
        series,
        _without_encodings(model.past_covariate_series),
        _without_encodings(model.future_covariate_series),
        str(model.train_sample.past_target.dtype),
    )
    card = {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "epochs": model.epochs_trained,
        "seed": model.model_params.get("random_state"),
        "versions": versions("darts", "torch", "pytorch-lightning", "pandas", "numpy"),
    }
    write_artifact(path, _holds(type(model)), state, FORMS, card)


def load_model(kind: type[Model], path: str | Path) -> Model:
    """Return a fitted model; see :meth:`SAMoVARTorchModel.load_artifact`."""
    state = read_artifact(path, _holds(kind), State, FORMS).value
    try:
        with usual_torch(), isolated_random_state(0):
            return _restored(kind, state)
    except ArtifactError:
        raise
    except (
        *(SAMoVARError, ValueError, TypeError, KeyError, AttributeError, IndexError),
        *(RuntimeError, OverflowError, MemoryError, AssertionError),
    ) as error:
        raise ArtifactError(f"{path} holds no {_holds(kind)}", found=str(error)) from error


def _restored(kind: type[Model], state: State) -> Model:
    n_layers: Any = state.parameters.get("num_layers", 1)
    if n_layers > len(state.weights):  # before a layer is built
        raise ValueError("there are more layers than weights")
    if sum(math.prod(shape) for shape in state.sample.values()) > LARGEST_SAMPLE:
        raise ValueError(f"there is no window of {state.sample}")
    model = kind(**state.parameters)
    model.config_of_weights = state.zero_shot
    floats = {tensor.dtype for tensor in state.weights.values() if tensor.is_floating_point()}
    kept_type = state.sample_type or ("float64" if torch.float64 in floats else "float32")
    if kept_type not in SAMPLE_TYPES:
        raise ValueError(f"no model computes in {kept_type}")
    sample = {name: np.zeros(shape, kept_type) for name, shape in state.sample.items()}
    model.train_sample = TorchTrainingSample(**sample)
    model.output_dim = model.train_sample.future_target.shape[1]
    with torch.device("meta"):  # shapes alone, whatever the parameters ask for
        shapes = model._init_model().float()
        # This makes room for an anchor.
        meta = {name: tensor.to("meta") for name, tensor in state.weights.items()}
        shapes.load_state_dict(meta, strict=False)
    dtype = check_weights(shapes.state_dict(), state.weights, "the model")
    model.model = model._init_model()
    model.model.to_dtype(dtype)
    model.model.load_state_dict(state.weights)
    model.model.eval()
    past, future = state.past_covariates, state.future_covariates
    model.encoders = model.initialize_encoders()
    if model.encoders.encoding_available:
        past, future = model.generate_fit_encodings(state.series, past, future)
    model.training_series = state.series
    model.past_covariate_series, model.future_covariate_series = past, future
    model.static_covariates = state.static_covariates
    model._random_instance.set_state(state.random_state)
    model._update_covariates_use()
    model._fit_called = True
    return model


def _without_encodings(covariates: TimeSeries | None) -> TimeSeries | None:
    """Return covariates without what the encoders of a fit have added; None if nothing is left."""
    if covariates is None:
        return None
    own = [name for name in covariates.components if not str(name).startswith(_ENCODED)]
    return covariates[own] if own else None


def _holds(kind: type) -> str:
    return f"darts {kind.__name__}"
