"""What is learned from series and can be carried to others: a network, its head and its errors.

A :class:`TrainedNetwork` holds no data: a network, what its numbers mean, and how far off its
forecasts were on windows that it had not learned from.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from samovar_forecast.config import NetworkConfig
from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.panel import Panel
from samovar_forecast.learning.uncertainty import Calibration, scores_of
from samovar_forecast.learning.windows import WindowSet
from samovar_forecast.network import SAMoVARNetwork
from samovar_forecast.network.heads import Head
from samovar_forecast.network.roll_out import roll_forecast

# Windows that are forecast together.
WINDOWS_AT_ONCE = 32
# Windows whose forecasts are scored: at most, and so few that those of the training are better.
_SCORED_AT_MOST = 500
_SCORED_AT_LEAST = 10
# A step is calibrated by itself if this many windows reach it.
_REACHED_AT_LEAST = 20


class Columns(NamedTuple):
    """Names of the series and of the covariates, in the order of the network's channels."""

    target: tuple[Hashable, ...]
    past: tuple[Hashable, ...]
    future: tuple[Hashable, ...]

    @classmethod
    def of(cls, panel: Panel) -> Columns:
        """Return those of a panel."""
        names = (panel.target_names, panel.past_names, panel.future_names)
        return cls(*(tuple(index) for index in names))


@dataclass(frozen=True)
class TrainingResult:
    """What came out of a training, beside the weights.

    Attributes
    ----------
    history : tuple of dict
        One entry an epoch: ``epoch`` (from 0), ``training_loss`` and, with a validation set,
        ``validation_loss`` (of the forecast: mean squared error, in scaled units, for a point).
    best_epoch : int or None
        Epoch whose weights were kept; None for the weights that the training started from.
    n_epochs : int
        Epochs trained.
    seed : int
        Seed that all random choices came from.
    """

    history: tuple[dict[str, float], ...]
    best_epoch: int | None
    n_epochs: int
    seed: int


@dataclass(frozen=True)
class TrainedNetwork:
    """What is learned from a panel and can be carried to other series.

    Parameters
    ----------
    network : SAMoVARNetwork
        On the CPU, in eval mode.
    head : Head
        What its numbers are.
    columns : Columns
        Names of the series that it learned from.
    calibration : Calibration, optional
        Scores of its forecasts, in units of the scaled series.
    is_held_out : bool
        Whether the scores are those of windows that it did not learn from.
    beside : tuple of str, default=("linear", "pretrained")
        Names of the members that stood beside it in the forecast.
    """

    network: SAMoVARNetwork
    head: Head
    columns: Columns
    calibration: Calibration | None = None
    is_held_out: bool = False
    beside: tuple[str, ...] = ("linear", "pretrained")

    @classmethod
    def new(cls, panel: Panel, config: NetworkConfig, head: Head, seed: int) -> TrainedNetwork:
        """Return a network for a panel, with random weights."""
        network = SAMoVARNetwork(config, torch.Generator().manual_seed(seed)).eval()
        return cls(network, head, Columns.of(panel))

    @property
    def config(self) -> NetworkConfig:
        """Shape of the network."""
        return self.network.config

    def check_columns(self, panel: Panel) -> None:
        """Refuse a panel that the network cannot read.

        Raises
        ------
        DataError
            If there are more or fewer series or covariates of a role than it learned from, or
            the same in another order.
        """
        for role, known, found in zip(
            ("y", "X (past covariates)", "X (future covariates)"),
            self.columns,
            Columns.of(panel),
            strict=True,
        ):
            if len(found) != len(known):
                raise DataError(
                    f"{role} has another number of columns than the pretrained network",
                    found=f"{len(found)}: {list(found)}",
                    wanted=f"{len(known)}, like {list(known)}",
                )
            if found != known and set(found) == set(known):
                raise DataError(
                    f"the columns of {role} are in another order than in the pretraining",
                    found=list(found),
                    wanted=list(known),
                )

    def scored(
        self, windows: WindowSet, held_out: WindowSet | None, n_steps: int
    ) -> TrainedNetwork:
        """Return a network with the scores of its forecasts of held-out windows.

        If these are too few, and no scores are known from before, those of all windows stand in.

        Parameters
        ----------
        windows, held_out : WindowSet
            All windows, and those that it did not learn from.
        n_steps : int
            Steps that are scored, if the windows reach that far.

        Returns
        -------
        TrainedNetwork
        """
        if held_out is not None and len(held_out) >= _SCORED_AT_LEAST:
            calibration = _calibration(self, held_out, n_steps)
            if calibration is not None:
                return dataclasses.replace(self, calibration=calibration, is_held_out=True)
        if self.calibration is not None:
            return self
        calibration = _calibration(self, windows, n_steps)
        return dataclasses.replace(self, calibration=calibration, is_held_out=False)


def _calibration(trained: TrainedNetwork, windows: WindowSet, n_steps: int) -> Calibration | None:
    """Score the forecasts of at most 500 windows, evenly spaced; None if nothing was observed."""
    config = trained.config
    stops = torch.tensor([stop for _, stop in windows.bounds])[windows.instance]
    reach = stops - windows.starts - config.context_length  # steps that a window can be judged by
    n_reached = min(_REACHED_AT_LEAST, len(windows))
    farthest = int(reach.sort(descending=True).values[n_reached - 1])
    n_steps = max(config.patch_length, min(n_steps, farthest))
    n_chosen = min(len(windows), _SCORED_AT_MOST)
    chosen = torch.linspace(0, len(windows) - 1, n_chosen, dtype=torch.float64).round().long()
    n_ahead = math.ceil(n_steps / config.patch_length) * config.patch_length
    scores = []
    for numbers in chosen.split(WINDOWS_AT_ONCE):
        rows = windows.starts[numbers, None] + torch.arange(config.context_length + n_ahead)
        is_beyond = rows >= stops[numbers, None]
        values = windows.table[torch.minimum(rows, stops[numbers, None] - 1)]
        past, target, future = values.split(windows.widths, dim=-1)
        parameters = roll_forecast(
            trained.network,
            target[:, : config.context_length],
            n_steps,
            past[:, : config.context_length] if past.shape[-1] else None,
            future if future.shape[-1] else None,
            head=trained.head,
        )
        actual = torch.where(is_beyond[..., None], torch.nan, target)
        actual = actual[:, config.context_length : config.context_length + n_steps]
        scores.append(
            scores_of(
                actual.numpy().astype(np.float64),
                parameters.numpy().astype(np.float64),
                trained.head,
            )
        )
    try:
        return Calibration(np.concatenate(scores))
    except DataError:
        return None
