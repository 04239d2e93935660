"""The pretrained weights: numbers and a card, read without executing anything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from samovar_forecast.bundle import write_whole
from samovar_forecast.exceptions import ConfigurationError, NotFittedError
from samovar_forecast.network.zero_shot import ZeroShotConfig, ZeroShotNetwork

FOLDER = Path(__file__).parent / "weights"
WEIGHTS, CARD = "weights.safetensors", "card.json"
FORMAT = "samovar_forecast pretrained 1"


@dataclass(frozen=True)
class Pretrained:
    """A pretrained network and where it comes from.

    Parameters
    ----------
    network : ZeroShotNetwork
        On the CPU, in eval mode.
    card : dict
        What it was trained on and how: seed, commit, steps, time, learning curve.
    """

    network: ZeroShotNetwork
    card: dict[str, Any]


def load_pretrained(folder: str | Path | None = None) -> Pretrained:
    """Return the pretrained network.

    Parameters
    ----------
    folder : str or Path, optional
        Folder with ``weights.safetensors`` and ``card.json``; by default the weights that came with
        the package. Nothing is downloaded.

    Returns
    -------
    Pretrained

    Raises
    ------
    NotFittedError
        If there are no weights.
    ConfigurationError
        If they are not as they were written.

    Examples
    --------
    >>> load_pretrained().network.config.horizon  # doctest: +SKIP
    64
    """
    folder = FOLDER if folder is None else Path(folder)
    try:
        content, document = (folder / WEIGHTS).read_bytes(), (folder / CARD).read_text("utf-8")
    except FileNotFoundError as error:
        raise NotFittedError(
            f"there are no pretrained weights in {folder}",
            remedy="train some: python -m samovar_forecast.pretraining --minutes 60 --out FOLDER",
        ) from error
    try:
        card = json.loads(document)
        if card["format"] != FORMAT:
            raise ConfigurationError(
                f"{folder / CARD} is of another format", found=card["format"], wanted=FORMAT
            )
        if card["sha256"] != hashlib.sha256(content).hexdigest():
            raise ConfigurationError(
                f"{folder / WEIGHTS} is not as it was written", found="another checksum"
            )
        # A generator of its own: the initial weights, of which none stays, draw from it.
        network = ZeroShotNetwork(ZeroShotConfig(**card["network"]), torch.Generator())
        network.load_state_dict(load(content))
    except (KeyError, TypeError, json.JSONDecodeError, SafetensorError, RuntimeError) as error:
        raise ConfigurationError(f"{folder} holds no pretrained network: {error}") from error
    return Pretrained(network.eval(), card)


def save_pretrained(network: ZeroShotNetwork, card: Mapping[str, Any], folder: str | Path) -> None:
    """Write weights and card to a folder, each whole or not at all.

    Parameters
    ----------
    network : ZeroShotNetwork
    card : mapping
        What JSON can hold; format, shape, size and checksum are added.
    folder : str or Path
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()
    }
    content = save(state)
    document = {
        "format": FORMAT,
        "network": network.config.to_dict(),
        "parameters": sum(value.numel() for value in state.values()),
        "sha256": hashlib.sha256(content).hexdigest(),
        **card,
    }
    for name, data in ((WEIGHTS, content), (CARD, json.dumps(document, indent=1).encode() + b"\n")):
        write_whole(folder / name, data)
