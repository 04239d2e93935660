"""A network trained on the rows of a panel: from a plan, and again on new rows."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from samovar_forecast.config import TrainingConfig
from samovar_forecast.frames.panel import Panel
from samovar_forecast.learning.covariate_units import scale_panel
from samovar_forecast.learning.members import TrainedMember, take_off
from samovar_forecast.learning.plan import Plan
from samovar_forecast.learning.pretrained_member import AdaptedMember, PretrainedMember
from samovar_forecast.learning.scaled_rows import ScaledRows, scale_rows
from samovar_forecast.learning.trained_network import WINDOWS_AT_ONCE, Columns, TrainedNetwork
from samovar_forecast.learning.windows import WindowSet
from samovar_forecast.network import SAMoVARNetwork
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.process import nothing_left_behind

if TYPE_CHECKING:
    from samovar_forecast.learning.fine_tuning import FineTuning
    from samovar_forecast.learning.trained_network import TrainingResult

# `training` and `fine_tuning` are imported late: the training loop is the heaviest import, and a
# forecast needs nothing of the pretraining.


_WINDOWS_JUDGED, _NUMBERS_JUDGED = 48, 2**18
"""Held-out windows by which an adaptation is judged, and numbers in them, at most."""


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

    def adapt(
        self, network: ZeroShotNetwork, objective: FineTuning, *windows_and_config: Any
    ) -> TrainingResult:
        """Train a pretrained network in place; its weights are kept if no epoch is better."""
        from samovar_forecast.learning.training import train_network

        return train_network(
            network,
            objective,
            *windows_and_config,
            random_state=self.seed,
            device=self.device,
            progress=self.progress,
            checkpoint_dir=self.checkpoint_dir,
            judge_start=True,
        )

    def train(
        self, network: SAMoVARNetwork, *windows_and_config: Any, **options: Any
    ) -> TrainingResult:
        """Train a network in place; the arguments are those of `fit_network`."""
        if self.fit is not None:
            fit = self.fit
        else:
            with nothing_left_behind("pytorch_lightning", "lightning"):
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
    shape = network.config
    windows = lay_out_windows(instances, shape.patch_length, shape.context_length)
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


def adapt_member(
    pretrained: PretrainedMember,
    instances: Sequence[ScaledRows],
    plan: Plan,
    how: HowToTrain,
) -> tuple[AdaptedMember | None, TrainingResult | None]:
    """Return the pretrained network after a training on windows of a panel.

    It learns by the loss of its pretraining at every position of the windows; the windows that
    forecast the last share of the rows choose the epoch, the start among them.

    Parameters
    ----------
    pretrained : PretrainedMember
    instances : sequence of ScaledRows
        All rows of the panel.
    plan : Plan
    how : HowToTrain

    Returns
    -------
    member : AdaptedMember or None
        None where no epoch forecast the held-out windows better than the pretrained weights, or no
        window could be held out.
    result : TrainingResult or None
        None where nothing was trained.
    """
    from samovar_forecast.learning.fine_tuning import FineTuning

    plan.check_adapting()
    network = pretrained.network
    rows = [
        ScaledRows(take_off(pretrained.effect, own), own.past_covariates, None) for own in instances
    ]
    lengths = plan.shape_adaptation(max(map(len, rows)), network.config.horizon)
    windows = lay_out_windows(rows, *lengths)
    training, validation = windows.split_in_time(plan.validation_fraction)
    if validation is None or not _has_futures(validation):
        return None, None
    n_numbers = lengths.context_length * sum(windows.widths)
    config, n_windows = plan.budget_adaptation(n_numbers)
    n_judged = max(1, min(_WINDOWS_JUDGED, _NUMBERS_JUDGED // n_numbers))
    adapted = copy.deepcopy(network)
    result = how.adapt(
        adapted,
        FineTuning(network.config.quantiles, pretrained.season),
        training.thinned(n_windows),
        validation.thinned(n_judged),
        config,
    )
    if result.best_epoch is None:
        return None, result
    honest_from = _first_held_out(len(instances), validation)
    member = AdaptedMember(adapted, pretrained.season, pretrained.effect, honest_from)
    return member, result


def pretrain_network(
    panel: Panel, plan: Plan, horizon: int | None, ready: TrainedNetwork | None, how: HowToTrain
) -> TrainedNetwork:
    """Return a network trained on a panel, for other panels; parameters as of `train_member`."""
    plan = dataclasses.replace(plan, train=True).beside(ready)
    scalers = scale_panel(panel.instances)
    instances = [scale_rows(instance, scalers[instance.key]) for instance in panel.instances]
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
    windows = lay_out_windows(instances, shape.patch_length, shape.context_length)
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


def lay_out_windows(
    instances: Sequence[ScaledRows], patch_length: int, context_length: int
) -> WindowSet:
    """Return the windows of all instances; a shorter instance is filled up to a window."""
    series = [rows.tensors(context_length + patch_length) for rows in instances]
    return WindowSet.from_series(series, context_length, patch_length)


def _has_futures(windows: WindowSet) -> bool:
    """Tell whether any window has an observed value to forecast."""
    return any(
        not bool(windows.batch(indices).future.isnan().all())
        for indices in torch.arange(len(windows)).split(WINDOWS_AT_ONCE)
    )
