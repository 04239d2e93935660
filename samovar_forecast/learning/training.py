"""Training of a network on windows: loss, schedule, early stopping, best weights, resume.

The loop, devices, precision, early stopping and checkpoints are PyTorch Lightning's; what it calls
stands in :mod:`samovar_forecast.learning.loop`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from samovar_forecast.config import TrainingConfig
from samovar_forecast.exceptions import ConfigurationError, TrainingError
from samovar_forecast.learning.checkpoints import CheckedCheckpoints, newest_checkpoint
from samovar_forecast.learning.loop import (
    Batches,
    HeadObjective,
    Journal,
    LossFunction,
    Objective,
    OptimizerFunction,
    Patience,
    ProgressBar,
    TrainingLoop,
)
from samovar_forecast.learning.trained_network import TrainingResult
from samovar_forecast.learning.windows import WindowSet
from samovar_forecast.network import SAMoVARNetwork
from samovar_forecast.network.heads import Head
from samovar_forecast.network.losses import head_loss
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.process import (
    interruption_kept,
    is_worker,
    isolated_random_state,
    quieted,
    resolve_seed,
)

CHECKPOINT_NAME = "training"
SECONDS_WITHOUT_PROGRESS_BAR = 5.0
VALIDATION_BATCH = 128


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


def _optimize_in_one_cycle(
    network: SAMoVARNetwork, config: TrainingConfig, n_steps: int
) -> tuple[Optimizer, LRScheduler]:
    return one_cycle_optimizer(network.parameters(), config, n_steps)


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
    loss: LossFunction = head_loss,
    optimizer: OptimizerFunction | None = None,
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
        in threads of the same process wait for each other.
    device : {"auto", "cpu", "cuda", "mps"}
    progress : bool or None
        Progress bar: always, never, or (None) only once the fit has lasted five seconds. In a
        worker process never: bars of several processes would stand over each other.
    checkpoint_dir : path, optional
        Folder in which the state of the training is kept after every epoch. If it already holds
        the state of the same fit (data, configuration, seed), training goes on from there.
    judge_start : bool, default=False
        Whether the weights that the training starts from are a candidate like those of each
        epoch, as pretrained weights should be. Without validation windows it makes no difference.
    loss : callable
        Takes the output of a forward at all positions, the windows (B, L, C), the patches after
        them (B, s, C), the head, and the weight of the next patch; gives the
        :class:`~samovar_forecast.network.Loss` of a batch. By default that of the head,
        :func:`~samovar_forecast.network.losses.head_loss`.
    optimizer : callable, optional
        Takes the network, the configuration and the number of steps; gives an optimiser, and a
        schedule over its steps or None. By default :func:`one_cycle_optimizer`.

    Returns
    -------
    TrainingResult

    Raises
    ------
    TrainingError
        If no epoch gave a finite loss, memory is too small, or ``checkpoint_dir`` cannot be
        written.
    ConfigurationError
        If the device is unknown or not there, or the folder holds the state of another fit.
    """
    head = Head.point() if head is None else head
    return train_network(
        network,
        HeadObjective(head, config.next_patch_loss_weight, loss),
        train,
        validation,
        config,
        random_state=random_state,
        device=device,
        progress=progress,
        checkpoint_dir=checkpoint_dir,
        judge_start=judge_start,
        optimizer=optimizer,
    )


def train_network(
    network: SAMoVARNetwork | ZeroShotNetwork,
    objective: Objective,
    train: WindowSet,
    validation: WindowSet | None,
    config: TrainingConfig,
    *,
    random_state: int | np.random.RandomState | np.random.Generator | None = None,
    device: str = "auto",
    progress: bool | None = None,
    checkpoint_dir: str | Path | None = None,
    judge_start: bool = False,
    optimizer: OptimizerFunction | None = None,
) -> TrainingResult:
    """Train any network by any objective; all else is as in :func:`fit_network`."""
    seed = resolve_seed(random_state)
    n_batches = math.ceil(len(train) / config.batch_size)
    n_steps = math.ceil(n_batches / config.accumulate) * config.max_epochs
    chosen = _optimize_in_one_cycle if optimizer is None else optimizer
    module = TrainingLoop(network, objective, config, n_steps, seed, chosen)
    fit = fingerprint(network, objective, train, validation, config, seed, optimizer)
    journal = Journal(fit, validation is not None)
    callbacks: list[Callback] = [journal]
    if validation is not None and config.patience is not None:
        callbacks.append(Patience(config.patience))
    if progress is not False and not is_worker():
        delay = 0.0 if progress else SECONDS_WITHOUT_PROGRESS_BAR
        callbacks.append(ProgressBar(config.max_epochs, delay))
    resume_from = None
    if checkpoint_dir is not None:
        folder = Path(checkpoint_dir)
        callbacks.append(ModelCheckpoint(folder, CHECKPOINT_NAME, enable_version_counter=False))
        resume_from = _same_fit(folder / f"{CHECKPOINT_NAME}.ckpt", journal.fingerprint)
    # A checkpoint holds how the start was judged; the weights that a resumed training begins with
    # are not the start.
    judges_start = judge_start and validation is not None and resume_from is None
    accelerator = _accelerator(device)
    network.train()  # Lightning leaves the mode as it finds it, and dropout would stay off
    told = _failures_told(checkpoint_dir)
    with isolated_random_state(seed), _quiet_lightning(), interruption_kept(), told:
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
            plugins=None if checkpoint_dir is None else [CheckedCheckpoints()],
            num_sanity_val_steps=-1 if judges_start else 0,
        )
        place = trainer.strategy.root_device
        trainer.fit(
            module,
            Batches(train.to(place), config.batch_size, seed),
            None if validation is None else Batches(validation.to(place), VALIDATION_BATCH, None),
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


def fingerprint(
    network: SAMoVARNetwork | ZeroShotNetwork,
    objective: Objective,
    train: WindowSet,
    validation: WindowSet | None,
    config: TrainingConfig,
    seed: int,
    optimizer: OptimizerFunction | None = None,
) -> str:
    """Return a digest of all that decides the outcome of a fit, the initial weights included.

    Of a loss and an optimiser other than the default, only the names are known.
    """
    digest = hashlib.sha256()
    shape = json.dumps(network.config.to_dict())
    texts = [shape, objective.described, config.to_json(), str(seed)]
    if optimizer is not None:
        name = getattr(optimizer, "__qualname__", type(optimizer).__qualname__)
        texts.append(f"{optimizer.__module__}.{name}")
    for text in texts:
        digest.update(text.encode())
    tensors = [*network.state_dict().values(), train.table, train.starts]
    if validation is not None:
        tensors.append(validation.starts)
    for tensor in tensors:
        digest.update(tensor.detach().cpu().contiguous().view(-1).numpy())  # without a copy
    return digest.hexdigest()


def _same_fit(checkpoint: Path, fingerprint: str) -> Path | None:
    """Return the newest checkpoint that is there and whole; refuse the one of another fit."""
    newest = newest_checkpoint(checkpoint)
    if newest is None:
        return None
    found = [
        state["fingerprint"] for state in newest[1]["callbacks"].values() if "fingerprint" in state
    ]
    if found != [fingerprint]:
        raise ConfigurationError(
            f"{checkpoint} holds the state of another fit (data, configuration or seed differ)",
            remedy="give another checkpoint_dir, or remove that file to start anew",
        )
    return newest[0]


def _accelerator(device: str) -> str:
    """Translate a device into Lightning's word, and refuse a device that is not there."""
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
def _failures_told(checkpoint_dir: str | Path | None) -> Iterator[None]:
    """Say in a sentence of ours that a folder cannot be written, or that memory is too small.

    Raises
    ------
    TrainingError
        If the block fails by either.
    """
    try:
        yield
    except OSError as error:
        if checkpoint_dir is None:
            raise
        raise TrainingError(
            f"the state of the training cannot be written to {checkpoint_dir}: {error}",
            remedy="make room or give another checkpoint_dir; the epoch before is kept",
        ) from error
    except (MemoryError, RuntimeError) as error:
        words = str(error)
        # Of a CPU without room torch has no type of error, only words.
        phrases = ("out of memory", "allocate memory", "not enough memory")
        if isinstance(error, RuntimeError) and not any(phrase in words for phrase in phrases):
            raise
        raise TrainingError(
            f"the training needs more memory than there is: {words}",
            remedy="lower batch_size, context_length, d_model or n_layers",
        ) from error


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Silence banners and advice about loaders inside the block; leave the loggers as they were."""
    names = ("pytorch_lightning.utilities.rank_zero", "pytorch_lightning.accelerators.cuda")
    with quieted(names, logging.ERROR), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pytorch_lightning")
        yield
