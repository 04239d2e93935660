"""Rows for closed-form estimates from darts' datasets: an instance for each series.

Letters of the shapes: n time steps, C components, F future covariates.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from darts import TimeSeries

from samovar_forecast.adapters.darts.host import (
    ShiftedTorchTrainingDataset,
    TorchTrainingDataset,
    n_steps_between,
)
from samovar_forecast.frames.time_grid import season_of
from samovar_forecast.linear.linear_map import Rows

ROWS_OF_OTHER_DATASETS = 20_000
"""Where a dataset holds no series, windows are the instances, with about this many rows in all."""


def holds_series(dataset: TorchTrainingDataset) -> bool:
    """Tell whether a dataset is cut from series that it holds."""
    return isinstance(dataset, ShiftedTorchTrainingDataset)


def season_of_dataset(dataset: TorchTrainingDataset) -> int:
    """Return the season that the series of a dataset share, in steps; 1 for none."""
    series = dataset.series if holds_series(dataset) else ()
    seasons = {1 if isinstance(one.freq, int) else season_of(one.freq) for one in series}
    return seasons.pop() if len(seasons) == 1 else 1


def read_instances(dataset: TorchTrainingDataset, shift: int) -> list[Rows]:
    """Return an instance for each series of a dataset; without series, for some windows.

    Values of sample weight 0 are missing values here; other weights are not read.
    """
    if not holds_series(dataset):
        return list(_windows_as_instances(dataset, shift))
    absent = [None] * len(dataset.series)
    known, weights = dataset.future_covariates or absent, dataset.sample_weight or absent
    return [
        Rows(_read_target(series, weight), None if future is None else _read(future, series))
        for series, future, weight in zip(dataset.series, known, weights, strict=True)
    ]


def _read_target(series: TimeSeries, weight: TimeSeries | None) -> np.ndarray:
    """Return the values, (n, C); NaN where the user gave a sample weight of 0."""
    values = _read(series, series)
    return values if weight is None else np.where(_read(weight, series) == 0, np.nan, values)


def _read(of: TimeSeries, like: TimeSeries) -> np.ndarray:
    """Return the values of a series at the times of another series; NaN where there are none."""
    values = of.all_values(copy=False).mean(axis=2, dtype=np.float64)
    return pd.DataFrame(values, index=of.time_index).reindex(like.time_index).to_numpy()


def _windows_as_instances(dataset: TorchTrainingDataset, shift: int) -> Iterator[Rows]:
    sample = dataset[0]
    n_rows = len(sample.past_target) + len(sample.future_target)
    stride = max(1, len(dataset) * n_rows // ROWS_OF_OTHER_DATASETS)

    def joined(past: np.ndarray, future: np.ndarray) -> np.ndarray:
        between = np.full((shift, past.shape[1]), np.nan)
        return np.concatenate([past, between, future]).astype(np.float64)

    for index in range(0, len(dataset), stride):
        sample = dataset[index]
        known, future = None, sample.future_target
        if sample.future_covariates is not None:
            known = joined(sample.historic_future_covariates, sample.future_covariates)
        if sample.sample_weight is not None:
            future = np.where(sample.sample_weight == 0, np.nan, future)
        yield Rows(joined(sample.past_target, future), known)


def find_offset(earlier: TimeSeries, later: TimeSeries) -> int | None:
    """Return the row of the earlier series at which the later series starts.

    None if the later series starts before the earlier series, after a gap, or in another frequency.
    """
    if earlier.freq != later.freq or later.start_time() < earlier.start_time():
        return None
    offset = n_steps_between(later.start_time(), earlier.start_time(), earlier.freq)
    return offset if offset <= len(earlier) else None


def join_rows(earlier: Rows, later: Rows, offset: int) -> Rows:
    """Return the rows of the earlier instance, and the later rows that follow them."""
    n_common = len(earlier.target) - offset
    known = None
    if earlier.covariates is not None and later.covariates is not None:
        known = np.concatenate([earlier.covariates, later.covariates[n_common:]])
    return Rows(np.concatenate([earlier.target, later.target[n_common:]]), known)
