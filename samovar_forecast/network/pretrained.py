"""The pretrained weights: numbers and a card, read without executing anything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samovar_forecast.artifact.plain import Forms, Reader, Writer
from samovar_forecast.artifact.tensors import from_bytes, to_bytes
from samovar_forecast.bundle import LONGEST_DOCUMENT, checksum_of, write_whole
from samovar_forecast.exceptions import ArtifactError, NotFittedError
from samovar_forecast.network.artifact import network_form
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from samovar_forecast.process import usual_torch

FOLDER = Path(__file__).parent / "weights"
WEIGHTS, CARD = "weights.safetensors", "card.json"
FORMAT = "samovar_forecast pretrained 2"
WITHOUT_CHECKSUM = "samovar_forecast pretrained 1"
"""The format of before, which is still read: its card has no checksum of its own."""


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
    ArtifactError
        If weights or card are not as they were written, or something else.

    Examples
    --------
    >>> load_pretrained().network.config.horizon  # doctest: +SKIP
    64
    """
    folder = FOLDER if folder is None else Path(folder)
    if not any((folder / name).is_file() for name in (WEIGHTS, CARD)):
        raise NotFittedError(
            f"there are no pretrained weights in {folder}",
            remedy="train some: python -m samovar_forecast.pretraining --minutes 60 --out FOLDER",
        )
    try:
        card = _card(folder / CARD)
        content = (folder / WEIGHTS).read_bytes()
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, ArtifactError):
            raise
        raise ArtifactError(f"{folder} holds no pretrained network: {error}") from error
    if card.get("sha256") != hashlib.sha256(content).hexdigest():
        raise ArtifactError(
            f"{folder / WEIGHTS} is not as it was written", found="another checksum"
        )
    numbers = from_bytes(content, str(folder / WEIGHTS))
    form = network_form(ZeroShotNetwork, ZeroShotConfig)
    weights = {f"network.{name}": tensor for name, tensor in numbers.items()}
    reader = Reader(Forms({ZeroShotNetwork: form}), weights)
    try:
        with usual_torch():
            network = reader.read({"config": card.get("network")}, ZeroShotNetwork, "network")
    except ArtifactError as error:
        raise ArtifactError(f"{folder} holds no pretrained network: {error}") from error
    return Pretrained(network, card)


def save_pretrained(network: ZeroShotNetwork, card: Mapping[str, Any], folder: str | Path) -> None:
    """Write weights and card to a folder, each whole or not at all.

    Parameters
    ----------
    network : ZeroShotNetwork
    card : mapping
        What JSON can hold; format, shape, size and checksums are added.
    folder : str or Path
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    state = network.state_dict()
    content = to_bytes(state)
    own = {
        "format": FORMAT,
        "network": Writer(Forms()).write(network.config, ZeroShotConfig, "network"),
        "parameters": sum(value.numel() for value in state.values()),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    document = {**own, **card, **own}  # in this order
    document["checksum"] = checksum_of(document)
    for name, data in ((WEIGHTS, content), (CARD, json.dumps(document, indent=1).encode() + b"\n")):
        write_whole(folder / name, data)


def _card(path: Path) -> dict[str, Any]:
    """Return the card that is at a path, as it was written."""
    if path.stat().st_size > LONGEST_DOCUMENT:
        raise ValueError(f"{path.name} is too long")
    card = json.loads(path.read_bytes())
    form = card.get("format") if isinstance(card, dict) else None
    if form not in (FORMAT, WITHOUT_CHECKSUM):
        raise ArtifactError(f"{path} is of another format", found=form, wanted=FORMAT)
    if (form == FORMAT or "checksum" in card) and card.get("checksum") != checksum_of(card):
        raise ArtifactError(f"{path} is not as it was written", found="another checksum")
    assert isinstance(card, dict)
    return card
