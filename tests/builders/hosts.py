"""Which public names a host has to be installed for."""

from __future__ import annotations

from importlib.util import find_spec


def names_that_cannot_be_had() -> set[str]:
    """Return the public names whose host is not installed: darts needs Python 3.11."""
    missing: set[str] = set()
    if find_spec("darts") is None:
        missing |= {"SAMoVARModel", "SAMoVARZeroShotModel", "DartsForecaster"}
    if find_spec("huggingface_hub") is None:  # darts' base class of the model imports it
        missing.add("SAMoVARZeroShotModel")
    return missing
