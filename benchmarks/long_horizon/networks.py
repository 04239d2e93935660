"""The rows that train a network of this package: the paper's setting, its controls, our default."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from benchmarks.long_horizon.data import Asked, Forecast, Task
from benchmarks.long_horizon.linear import REFITTED, anchors_of
from benchmarks.records import BenchmarkError
from samovar_forecast import NetworkConfig, SAMoVARForecaster, SAMoVARNetwork, attach_anchor
from samovar_forecast.config import TrainingConfig
from samovar_forecast.learning.members import LinearMember
from samovar_forecast.learning.pretrained_member import (
    PRETRAINED_READS,
    AdaptedMember,
    PretrainedMember,
)
from samovar_forecast.learning.scaled_rows import ScaledRows
from samovar_forecast.learning.training import fit_network
from samovar_forecast.learning.windows import SeriesTensors, WindowSet
from samovar_forecast.network.heads import Head
from samovar_forecast.network.losses import output_parameters

PAPER_TRAINING = TrainingConfig(max_epochs=101, learning_rate=6e-4, patience=12, batch_size=32)
"""The schedule of the paper's script spans an epoch more than the 100 that it trains."""


MEMBERS = {
    LinearMember.name: "its linear forecast, the same windows",
    PretrainedMember.name: "its pretrained network, the same windows",
    AdaptedMember.name: "its adapted network, the same windows",
}
"""What stands below the rows of :func:`fit_average`, by its key in the cell."""


def fit_paper(
    task: Task, asked: Asked, overrides: dict[str, Any]
) -> tuple[Forecast, dict[str, Any]]:
    """Train a network as the paper does: patch = horizon, one-cycle of 101 epochs, patience 12.

    Parameters
    ----------
    task : Task
    asked : Asked
    overrides : dict
        Fields of `NetworkConfig` that differ from the paper's: a control or an ablation.
    """
    config = NetworkConfig(task.n_series, task.horizon, asked.lookback, **overrides)
    known = SeriesTensors(torch.from_numpy(task.known().astype(np.float32)))
    windows = WindowSet.from_series([known], asked.lookback, task.horizon)
    n_train, n_known = task.borders[:2]
    train, validation = windows.split_in_time((n_known - n_train) / n_known)
    wanted = (n_train - asked.lookback - task.horizon + 1, len(task.origins("validation")))
    if validation is None or (len(train), len(validation)) != wanted:
        raise BenchmarkError(f"the windows are not split as the protocol wants: {wanted}")
    network = SAMoVARNetwork(config, torch.Generator().manual_seed(asked.seed))
    result = fit_network(
        network,
        train,
        validation,
        PAPER_TRAINING,
        random_state=asked.seed,
        device=asked.device,
        progress=False,
        checkpoint_dir=asked.checkpoint_dir,
    )
    about = {
        "config": config.to_dict(),
        "training": PAPER_TRAINING.to_dict(),
        "epochs": result.n_epochs,
        "best_epoch": result.best_epoch,
        "validation_by_epoch": [round(e["validation_loss"], 6) for e in result.history],
    }
    return lambda past: {"": _own(network, torch.from_numpy(past.astype(np.float32)))}, about


def fit_default(
    task: Task, asked: Asked, overrides: dict[str, Any]
) -> tuple[Forecast, dict[str, Any]]:
    """Train the network of `SAMoVARForecaster` and put an anchor beside it.

    The forecaster gets the training and the validation rows, and holds the latter out. Rows: the
    anchored forecast with the anchor of the training rows; the anchored forecast with the anchor
    of all rows it got, which the forecaster then answers; and the network alone.
    """
    n_train, n_known = task.borders[:2]
    lengths = {"context_length": asked.lookback, "patch_length": task.horizon}
    alone = {"linear": False, "pretrained": False, "train": True}
    options: dict[str, Any] = {**lengths, **alone, **overrides}
    fraction = (n_known - n_train) / n_known
    forecaster = SAMoVARForecaster(
        validation_fraction=fraction,
        random_state=asked.seed,
        device=asked.device,
        checkpoint_dir=asked.checkpoint_dir,
        verbose=False,
        **options,
    )
    forecaster.fit(task.frame(), fh=list(range(1, task.horizon + 1)))
    training = _training_of(forecaster, n_train - asked.lookback - task.horizon + 1)
    network, scaler = forecaster.network_, forecaster._model.scalers[None].target
    season = forecaster._model.panel.grid.season
    strict = anchors_of(task, asked.lookback, season)[1].map
    scaled = torch.from_numpy(scaler.forward(task.known()).astype(np.float32))
    rows = [SeriesTensors(scaled)]
    windows = WindowSet.from_series(rows, asked.lookback, task.horizon)
    validation = windows.split_in_time(fraction)[1]
    gate = attach_anchor(network, rows, validation, season=season).gate

    def forecast(past: np.ndarray) -> dict[str, np.ndarray]:
        target = torch.from_numpy(scaler.forward(past).astype(np.float32))
        own, anchored = _both(network, target)
        own, anchored = (part * scaler.scale + scaler.location for part in (own, anchored))
        linear = strict(past)
        return {"": linear + gate * (own - linear), REFITTED: anchored, "network": own}

    about = {
        "forecaster": {name: str(value) for name, value in options.items()},
        "config": network.config.to_dict(),
        "season": season,
        **training,
        "mean_gate": round(float(gate.mean()), 4),
    }
    return forecast, about


def fit_average(
    task: Task, asked: Asked, overrides: dict[str, Any]
) -> tuple[Forecast, dict[str, Any]]:
    """Fit `SAMoVARForecaster` by its defaults, which train nothing, on the training rows.

    Rows: its forecast, and each of its members alone.
    """
    forecaster = SAMoVARForecaster(
        verbose=False, random_state=asked.seed, device=asked.device, **overrides
    )
    forecaster.fit(task.frame().iloc[: task.borders[0]], fh=range(1, task.horizon + 1))
    average = forecaster._model.average
    scaler = forecaster._model.scalers[None].target

    def forecast(past: np.ndarray) -> dict[str, np.ndarray]:
        windows = [ScaledRows(scaler.forward(window), None, None) for window in past]
        ends = [np.array([len(window)]) for window in windows]
        alone = {}
        for member in average.members:
            if isinstance(member, LinearMember):
                member = LinearMember(member.forecasts * len(windows))
            numbers = np.concatenate(member.forecast(windows, ends, task.horizon))
            alone[member.name] = numbers[..., member.head.center]  # B s C
        together = sum(average.shares[name][0] * own for name, own in alone.items())
        return {
            name: own * scaler.scale + scaler.location
            for name, own in {"": together, **alone}.items()
        }

    shares = {name: round(float(share.mean()), 4) for name, share in average.shares.items()}
    return forecast, {"rows_read": min(PRETRAINED_READS, task.borders[0]), "shares": shares}


def _training_of(forecaster: SAMoVARForecaster, n_windows: int) -> dict[str, Any]:
    history = forecaster.history_
    return {
        "training": forecaster._plan().budget_training(n_windows).to_dict(),
        "epochs": len(history),
        "best_epoch": forecaster.best_epoch_,
        "validation_by_epoch": [round(float(loss), 6) for loss in history["validation_loss"]],
    }


@torch.inference_mode()
def _both(network: SAMoVARNetwork, target: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    output = network(target, last_only=True)
    own = output_parameters(output, target, Head.point())[..., 0]
    assert output.anchored is not None
    return own.double().numpy(), output.anchored.combine(own).double().numpy()


@torch.inference_mode()
def _own(network: SAMoVARNetwork, target: torch.Tensor) -> np.ndarray:
    output = network(target, last_only=True)
    return output_parameters(output, target, Head.point())[..., 0].numpy()
