"""What the tests of the darts model share: small series, small models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("darts", reason="darts is not installed")

from darts import TimeSeries

import samovar_forecast
from samovar_forecast import SAMoVARModel

if TYPE_CHECKING:
    from samovar_forecast import SAMoVARZeroShotModel

# What other packages say on every run, whatever the model; all else is an error.
THIRD_PARTY = [
    "ignore:'pin_memory' argument is set as true but no accelerator is found",
    "ignore:`isinstance\\(treespec, LeafSpec\\)` is deprecated",
    "ignore:Total length of `list` across ranks is zero",
    "ignore:The '(train|val|predict)_dataloader' does not have many workers",
    "ignore:The number of training batches",
    "ignore:You called `self.log",
    "ignore:Found .* module\\(s\\) in eval mode",  # darts' models share their default loss
]

QUIET = {
    "accelerator": "cpu",
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "logger": False,
}


def tiny(**changes: Any) -> SAMoVARModel:
    """A model that trains in a fraction of a second."""
    parameters: dict[str, Any] = {
        "input_chunk_length": 12,
        "output_chunk_length": 4,
        "num_layers": 1,
        "d_model": 16,
        "n_epochs": 1,
        "random_state": 0,
        "linear": False,  # the network is what these tests are about
        "pl_trainer_kwargs": QUIET,
    }
    return SAMoVARModel(**{**parameters, **changes})


def zero_shot(**changes: Any) -> SAMoVARZeroShotModel:
    """The pretrained network, for the same chunks."""
    parameters: dict[str, Any] = {
        "input_chunk_length": 24,
        "output_chunk_length": 4,
        "pl_trainer_kwargs": QUIET,
    }
    return samovar_forecast.SAMoVARZeroShotModel(**{**parameters, **changes})


def waves(
    n_time: int = 80,
    n_components: int = 2,
    *,
    seed: int = 0,
    start: str = "2020-01-01",
    dtype: str = "float32",
) -> TimeSeries:
    """Noisy waves at daily steps."""
    noise = np.random.default_rng(seed).normal(scale=0.1, size=(n_time, n_components))
    periods = 5 + 2 * np.arange(n_components)
    values = np.sin(2 * np.pi * np.arange(n_time)[:, None] / periods) + noise
    return daily(values, start, dtype)


def daily(values: np.ndarray, start: str = "2020-01-01", dtype: str = "float32") -> TimeSeries:
    """A series at daily steps."""
    times = pd.date_range(start, periods=len(values), freq="D")
    return TimeSeries.from_times_and_values(times, np.asarray(values, dtype=dtype))


def assert_same(one: TimeSeries, other: TimeSeries, tolerance: float = 0.0) -> None:
    """Same times, names and values."""
    assert one.time_index.equals(other.time_index)
    assert list(one.components) == list(other.components)
    np.testing.assert_allclose(one.all_values(), other.all_values(), rtol=0, atol=tolerance)
