"""A network trained on the rows of a panel: from a plan, and again on new rows."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from samovar_forecast.config import NetworkConfig, TrainingConfig
from samovar_forecast.frames.panel import Panel
from samovar_forecast.frames.scaler import InstanceScaler
from samovar_forecast.learning.members import TrainedMember
from samovar_forecast.learning.plan import Plan
from samovar_forecast.learning.scaled_rows import ScaledRows, scale_rows
from samovar_forecast.learning.trained_network import WINDOWS_AT_ONCE, Columns, TrainedNetwork
from samovar_forecast.learning.windows import WindowSet
from samovar_forecast.network import SAMoVARNetwork

if TYPE_CHECKING:
    from samovar_forecast.learning.trained_network import TrainingResult

# `training` is imported late, for the training loop is the heaviest import.


class HowToTrain(NamedTuple):
    """How a training runs, whatever is trained.

    Attributes
    ----------
    seed : int, default=0
    fit : callable, optional
        Trains the network in place. It is called as, and by default is,
        :func:`samovar_forecast.learning.training.fit_network`.
    device, progress, checkpoint_dir
        As in :func:`samovar_forecast.learning.training.fit_network`.
    """

    seed: int = 0
    fit: Callable[..., TrainingResult] | None = None
    device: str = "auto"
    progress: bool | None = None
    checkpoint_dir: str | Path | None = None

    def train(
        self, network: SAMoVARNetwork, *windows_and_config: Any, **options: Any
    ) -> TrainingResult:
        """Train a network in place; the arguments are those of `fit_network`."""
        if self.fit is not None:
            fit = self.fit
        else:
            from samovar_forecast.learning.training import fit_network

            fit = fit_network
        return fit(
            network,
            *windows_and_config,
            random_state=self.seed,
            device=self.device,
            progress=self.progress,
            **options,
        )


def train_member(
    instances: Sequence[ScaledRows],
    panel: Panel,
    plan: Plan,
    horizon: int | None,
    ready: TrainedNetwork | None,
    how: HowToTrain,
) -> tuple[TrainedMember, TrainingResult | None]:
    """Return a trained network as a member: trained by a plan, or ready and left as it is.

    Parameters
    ----------
    instances : sequence of ScaledRows
        All rows of the panel.
    panel : Panel
    plan : Plan
    horizon : int or None
        Farthest step that will be asked for; the scores reach that far if the sample does.
    ready : TrainedNetwork or None
        Where the training starts; without ``plan.train`` the member itself.
    how : HowToTrain

    Returns
    -------
    member : TrainedMember
    result : TrainingResult or None
        None where nothing was trained.
    """
    start = plan.choose_start(panel, horizon, ready, how.seed)
    network = copy.deepcopy(start.network)
    windows = lay_out_windows(instances, network.config)
    training, validation = windows.split_in_time(plan.validation_fraction)
    if validation is not None and not _has_futures(validation):
        training, validation = windows, None
    result, honest_from = None, (0.0,) * len(instances)
    if plan.train:
        result = how.train(
            network,
            training,
            validation,
            plan.budget_training(len(training)),
            head=start.head,
            checkpoint_dir=how.checkpoint_dir,
            judge_start=ready is not None,
        )
        honest_from = _first_held_out(len(instances), validation)
    else:
        validation = windows  # nothing was learned from any of them
    beside = tuple(name for name in ("linear", "pretrained") if getattr(plan, name))
    learned = dataclasses.replace(
        start, network=network, columns=Columns.of(panel), beside=beside
    ).scored(windows, validation, max(horizon or 0, network.config.patch_length))
    return TrainedMember(learned, honest_from), result


def pretrain_network(
    panel: Panel, plan: Plan, horizon: int | None, ready: TrainedNetwork | None, how: HowToTrain
) -> TrainedNetwork:
    """Return a network trained on a panel, for other panels; parameters as of `train_member`."""
    plan = dataclasses.replace(plan, train=True).beside(ready)
    instances = [scale_rows(instance, InstanceScaler.of(instance)) for instance in panel.instances]
    return train_member(instances, panel, plan, horizon, ready, how)[0].trained


def train_further(
    trained: TrainedNetwork,
    instances: Sequence[ScaledRows],
    config: TrainingConfig,
    how: HowToTrain,
) -> TrainedNetwork:
    """Return a network that learned from all windows of some rows too, if they hold a window."""
    shape = trained.config
    if max(map(len, instances)) < shape.context_length + shape.patch_length:
        return trained
    windows = lay_out_windows(instances, shape)
    if not _has_futures(windows):
        return trained
    network = copy.deepcopy(trained.network)
    how.train(network, windows, None, config, head=trained.head)
    return dataclasses.replace(trained, network=network)


def _first_held_out(n_instances: int, validation: WindowSet | None) -> tuple[float, ...]:
    """Return the first row of each instance that a validation window forecasts; else infinity."""
    if validation is None:
        return (math.inf,) * n_instances
    return tuple(math.inf if row is None else row for row in validation.first_forecast_rows())


def lay_out_windows(instances: Sequence[ScaledRows], config: NetworkConfig) -> WindowSet:
    """Return the windows of all instances; a shorter instance is filled up to a window."""
    n_time = config.context_length + config.patch_length
    series = [rows.tensors(n_time) for rows in instances]
    return WindowSet.from_series(series, config.context_length, config.patch_length)


def _has_futures(windows: WindowSet) -> bool:
    """Tell whether any window has an observed value to forecast."""
    return any(
        not bool(windows.batch(indices).future.isnan().all())
        for indices in torch.arange(len(windows)).split(WINDOWS_AT_ONCE)
    )
