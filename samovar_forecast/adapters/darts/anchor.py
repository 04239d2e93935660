"""The anchor of a darts model: rows and held-out windows from its datasets, numbers into its files.

Letters of the shapes: B windows, L input chunk, s output chunk, C components, F future covariates.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from darts import TimeSeries
from pytorch_lightning.callbacks import ModelCheckpoint

from samovar_forecast.adapters.darts.host import (
    SequentialTorchTrainingDataset,
    ShiftedTorchTrainingDataset,
    TorchTrainingDataset,
    collate_windows,
    n_steps_between,
)
from samovar_forecast.adapters.darts.module import SAMoVARModule
from samovar_forecast.adapters.darts.windows import SlicedTrainingDataset
from samovar_forecast.frames.time_grid import season_of
from samovar_forecast.learning.anchoring import as_array, put_beside
from samovar_forecast.linear.forecast import (
    WINDOWS_AT_ONCE,
    HeldOut,
    LinearForecast,
    estimate_anchors,
)
from samovar_forecast.linear.linear_map import Rows

HELD_OUT = 0.2
"""Share of each series, at its end, that is held out where there is no validation series."""

ROWS_OF_OTHER_DATASETS = 20_000
"""Where a dataset holds no series, windows are the instances, with about this many rows in all."""


def may_be_cut(dataset: TorchTrainingDataset) -> bool:
    """Tell whether a dataset is of darts' own kind, which can be built for other rows."""
    return type(dataset) in (SlicedTrainingDataset, SequentialTorchTrainingDataset)


def hold_out(
    dataset: TorchTrainingDataset, shift: int
) -> tuple[TorchTrainingDataset, TorchTrainingDataset | None]:
    """Split darts' training windows in time: windows for training, and the last of each series.

    As in :meth:`~samovar_forecast.learning.windows.WindowSet.split_in_time`, a series too short
    for both is trained on as a whole.

    Returns
    -------
    training, validation : TorchTrainingDataset
        The second is None if no series is long enough.
    """
    assert may_be_cut(dataset)
    step = shift + dataset.output_chunk_length
    context = dataset.input_chunk_length
    training, validation, continues = [], [], []
    for number, series in enumerate(dataset.series):
        n_held = max(step, round(HELD_OUT * len(series)))
        if len(series) - n_held < context + step:
            training.append(series)
            continue
        training.append(series[:-n_held])
        validation.append(series[-n_held - context - shift :])
        continues.append(number)
    if not validation:
        return dataset, None

    def of_held_out(parts: Sequence[TimeSeries] | None) -> list[TimeSeries] | None:
        return None if parts is None else [parts[number] for number in continues]

    common = {
        "input_chunk_length": context,
        "output_chunk_length": dataset.output_chunk_length,
        "output_chunk_shift": shift,
        "stride": dataset.stride,
        "use_static_covariates": dataset.uses_static_covariates_covariates,
    }
    later = SlicedTrainingDataset(
        series=validation,
        past_covariates=of_held_out(dataset.past_covariates),
        future_covariates=of_held_out(dataset.future_covariates),
        **common,
    )
    later.continues = tuple(continues)
    earlier = SlicedTrainingDataset(
        series=training,
        past_covariates=dataset.past_covariates,
        future_covariates=dataset.future_covariates,
        sample_weight=dataset.sample_weight,
        max_samples_per_ts=dataset.max_samples_per_ts,
        **common,
    )
    return earlier, later


class Sample(NamedTuple):
    """The rows from which an anchor is estimated."""

    rows: list[Rows]
    """All rows of every instance."""
    before: list[Rows]
    """The rows of every instance before the first held-out forecast."""
    season: int

    @classmethod
    def of(
        cls,
        training: TorchTrainingDataset,
        validation: TorchTrainingDataset | None,
        context: int,
        shift: int,
    ) -> Sample:
        """Join the rows of both datasets, where a series continues another."""
        earlier, season = _read_instances(training, shift), _season(training)
        if validation is None:
            return cls(earlier, earlier, season)
        later = _read_instances(validation, shift)
        if not (_holds_series(training) and _holds_series(validation)):
            return cls(earlier + later, earlier, season)
        n_before = context + shift  # rows of a validation series before its first forecast
        numbers: Sequence[int | None] = getattr(validation, "continues", None) or (
            range(len(later)) if len(later) == len(earlier) else [None] * len(later)
        )
        rows, before = list(earlier), list(earlier)
        for number, held, series in zip(numbers, later, validation.series, strict=True):
            offset = None if number is None else _find_offset(training.series[number], series)
            if number is None or offset is None:
                rows.append(held)
                before.append(held.until(n_before))
            else:
                rows[number] = _join(earlier[number], held, offset)
                before[number] = rows[number].until(offset + n_before)
        return cls(rows, before, season)


def attach(
    module: SAMoVARModule,
    trainer: pl.Trainer,
    training: TorchTrainingDataset,
    validation: TorchTrainingDataset | None,
) -> None:
    """Put an anchor beside the network of a trained module, and beside its saved networks.

    Without held-out windows there is no evidence for the network, and its share is 0.

    Parameters
    ----------
    module : SAMoVARModule
        Changed in place.
    trainer : pytorch_lightning.Trainer
        The trainer that trained the module. The checkpoints of its callbacks receive the anchor,
        and each checkpoint receives the gate of its own weights.
    training, validation : TorchTrainingDataset
        The windows on which the module was trained, and the held-out windows.
    """
    config, shift = module.network.config, module.output_chunk_shift
    sample = Sample.of(training, validation, config.context_length, shift)
    linear, earlier = estimate_anchors(
        sample.rows,
        sample.before,
        n_steps=config.patch_length,
        max_lag=config.context_length,
        season=sample.season,
        shift=shift,
    )
    _attach(module, trainer, validation, linear, earlier)
    if trainer.is_global_zero:
        for path in _find_checkpoints(trainer):
            checkpoint = torch.load(path, map_location="cpu", weights_only=False)  # just written
            saved = copy.deepcopy(module)
            saved.load_state_dict(checkpoint["state_dict"])
            _attach(saved, trainer, validation, linear, earlier)
            checkpoint["state_dict"] = saved.state_dict()
            unfinished = path.with_name(f"{path.name}.unfinished")
            torch.save(checkpoint, unfinished)
            unfinished.replace(path)


def _attach(
    module: SAMoVARModule,
    trainer: pl.Trainer,
    validation: TorchTrainingDataset | None,
    linear: LinearForecast,
    earlier: LinearForecast,
) -> None:
    gate = np.zeros((linear.map.n_steps, module.n_targets))
    if validation is not None:
        gate = _forecast_held_out(module, trainer, validation).gate(
            earlier, module.output_chunk_shift
        )
    put_beside(module.network, linear, gate)


def _find_checkpoints(trainer: pl.Trainer) -> list[Path]:
    """Return the files that the fit's callbacks have kept."""
    found = {
        Path(path)
        for callback in trainer.checkpoint_callbacks
        if isinstance(callback, ModelCheckpoint)
        for path in (callback.best_model_path, callback.last_model_path, *callback.best_k_models)
        if path
    }
    return sorted(path for path in found if path.is_file())


@torch.no_grad()
def _forecast_held_out(
    module: SAMoVARModule, trainer: pl.Trainer, dataset: TorchTrainingDataset
) -> HeldOut:
    """Return all windows of a dataset with the forecasts of the network without an anchor.

    The forecasts are computed on the device of the trainer.
    """
    place, precision = trainer.strategy.root_device, trainer.strategy.precision_plugin
    was_training, came_from = module.training, module.device
    module.to(place).eval()
    numbers, order = _order_windows(dataset)
    parts = []
    for start in range(0, len(order), WINDOWS_AT_ONCE):
        chosen = order[start : start + WINDOWS_AT_ONCE]
        batch = collate_windows([dataset[index] for index in chosen])
        batch = precision.convert_input(module.transfer_batch_to_device(batch, place, 0))
        with precision.forward_context():
            center = module.network_center(batch.to_module_input())
        known = module.covariates_in_time(batch)
        if known is None:
            known = center.new_zeros(len(chosen), 0)
        parts.append(
            [as_array(tensor) for tensor in (batch.past_target, known, center, batch.future_target)]
        )
    module.to(came_from).train(was_training)
    windows, ahead, learned, actual = (np.concatenate(batch) for batch in zip(*parts, strict=True))
    return HeldOut(windows, ahead if ahead.size else None, learned, actual, numbers)


def _order_windows(dataset: TorchTrainingDataset) -> tuple[np.ndarray, list[int]]:
    """Return the series number and the index of every window, in time order within a series."""
    if not _holds_series(dataset):
        return np.zeros(len(dataset), dtype=int), list(range(len(dataset)))
    numbers: list[int] = []
    order: list[int] = []
    for number, series in enumerate(dataset.series):
        n_placed = len(series) - dataset.size_of_both_chunks + 1
        n_windows = min(dataset.max_samples_per_ts, max(0, -(-n_placed // dataset.stride)))
        first = number * dataset.max_samples_per_ts
        order.extend(range(first + n_windows - 1, first - 1, -1))  # darts puts the newest first
        numbers.extend([number] * n_windows)
    return np.array(numbers, dtype=int), order


def _holds_series(dataset: TorchTrainingDataset) -> bool:
    return isinstance(dataset, ShiftedTorchTrainingDataset)


def _season(dataset: TorchTrainingDataset) -> int:
    freq = dataset.series[0].freq if _holds_series(dataset) else 1
    return 1 if isinstance(freq, int) else season_of(freq)


def _read_instances(dataset: TorchTrainingDataset, shift: int) -> list[Rows]:
    """Return an instance for each series of a dataset; without series, for some windows."""
    if not _holds_series(dataset):
        return list(_windows_as_instances(dataset, shift))
    known = dataset.future_covariates or [None] * len(dataset.series)
    return [
        _read_rows(series, future) for series, future in zip(dataset.series, known, strict=True)
    ]


def _read_rows(series: TimeSeries, future: TimeSeries | None) -> Rows:
    values = series.all_values(copy=False).mean(axis=2, dtype=np.float64)
    if future is None:
        return Rows(values)
    known = future.all_values(copy=False).mean(axis=2, dtype=np.float64)
    table = pd.DataFrame(known, index=future.time_index)
    return Rows(values, table.reindex(series.time_index).to_numpy())


def _windows_as_instances(dataset: TorchTrainingDataset, shift: int) -> Iterator[Rows]:
    sample = dataset[0]
    n_rows = len(sample.past_target) + len(sample.future_target)
    stride = max(1, len(dataset) * n_rows // ROWS_OF_OTHER_DATASETS)

    def joined(past: np.ndarray, future: np.ndarray) -> np.ndarray:
        between = np.full((shift, past.shape[1]), np.nan)
        return np.concatenate([past, between, future]).astype(np.float64)

    for index in range(0, len(dataset), stride):
        sample = dataset[index]
        known = None
        if sample.future_covariates is not None:
            known = joined(sample.historic_future_covariates, sample.future_covariates)
        yield Rows(joined(sample.past_target, sample.future_target), known)


def _find_offset(earlier: TimeSeries, later: TimeSeries) -> int | None:
    """Return the row of the earlier series at which the later series starts.

    None if the later series starts before the earlier series, after a gap, or in another frequency.
    """
    if earlier.freq != later.freq or later.start_time() < earlier.start_time():
        return None
    offset = n_steps_between(later.start_time(), earlier.start_time(), earlier.freq)
    return offset if offset <= len(earlier) else None


def _join(earlier: Rows, later: Rows, offset: int) -> Rows:
    """Return the rows of the earlier instance, and the later rows that follow them."""
    n_common = len(earlier.target) - offset
    known = None
    if earlier.covariates is not None and later.covariates is not None:
        known = np.concatenate([earlier.covariates, later.covariates[n_common:]])
    return Rows(np.concatenate([earlier.target, later.target[n_common:]]), known)
