"""Damaged artifacts of a fitted forecaster: as before bit for bit, or ``ArtifactError``."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.fuzz.rule import BROKEN
from samovar_forecast import SAMoVARForecaster
from samovar_forecast.exceptions import ArtifactError


def damaged(whole: bytes, draw: random.Random) -> bytes:
    """Return a file with bits flipped, cut, lengthened, or parts of it swapped."""
    content = bytearray(whole)
    kind = draw.choice(["flip", "flip", "cut", "more", "swap", "zero"])
    at, other = sorted(draw.randrange(len(content)) for _ in range(2))
    if kind == "flip":
        for _ in range(draw.choice([1, 1, 8])):
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    elif kind == "cut":
        del content[at : other if draw.random() < 0.5 else len(content)]
    elif kind == "more":
        content[at:at] = draw.randbytes(draw.choice([1, 100]))
    elif kind == "swap":
        size = draw.choice([1, 50])
        content[at : at + size], content[other : other + size] = (
            content[other : other + size],
            content[at : at + size],
        )
    else:
        content[at : at + 64] = bytes(len(content[at : at + 64]))
    return bytes(content)


def artifact_case(folder: Path) -> Callable[[int], str]:
    """Return how a damaged artifact ends: as before, refused, or broken."""
    y = pd.DataFrame(
        np.random.default_rng(0).normal(size=(30, 2)).cumsum(axis=0), columns=["a", "b"]
    )
    forecaster = SAMoVARForecaster(pretrained=False).fit(y, fh=[1, 2])
    forecaster.save_artifact(folder / "whole.zip")
    whole, expected = (folder / "whole.zip").read_bytes(), forecaster.predict()

    def run(seed: int) -> str:
        (folder / "damaged.zip").write_bytes(damaged(whole, random.Random(seed)))
        try:
            found = SAMoVARForecaster.load_artifact(folder / "damaged.zip").predict()
        except ArtifactError:
            return "refused: ArtifactError"
        except Exception as error:  # noqa: BLE001 - what the search is for
            return f"{BROKEN}: {type(error).__name__}: {error}"
        return "as before" if found.equals(expected) else f"{BROKEN}: another forecast"

    return run
