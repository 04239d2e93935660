"""Training windows for darts, cut without darts' own work per window.

For every window, darts' dataset looks up and checks series, covariates and time axes again; where
the network is small, this costs more than the network. The dataset here lets darts place and check
the first window of each series, remembers where the parts of the window lie, and cuts all other
windows by slicing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from darts import TimeSeries

from samovar_forecast.adapters.darts.host import (
    FeatureType,
    SequentialTorchTrainingDataset,
    TorchTrainingSample,
)


class _Part(NamedTuple):
    """A sliding part of a sample: its values, and the bounds for a window that ends at 0."""

    name: str
    values: np.ndarray
    start: int
    stop: int


class _Plan(NamedTuple):
    """Where the parts of all windows of a series lie."""

    length: int
    n_windows: int
    static: np.ndarray | None
    parts: tuple[_Part, ...]


class SlicedTrainingDataset(SequentialTorchTrainingDataset):
    """darts' sequential training windows: the same samples in the same order, cut faster.

    It takes the parameters of :class:`darts.utils.data.SequentialTorchTrainingDataset`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plans: dict[int, _Plan] = {}  # of the series seen so far, by number
        # For held-out windows: the number of the training series that each series continues.
        self.continues: tuple[int, ...] | None = None

    def __getitem__(self, index: int) -> TorchTrainingSample:
        """Return the window with this index, as darts does."""
        number, rank = divmod(int(index), self.max_samples_per_ts)
        plan = self._plans.get(number)
        if plan is None:
            sample = super().__getitem__(index)
            if self._may_slice(number):
                self._plans[number] = self._plan(number)
            return sample
        end = plan.length - rank % plan.n_windows * self.stride
        return TorchTrainingSample(
            static_covariates=plan.static,
            **{part.name: part.values[end + part.start : end + part.stop] for part in plan.parts},
        )

    def _members(self, number: int) -> dict[FeatureType, TimeSeries]:
        """Return the series from which each part of a sample is cut."""
        sources = {
            FeatureType.PAST_TARGET: self.series,
            FeatureType.FUTURE_TARGET: self.series,
            FeatureType.PAST_COVARIATES: self.past_covariates,
            FeatureType.HISTORIC_FUTURE_COVARIATES: self.future_covariates,
            FeatureType.FUTURE_COVARIATES: self.future_covariates,
            FeatureType.SAMPLE_WEIGHT: self.sample_weight,
        }
        return {part: source[number] for part, source in sources.items() if source is not None}

    def _may_slice(self, number: int) -> bool:
        """Tell whether all parts are fixed; a stochastic series is drawn anew for every window."""
        return all(member.n_samples == 1 for member in self._members(number).values())

    def _plan(self, number: int) -> _Plan:
        """Read off where darts placed the first window of a series."""
        placed = self._index_memory[number]
        end = placed["end_of_output_idx"]
        parts = []
        for feature, member in self._members(number).items():
            start, stop = placed[feature]
            values = member.random_component_values(copy=False)
            parts.append(_Part(feature.value, values, start - end, stop - end))
        series = self.series[number]
        with_static = self.uses_static_covariates_covariates
        return _Plan(
            length=len(series),
            n_windows=-(-(len(series) - self.size_of_both_chunks + 1) // self.stride),
            static=series.static_covariates_values(copy=False) if with_static else None,
            parts=tuple(parts),
        )
