"""A training as Lightning runs it: its batches, its steps, its journal and its bar."""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, EarlyStopping
from pytorch_lightning.callbacks.early_stopping import EarlyStoppingReason
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from tqdm.auto import tqdm

from samovar_forecast.config import TrainingConfig
from samovar_forecast.learning.windows import WindowBatch, WindowSet
from samovar_forecast.network import Loss, NetworkOutput, SAMoVARNetwork
from samovar_forecast.network.heads import Head
from samovar_forecast.network.losses import head_loss, output_parameters

SECONDS_BETWEEN_LINES_OF_A_LOG = 10.0

LossFunction: TypeAlias = Callable[[NetworkOutput, Tensor, Tensor, Head, float], Loss]
"""Output of a forward, windows, futures, head and weight of the next patch -> loss."""

OptimizerFunction: TypeAlias = Callable[
    [Any, TrainingConfig, int], tuple[Optimizer, LRScheduler | None]
]
"""Network, configuration and number of steps -> optimiser, and schedule over its steps."""


class Objective(Protocol):
    """What a training lowers, and by what its epochs are judged."""

    @property
    def described(self) -> str:
        """All that decides the loss, as text."""

    def loss(self, network: Any, batch: WindowBatch) -> Tensor:
        """Return the loss of a network on a batch; a scalar."""

    def errors(self, network: Any, batch: WindowBatch) -> Tensor:
        """Return the errors of the forecasts of a batch where values were observed, (n,)."""


@dataclass(frozen=True)
class HeadObjective:
    """The loss that a head brings, on the windows of a :class:`SAMoVARNetwork`."""

    head: Head
    next_patch_weight: float
    function: LossFunction

    @property
    def described(self) -> str:
        """The head, and the name of a loss other than the head's own."""
        own = self.function
        name = f"{own.__module__}.{getattr(own, '__qualname__', type(own).__qualname__)}"
        return repr(self.head) + ("" if own is head_loss else name)

    def loss(self, network: SAMoVARNetwork, batch: WindowBatch) -> Tensor:
        """Return the loss of a batch."""
        output = network(*batch[:4])
        weight = self.next_patch_weight
        return self.function(output, batch.target, batch.future, self.head, weight).total

    def errors(self, network: SAMoVARNetwork, batch: WindowBatch) -> Tensor:
        """Return the errors of the forecasts where a value was observed."""
        output = network(*batch[:4], last_only=True)
        parameters = output_parameters(output, batch.target, self.head)
        return self.head.errors(parameters, batch.future)[~batch.future.isnan()]


class Batches:
    """Batches of the windows of a set, each a single gather; shuffled anew for each epoch."""

    def __init__(self, windows: WindowSet, batch_size: int, seed: int | None) -> None:
        self.windows = windows
        self.batch_size = batch_size
        self.seed = seed  # None: in order
        self.epoch = 0

    def __len__(self) -> int:
        return math.ceil(len(self.windows) / self.batch_size)

    def __iter__(self) -> Iterator[WindowBatch]:
        order = torch.arange(len(self.windows))
        if self.seed is not None:
            generator = torch.Generator().manual_seed(mix_seed(self.seed, self.epoch))
            order = torch.randperm(len(self.windows), generator=generator)
        for indices in order.to(self.windows.starts.device).split(self.batch_size):
            yield self.windows.batch(indices)


def mix_seed(seed: int, epoch: int) -> int:
    """Return a seed of its own for an epoch, so that a resumed run repeats what it would have."""
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0])


class TrainingLoop(pl.LightningModule):
    """The network under an objective, an optimiser and a schedule.

    Parameters
    ----------
    network : torch.nn.Module
    objective : Objective
    config : TrainingConfig
    n_steps : int
        Steps of the optimiser in the whole training.
    seed : int
    optimizer : callable
        As in :func:`samovar_forecast.learning.training.fit_network`.
    """

    def __init__(
        self,
        network: nn.Module,
        objective: Objective,
        config: TrainingConfig,
        n_steps: int,
        seed: int,
        optimizer: OptimizerFunction,
    ) -> None:
        super().__init__()
        self.network = network
        self.objective = objective
        self.training_config = config
        self.n_steps = n_steps
        self.seed = seed
        self.optimizer = optimizer
        self._training_losses: list[Tensor] = []
        self._validation_errors: list[Tensor] = []

    def on_train_epoch_start(self) -> None:
        """Seed dropout for the epoch, and shuffle the windows anew."""
        torch.manual_seed(mix_seed(self.seed, self.current_epoch))  # dropout; inside the fork
        batches = self.trainer.train_dataloader
        batches.epoch = self.current_epoch  # type: ignore[union-attr]
        self._training_losses = []

    def training_step(self, batch: WindowBatch, _: int) -> Tensor:
        """Return the loss of a batch."""
        loss = self.objective.loss(self.network, batch)
        self._training_losses.append(loss.detach())
        return loss

    def on_validation_epoch_start(self) -> None:
        """Forget the errors of the epoch before."""
        self._validation_errors = []

    def validation_step(self, batch: WindowBatch, _: int) -> None:
        """Keep the errors of a batch of forecasts, where a value was observed."""
        self._validation_errors.append(self.objective.errors(self.network, batch))

    def on_validation_epoch_end(self) -> None:
        """Tell Lightning the mean error."""
        self.log("validation_loss", torch.cat(self._validation_errors).mean())

    def mean_training_loss(self) -> float:
        """Return the mean loss of the batches of the epoch."""
        return float(torch.stack(self._training_losses).mean())

    def configure_optimizers(self) -> Any:
        """Return optimiser and schedule, as Lightning wants them."""
        optimizer, schedule = self.optimizer(self.network, self.training_config, self.n_steps)
        if schedule is None:
            return optimizer
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        """Advance the schedule by a step of the optimiser."""
        # Past its end the one-cycle schedule would return a negative rate: it stops at its end.
        if scheduler.last_epoch + 1 < getattr(scheduler, "total_steps", math.inf):
            scheduler.step()


class Journal(Callback):
    """Keeps the history and the best weights, in memory and in every checkpoint."""

    def __init__(self, fingerprint: str, has_validation: bool) -> None:
        self.fingerprint = fingerprint
        self.has_validation = has_validation
        self.history: list[dict[str, float]] = []
        self.best_loss = math.inf
        self.best_epoch = -1
        self.best_weights: dict[str, Tensor] = {}

    def on_sanity_check_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Judge the weights that the training starts from."""
        # Lightning's check before the training is asked for all windows.
        assert isinstance(pl_module, TrainingLoop)
        judged = float(trainer.callback_metrics["validation_loss"])
        if math.isfinite(judged):
            self.best_loss = judged
            self.best_weights = copy.deepcopy(pl_module.network.state_dict())

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the epoch down, and keep its weights if they are the best."""
        assert isinstance(pl_module, TrainingLoop)
        entry = {
            "epoch": float(pl_module.current_epoch),
            "training_loss": pl_module.mean_training_loss(),
        }
        judged = entry["training_loss"]
        if self.has_validation:
            judged = entry["validation_loss"] = float(trainer.callback_metrics["validation_loss"])
        self.history.append(entry)
        # Without a validation set there is nothing to choose by: the last weights stand.
        if math.isfinite(judged) and (judged < self.best_loss or not self.has_validation):
            self.best_loss, self.best_epoch = judged, pl_module.current_epoch
            self.best_weights = copy.deepcopy(pl_module.network.state_dict())

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {name: getattr(self, name) for name in Journal._kept}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what a checkpoint kept."""
        for name in Journal._kept:
            setattr(self, name, state_dict[name])

    _kept = ("fingerprint", "history", "best_loss", "best_epoch", "best_weights")


class Patience(EarlyStopping):
    """Stops the training once the validation loss is no number, or no epoch was better for long."""

    def __init__(self, n_epochs: int) -> None:
        super().__init__("validation_loss", patience=n_epochs, check_finite=True)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keep a training stopped that had stopped when its checkpoint was written."""
        # Lightning restores why the training stopped, and would train an epoch more.
        if self.stopping_reason is not EarlyStoppingReason.NOT_STOPPED:
            trainer.should_stop = True


def _is_watched() -> bool:
    """Tell whether a bar is drawn in place, on a terminal or in a notebook."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules


class ProgressBar(Callback):
    """A bar over the epochs of the training; it appears once the training has lasted a while."""

    def __init__(self, n_epochs: int, delay: float) -> None:
        self.n_epochs = n_epochs
        self.delay = delay

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draw the bar, as far as a resumed training has come."""
        self.bar = tqdm(
            total=self.n_epochs,
            initial=trainer.current_epoch,
            desc="training",
            unit="epoch",
            delay=self.delay,
            mininterval=0.1 if _is_watched() else SECONDS_BETWEEN_LINES_OF_A_LOG,
            miniters=0,
            leave=False,
        )
        self.validation = ""

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Tell how far the epoch has come."""
        told = f"step {batch_idx + 1} of {trainer.num_training_batches}{self.validation}"
        self.bar.set_postfix_str(told, refresh=False)
        self.bar.update(0)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Move the bar on, and keep the validation loss to be shown beside it."""
        metrics = trainer.callback_metrics
        if "validation_loss" in metrics:
            self.validation = f", validation {float(metrics['validation_loss']):.4g}"
        self.bar.update(1)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show that the end is reached, also where no epoch was better for long."""
        if self.bar.n < self.bar.total:
            self.bar.total = self.bar.n
            self.bar.refresh()

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Take the bar away."""
        if hasattr(self, "bar"):
            self.bar.close()
