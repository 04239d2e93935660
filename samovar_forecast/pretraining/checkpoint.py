"""Checkpoints of a run: one file of numbers and JSON, written whole or not at all."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from samovar_forecast.bundle import write_whole
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.network.zero_shot import ZeroShotConfig
from samovar_forecast.pretraining.batches import Sizes
from samovar_forecast.pretraining.training import Pretraining, Progress, Recipe

FORMAT = "samovar_forecast pretraining 1"


def save_checkpoint(run: Pretraining, path: Path) -> None:
    """Write everything that a run needs to go on; an older checkpoint is replaced at the end.

    Parameters
    ----------
    run : Pretraining
    path : Path
    """
    tensors: dict[str, Tensor] = {}
    for part, module in (("network", run.network), ("average", run.average)):
        tensors |= {f"{part}.{name}": value for name, value in module.state_dict().items()}
    for name, parameter in run.network.named_parameters():
        for moment, value in run.optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer.{moment}.{name}"] = value
    about = {
        "format": FORMAT,
        "recipe": json.dumps(dataclasses.asdict(run.recipe)),
        "progress": json.dumps(dataclasses.asdict(run.progress)),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    content = save({name: value.detach().cpu() for name, value in tensors.items()}, about)
    write_whole(path, content)


def load_checkpoint(path: Path, device: str | torch.device = "cpu") -> Pretraining:
    """Return the run that was written, ready to go on as if it had never stopped.

    Parameters
    ----------
    path : Path
    device : str or torch.device, default="cpu"

    Returns
    -------
    Pretraining

    Raises
    ------
    ConfigurationError
        If the file is not there or is no checkpoint.
    """
    try:
        with safe_open(path, "pt", device=str(device)) as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    if about.get("format") != FORMAT:
        raise ConfigurationError(
            f"{path} is no checkpoint of a pretraining", found=about.get("format"), wanted=FORMAT
        )
    run = Pretraining(_recipe(json.loads(about["recipe"])), device)
    run.network.load_state_dict(_part(tensors, "network."))
    run.average.load_state_dict(_part(tensors, "average."))
    moments = _part(tensors, "optimizer.")
    for name, parameter in run.network.named_parameters():
        state = {
            key.split(".", 1)[0]: value
            for key, value in moments.items()
            if key.split(".", 1)[1] == name
        }
        if state:
            run.optimizer.state[parameter] = state
    run.progress = Progress(**json.loads(about["progress"]))
    return run


def _recipe(stored: dict[str, Any]) -> Recipe:
    sizes: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in stored["sizes"].items()
    }
    return Recipe(
        **{**stored, "network": ZeroShotConfig(**stored["network"]), "sizes": Sizes(**sizes)}
    )


def _part(tensors: dict[str, Tensor], start: str) -> dict[str, Tensor]:
    return {name[len(start) :]: value for name, value in tensors.items() if name.startswith(start)}
