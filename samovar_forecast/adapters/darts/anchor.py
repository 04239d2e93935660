"""The anchor of a darts model: its sample and held-out windows, numbers into its files.

Letters of the shapes: B windows, L input chunk, s output chunk, C components, F future covariates.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch
from darts import TimeSeries
from pytorch_lightning.callbacks import ModelCheckpoint

from samovar_forecast.adapters.darts.host import (
    SequentialTorchTrainingDataset,
    TorchTrainingDataset,
    collate_windows,
)
from samovar_forecast.adapters.darts.module import SAMoVARModule, covariates_in_time
from samovar_forecast.adapters.darts.roll_out import bearable_gate
from samovar_forecast.adapters.darts.rows import (
    find_offset,
    holds_series,
    join_rows,
    read_instances,
    season_of_dataset,
)
from samovar_forecast.adapters.darts.windows import SlicedTrainingDataset
from samovar_forecast.bundle import write_whole
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
        sample_weight=of_held_out(dataset.sample_weight),
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
        n_steps: int,
        shift: int,
    ) -> Sample:
        """Join the rows of both datasets, where a series continues another.

        Where the validation starts with the training, no window lies before it. All rows then stand
        for the rows before: the network has learned from the validation too.

        Parameters
        ----------
        training, validation : TorchTrainingDataset
        context, n_steps, shift : int
            Rows of a window, of its forecast and between both.
        """
        earlier, season = read_instances(training, shift), season_of_dataset(training)
        if validation is None:
            return cls(earlier, earlier, season)
        later = read_instances(validation, shift)
        if not (holds_series(training) and holds_series(validation)):
            return cls(earlier + later, earlier, season)
        n_before = context + shift  # rows of a validation series before its first forecast
        numbers: Sequence[int | None] = getattr(validation, "continues", None) or (
            range(len(later)) if len(later) == len(earlier) else [None] * len(later)
        )
        rows, before = list(earlier), list(earlier)
        for number, held, series in zip(numbers, later, validation.series, strict=True):
            offset = None if number is None else find_offset(training.series[number], series)
            if number is None or offset is None:
                rows.append(held)
                before.append(held.until(n_before))
            else:
                rows[number] = join_rows(earlier[number], held, offset)
                before[number] = rows[number].until(offset + n_before)
        if all(len(one.target) < context + shift + n_steps for one in before):
            before = rows
        return cls(rows, before, season)


def attach(
    module: SAMoVARModule,
    trainer: pl.Trainer,
    training: TorchTrainingDataset,
    validation: TorchTrainingDataset | None,
    tell: Callable[[str], None],
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
    tell : callable
        Called with the name of each of the two stages, when the stage begins.
    """
    tell("linear forecast: estimation")
    config, shift = module.network.config, module.output_chunk_shift
    sample = Sample.of(training, validation, config.context_length, config.patch_length, shift)
    linear, earlier = estimate_anchors(
        sample.rows,
        sample.before,
        n_steps=config.patch_length,
        max_lag=config.context_length,
        season=sample.season,
        shift=shift,
    )
    tell("linear forecast: share beside the network")
    newest = _newest_windows(sample.rows, config.context_length)
    _attach(module, trainer, validation, linear, earlier, newest)
    if trainer.is_global_zero:
        for path in _find_checkpoints(trainer):
            checkpoint = torch.load(path, map_location="cpu", weights_only=False)  # just written
            saved = copy.deepcopy(module)
            saved.load_state_dict(checkpoint["state_dict"])
            _attach(saved, trainer, validation, linear, earlier, newest)
            checkpoint["state_dict"] = saved.state_dict()
            content = io.BytesIO()
            torch.save(checkpoint, content)
            write_whole(path, content.getvalue())


def _attach(
    module: SAMoVARModule,
    trainer: pl.Trainer,
    validation: TorchTrainingDataset | None,
    linear: LinearForecast,
    earlier: LinearForecast,
    newest: np.ndarray,
) -> None:
    gate = np.zeros((linear.map.n_steps, module.n_targets))
    if validation is not None:
        gate = _forecast_held_out(module, trainer, validation).gate(
            earlier, module.output_chunk_shift
        )
    if not module.output_chunk_shift:  # or darts does not roll out
        is_sampled = module.likelihood is not None
        gate = bearable_gate(linear.map, gate, newest, is_sampled=is_sampled)
    put_beside(module.network, linear, gate)


def _newest_windows(instances: Sequence[Rows], context: int) -> np.ndarray:
    """Return the last window of some instances, (B, L, C), of those without a gap there."""
    windows = [one.target[-context:] for one in instances if len(one.target) >= context]
    complete = [window for window in windows if np.isfinite(window).all()]
    if not complete:
        return np.empty((0, context, instances[0].target.shape[1]))
    return np.stack(complete[:: 1 + len(complete) // WINDOWS_AT_ONCE])


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
        given = collate_windows([dataset[index] for index in chosen])
        batch = module.windows_at_place(given, trainer)
        with precision.forward_context():
            center = module.network_center(batch.to_module_input())
        known = covariates_in_time(batch, module.output_chunk_shift)
        if known is None:
            known = center.new_zeros(len(chosen), 0)
        actual = batch.future_target
        if batch.sample_weight is not None:
            actual = actual.masked_fill(batch.sample_weight == 0, torch.nan)
        tensors = (batch.past_target, known, center, actual)
        parts.append([as_array(tensor) for tensor in tensors])
    module.to(came_from).train(was_training)
    windows, ahead, learned, actual = (np.concatenate(batch) for batch in zip(*parts, strict=True))
    return HeldOut(windows, ahead if ahead.size else None, learned, actual, numbers)


def _order_windows(dataset: TorchTrainingDataset) -> tuple[np.ndarray, list[int]]:
    """Return the series number and the index of every window, in time order within a series."""
    if not holds_series(dataset):
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
