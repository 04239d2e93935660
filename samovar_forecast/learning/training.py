"""Training of a network on windows: loss, schedule, early stopping, best weights, resume.

The loop, devices, precision, early stopping and checkpoints are PyTorch Lightning's.
"""

from __future__ import annotations

import copy
import hashlib
import logging
import math
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, EarlyStopping, ModelCheckpoint
from torch import Tensor
from tqdm.auto import tqdm

from samovar_forecast.config import TrainingConfig
from samovar_forecast.exceptions import ConfigurationError, TrainingError
from samovar_forecast.learning.windows import WindowBatch, WindowSet
from samovar_forecast.network import SAMoVARNetwork
from samovar_forecast.network.heads import Head
from samovar_forecast.network.losses import head_errors, head_loss, output_parameters
from samovar_forecast.process import interruption_kept, isolated_random_state, quieted, resolve_seed

CHECKPOINT_NAME = "training"
SECONDS_WITHOUT_PROGRESS_BAR = 5.0
SECONDS_BETWEEN_LINES_OF_A_LOG = 10.0
VALIDATION_BATCH = 128


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


def one_cycle_optimizer(
    parameters: Iterable[torch.nn.Parameter], config: TrainingConfig, n_steps: int
) -> tuple[torch.optim.AdamW, torch.optim.lr_scheduler.LRScheduler]:
    """Return AdamW and the linear one-cycle schedule over ``n_steps`` optimiser steps.

    The rate rises from ``learning_rate / initial_division`` in the first ``warmup_share`` of the
    steps (two at least), then falls; beta1 cycles against it, as ``cycle_beta1`` says.
    """
    optimizer = torch.optim.AdamW(
        parameters,
        lr=config.learning_rate,
        betas=config.betas,
        weight_decay=config.weight_decay,
        # One pass over all parameters; under mixed precision Lightning cannot clip for it.
        fused=config.precision != "bf16-mixed",
    )
    cycle = config.cycle_beta1
    n_steps = max(n_steps, 3)  # torch wants a step in each phase
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=config.learning_rate,
        total_steps=n_steps,
        pct_start=max(config.warmup_share, 2 / n_steps),
        anneal_strategy="linear",
        div_factor=config.initial_division,
        final_div_factor=config.final_division,
        cycle_momentum=cycle is not None,
        base_momentum=cycle[0] if cycle else 0.85,
        max_momentum=cycle[1] if cycle else 0.95,
    )
    return optimizer, schedule


class _Batches:
    """Iterable over the windows of a set, one gather a batch; shuffled anew for each epoch."""

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
            generator = torch.Generator().manual_seed(_mix_seed(self.seed, self.epoch))
            order = torch.randperm(len(self.windows), generator=generator)
        for indices in order.to(self.windows.starts.device).split(self.batch_size):
            yield self.windows.batch(indices)


def _mix_seed(seed: int, epoch: int) -> int:
    """Return a seed of its own for an epoch, so that a resumed run repeats what it would have."""
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0])


class _SAMoVARTraining(pl.LightningModule):
    """The network under the paper's loss, optimiser and schedule."""

    def __init__(
        self,
        network: SAMoVARNetwork,
        head: Head,
        config: TrainingConfig,
        n_steps: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.network = network
        self.head = head
        self.training_config = config
        self.n_steps = n_steps
        self.seed = seed
        self._training_losses: list[Tensor] = []
        self._validation_errors: list[Tensor] = []

    def on_train_epoch_start(self) -> None:
        torch.manual_seed(_mix_seed(self.seed, self.current_epoch))  # dropout; inside the fork
        batches = self.trainer.train_dataloader
        batches.epoch = self.current_epoch  # type: ignore[union-attr]
        self._training_losses = []

    def training_step(self, batch: WindowBatch, _: int) -> Tensor:
        output = self.network(*batch[:4])
        weight = self.training_config.next_patch_loss_weight
        loss = head_loss(output, batch.target, batch.future, self.head, weight)
        self._training_losses.append(loss.total.detach())
        return loss.total

    def on_validation_epoch_start(self) -> None:
        self._validation_errors = []

    def validation_step(self, batch: WindowBatch, _: int) -> None:
        output = self.network(*batch[:4], last_only=True)
        parameters = output_parameters(output, batch.target, self.head)
        errors = head_errors(parameters, batch.future, self.head)
        is_observed = ~batch.future.isnan()
        self._validation_errors.append(errors[is_observed])

    def on_validation_epoch_end(self) -> None:
        self.log("validation_loss", torch.cat(self._validation_errors).mean())

    def mean_training_loss(self) -> float:
        return float(torch.stack(self._training_losses).mean())

    def configure_optimizers(self) -> Any:
        optimizer, schedule = one_cycle_optimizer(
            self.parameters(), self.training_config, self.n_steps
        )
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        # Past its end the one-cycle schedule would return a negative rate: it stops at its end.
        if scheduler.last_epoch + 1 < scheduler.total_steps:
            scheduler.step()


class _Journal(Callback):
    """Keeps the history and the best weights, in memory and in every checkpoint."""

    def __init__(self, fingerprint: str, has_validation: bool) -> None:
        self.fingerprint = fingerprint
        self.has_validation = has_validation
        self.history: list[dict[str, float]] = []
        self.best_loss = math.inf
        self.best_epoch = -1
        self.best_weights: dict[str, Tensor] = {}

    def on_sanity_check_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        # Lightning's check before the training is asked for all windows: the start is judged.
        assert isinstance(pl_module, _SAMoVARTraining)
        judged = float(trainer.callback_metrics["validation_loss"])
        if math.isfinite(judged):
            self.best_loss = judged
            self.best_weights = copy.deepcopy(pl_module.network.state_dict())

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, _SAMoVARTraining)
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
        return {name: getattr(self, name) for name in _Journal._kept}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for name in _Journal._kept:
            setattr(self, name, state_dict[name])

    _kept = ("fingerprint", "history", "best_loss", "best_epoch", "best_weights")


def _is_watched() -> bool:
    """Tell whether a bar is drawn in place, on a terminal or in a notebook."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules


class _ProgressBar(Callback):
    """One bar over all steps of the fit; it appears once the fit has lasted a while."""

    def __init__(self, n_steps: int, delay: float) -> None:
        self.n_steps = n_steps
        self.delay = delay

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.bar = tqdm(
            total=self.n_steps,
            initial=trainer.global_step,
            desc="fitting",
            unit="step",
            delay=self.delay,
            mininterval=0.1 if _is_watched() else SECONDS_BETWEEN_LINES_OF_A_LOG,
            leave=False,
        )

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any, **kwargs: Any) -> None:
        self.bar.update(trainer.global_step - self.bar.n)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        metrics = trainer.callback_metrics
        if "validation_loss" in metrics:
            self.bar.set_postfix(
                epoch=pl_module.current_epoch + 1,
                validation=f"{float(metrics['validation_loss']):.4g}",
                refresh=False,
            )

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if hasattr(self, "bar"):
            self.bar.close()


def fit_network(
    network: SAMoVARNetwork,
    train: WindowSet,
    validation: WindowSet | None,
    config: TrainingConfig,
    *,
    head: Head | None = None,
    random_state: int | np.random.RandomState | np.random.Generator | None = None,
    device: str = "auto",
    progress: bool | None = None,
    checkpoint_dir: str | Path | None = None,
    judge_start: bool = False,
) -> TrainingResult:
    """Train a network in place and leave it with its best weights, on the CPU, in eval mode.

    Parameters
    ----------
    network : SAMoVARNetwork
        Network to train.
    train : WindowSet
        Training windows.
    validation : WindowSet or None
        Windows that choose the best epoch and stop the training early. Without them all epochs
        are trained and the last weights stand.
    config : TrainingConfig
    head : Head, optional
        What the K numbers per step are, and with it the loss; a point by default.
    random_state : int, numpy generator or None
        Seed of order and dropout. The global random states are left as they were; fits that run
        in threads of one process wait for each other.
    device : {"auto", "cpu", "cuda", "mps"}
    progress : bool or None
        Progress bar: always, never, or (None) only once the fit has lasted five seconds.
    checkpoint_dir : path, optional
        Folder in which the state of the training is kept after every epoch. If it already holds
        the state of the same fit (data, configuration, seed), training goes on from there.
    judge_start : bool, default=False
        Whether the weights that the training starts from are a candidate like those of each
        epoch, as pretrained ones should be. Without validation windows it makes no difference.

    Returns
    -------
    TrainingResult

    Raises
    ------
    TrainingError
        If no epoch gave a finite loss.
    ConfigurationError
        If the device is unknown or not there, or the folder holds the state of another fit.
    """
    seed = resolve_seed(random_state)
    n_batches = math.ceil(len(train) / config.batch_size)
    n_steps = math.ceil(n_batches / config.accumulate) * config.max_epochs
    head = Head.point() if head is None else head
    module = _SAMoVARTraining(network, head, config, n_steps, seed)
    journal = _Journal(
        _fingerprint(network, head, train, validation, config, seed), validation is not None
    )
    callbacks: list[Callback] = [journal]
    if validation is not None and config.patience is not None:
        callbacks.append(
            EarlyStopping("validation_loss", patience=config.patience, check_finite=True)
        )
    if progress is not False:
        delay = 0.0 if progress else SECONDS_WITHOUT_PROGRESS_BAR
        callbacks.append(_ProgressBar(n_steps, delay))
    resume_from = None
    if checkpoint_dir is not None:
        folder = Path(checkpoint_dir)
        callbacks.append(ModelCheckpoint(folder, CHECKPOINT_NAME, enable_version_counter=False))
        resume_from = _same_fit(folder / f"{CHECKPOINT_NAME}.ckpt", journal.fingerprint)
    accelerator = _accelerator(device)
    network.train()  # Lightning leaves the mode as it finds it, and dropout would stay off
    with isolated_random_state(seed), _quiet_lightning(), interruption_kept():
        trainer = pl.Trainer(
            accelerator=accelerator,
            devices=1,
            precision=config.precision,
            max_epochs=config.max_epochs,
            gradient_clip_val=config.clip_norm if math.isfinite(config.clip_norm) else None,
            accumulate_grad_batches=config.accumulate,
            callbacks=callbacks,
            logger=False,
            enable_checkpointing=checkpoint_dir is not None,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=-1 if judge_start and validation is not None else 0,
        )
        place = trainer.strategy.root_device
        trainer.fit(
            module,
            _Batches(train.to(place), config.batch_size, seed),
            None if validation is None else _Batches(validation.to(place), VALIDATION_BATCH, None),
            ckpt_path=resume_from,
            weights_only=True,
        )
    if not journal.best_weights:
        raise TrainingError(
            "training gave no finite loss in any epoch",
            remedy="look for extreme values in the data, or lower learning_rate",
        )
    network.cpu().eval()
    network.load_state_dict(journal.best_weights)
    best_epoch = None if journal.best_epoch < 0 else journal.best_epoch
    return TrainingResult(tuple(journal.history), best_epoch, len(journal.history), seed)


def _fingerprint(
    network: SAMoVARNetwork,
    head: Head,
    train: WindowSet,
    validation: WindowSet | None,
    config: TrainingConfig,
    seed: int,
) -> str:
    """Return a digest of all that decides the outcome of a fit, the initial weights included."""
    digest = hashlib.sha256()
    for text in (network.config.to_json(), repr(head), config.to_json(), str(seed)):
        digest.update(text.encode())
    tensors = [*network.state_dict().values(), train.table, train.starts]
    if validation is not None:
        tensors.append(validation.starts)
    for tensor in tensors:
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _same_fit(checkpoint: Path, fingerprint: str) -> Path | None:
    """Return the checkpoint if it is there and belongs to this fit."""
    if not checkpoint.exists():
        return None
    stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
    found = [
        state["fingerprint"] for state in stored["callbacks"].values() if "fingerprint" in state
    ]
    if found != [fingerprint]:
        raise ConfigurationError(
            f"{checkpoint} holds the state of another fit (data, configuration or seed differ)",
            remedy="give another checkpoint_dir, or remove that file to start anew",
        )
    return checkpoint


def _accelerator(device: str) -> str:
    """Translate a device into Lightning's word, and refuse one that is not there."""
    there = {
        "auto": True,
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if device not in there:
        raise ConfigurationError("unknown device", found=repr(device), wanted=list(there))
    if not there[device]:
        raise ConfigurationError(f"device {device!r} is not available", remedy="use device='auto'")
    return {"cuda": "gpu"}.get(device, device)


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Silence banners and advice about loaders inside the block; leave the loggers as they were."""
    names = ("pytorch_lightning.utilities.rank_zero", "pytorch_lightning.accelerators.cuda")
    with quieted(names, logging.ERROR), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pytorch_lightning")
        yield
