"""An artifact: an object as numbers and JSON in a bundle, with a card, and no code.

A bundle of this format holds one object of the package (a fitted forecaster, a network), written
by :mod:`~samovar_forecast.artifact.plain`, its numbers in the form of safetensors, and a card: what
a reader wants to know without loading it. Reading executes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from samovar_forecast.artifact.plain import Forms, Reader, Writer
from samovar_forecast.artifact.tensors import from_bytes, to_bytes
from samovar_forecast.bundle import read_bundle, write_bundle
from samovar_forecast.exceptions import ArtifactError
from samovar_forecast.process import usual_torch

KIND = ("samovar_forecast artifact", 1)
"""Format and version. A field that joins a class with a default leaves the version as it is; any
other change of a form needs a new version, and a way to read this one."""

NUMBERS = "numbers"


class Artifact(NamedTuple):
    """What an artifact holds: the object, and its card."""

    value: Any
    card: dict[str, Any]


def write_artifact(
    path: str | Path,
    holds: str,
    value: Any,
    forms: Forms,
    card: Mapping[str, Any],
) -> None:
    """Write an object to a folder, or to a file ending in ``.zip``.

    An earlier artifact at the same path is replaced; any other file or folder is not. At every
    moment the path holds the old artifact or the new artifact.

    Parameters
    ----------
    path : str or Path
        Missing parent folders are made.
    holds : str
        What kind of object it is.
    value : object
    forms : Forms
    card : mapping
        What JSON can hold.

    Raises
    ------
    ArtifactError
        If another file or folder is at ``path``, or ``path`` cannot be written.
    ConfigurationError
        If the object holds something that has no form.
    """
    writer = Writer(forms)
    state = writer.write(value, type(value), holds.replace(" ", "_"))
    content = {"holds": holds, "state": state, "card": dict(card)}
    write_bundle(path, KIND, content, {NUMBERS: to_bytes(writer.tensors)})


def read_artifact(path: str | Path, holds: str, kind: type, forms: Forms) -> Artifact:
    """Read what :func:`write_artifact` wrote; nothing in it is executed.

    Parameters
    ----------
    path : str or Path
    holds : str
    kind : type
        Class of the object.
    forms : Forms

    Returns
    -------
    Artifact

    Raises
    ------
    ArtifactError
        If there is no such artifact at ``path``, or it is not as it was written.
    """
    bundle = read_bundle(path, KIND, (NUMBERS,))
    content = bundle.content
    if content.keys() != {"holds", "state", "card"} or not isinstance(content["card"], dict):
        raise ArtifactError(f"the document of {path} is that of no artifact", found=list(content))
    if content["holds"] != holds:
        raise ArtifactError(
            f"the artifact {path} holds something else", found=content["holds"], wanted=holds
        )
    numbers = from_bytes(bundle.files[NUMBERS], f"the numbers of {path}")
    reader = Reader(forms, numbers)
    with usual_torch():
        try:
            value = reader.read(content["state"], kind, holds.replace(" ", "_"))
            reader.check_all_read()
        except ArtifactError as error:
            raise ArtifactError(
                f"{path} holds no {holds}: {error.problem}", found=error.found, wanted=error.wanted
            ) from error
    return Artifact(value, content["card"])
