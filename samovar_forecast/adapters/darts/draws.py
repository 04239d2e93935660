"""Series with several samples are drawn from by the seed of the model.

Of such a series darts takes a sample, drawn anew for every window, by numpy's global state: two
forecasts of a model with a seed would differ, and the state of the caller would move.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, cast

import numpy as np
from darts import TimeSeries

from samovar_forecast.adapters.darts.host import TorchInferenceDataset, TorchTrainingDataset
from samovar_forecast.process import isolated_numpy_state

Method = TypeVar("Method", bound=Callable[..., Any])

LARGEST_SEED = 2**32


def draws_of_the_model(method: Method) -> Method:
    """Return a method in which samples are drawn by ``random_state``, or else by the model's seed.

    Where every series has a single sample, nothing is drawn, and numpy is left alone.
    """

    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        fitted = (self.training_series, self.past_covariate_series, self.future_covariate_series)
        given = (*args, *kwargs.values(), *fitted)
        if all(series.n_samples == 1 for thing in given for series in _series_in(thing)):
            return method(self, *args, **kwargs)
        seed = kwargs.get("random_state")
        if not isinstance(seed, (int, np.integer)) or not 0 <= seed < LARGEST_SEED:
            seed = copy.deepcopy(self._random_instance).randint(LARGEST_SEED, dtype=np.int64)
        with isolated_numpy_state(np.random.RandomState(seed)):
            return method(self, *args, **kwargs)

    return cast(Method, call)


def _series_in(thing: Any) -> Iterator[TimeSeries]:
    """Yield the series that an argument is, or holds."""
    if isinstance(thing, TimeSeries):
        yield thing
    elif isinstance(thing, Sequence) and not isinstance(thing, str):
        yield from (member for member in thing if isinstance(member, TimeSeries))
    elif isinstance(thing, (TorchTrainingDataset, TorchInferenceDataset)):
        for name in ("series", "past_covariates", "future_covariates", "sample_weight"):
            yield from _series_in(getattr(thing, name, None))
