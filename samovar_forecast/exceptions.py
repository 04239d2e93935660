"""The errors of samovar_forecast: one small family, and the missing-package message.

Every message answers the same questions in the same order: what is wrong and where,
what was found, what was wanted, what to do.
"""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = [
    "ArtifactError",
    "ConfigurationError",
    "DataError",
    "MissingPackageError",
    "NotFittedError",
    "SAMoVARError",
    "TrainingError",
]


class SAMoVARError(Exception):
    """Base of every error that the package raises on purpose.

    Parameters
    ----------
    problem : str
        What is wrong, and where: name the column, the parameter or the file.
    found, wanted : object, optional
        What was there, and what would have been accepted.
    remedy : str, optional
        What the reader can do now, in the imperative.

    Attributes
    ----------
    problem, found, wanted, remedy
        As given; the message joins all parts that are not None.

    Examples
    --------
    >>> print(SAMoVARError("column 'load' has gaps", found=3, wanted="none", remedy="fill them"))
    column 'load' has gaps; found: 3; wanted: none; fill them
    """

    def __init__(
        self,
        problem: str,
        *,
        found: object = None,
        wanted: object = None,
        remedy: str | None = None,
    ) -> None:
        self.problem = problem
        self.found = found
        self.wanted = wanted
        self.remedy = remedy
        parts = [problem]
        if found is not None:
            parts.append(f"found: {found}")
        if wanted is not None:
            parts.append(f"wanted: {wanted}")
        if remedy is not None:
            parts.append(remedy)
        super().__init__("; ".join(parts))


class ConfigurationError(SAMoVARError, ValueError):
    """A number or choice in a configuration cannot work, alone or with another."""


class DataError(SAMoVARError, ValueError):
    """A frame, an index or a tensor that was handed over cannot be used as it is."""


class NotFittedError(SAMoVARError, RuntimeError):
    """Something was asked that only a fitted object can answer."""


class MissingPackageError(SAMoVARError, ImportError):
    """An optional package that a feature needs is not installed."""


class ArtifactError(SAMoVARError, ValueError):
    """A file is no artifact, or not as it was written."""


class TrainingError(SAMoVARError, RuntimeError):
    """Training ended without usable weights."""


def require(package: str, feature: str, extra: str, versions: str = "") -> ModuleType:
    """Import an optional package, or say which feature needs it and how to get it.

    Parameters
    ----------
    package : str
        Module to import, dotted if it is a submodule: ``"matplotlib.pyplot"``.
    feature : str
        What the user asked for and cannot have without it: ``"SAMoVARForecaster"``.
    extra : str
        The extra of this package that brings it: ``"sktime"``.
    versions : str, optional
        Versions of the package that work, for the message: ``">=0.48.1,<0.49"``.

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    MissingPackageError
        If the package is not installed. A package that is there but fails to import, or
        lacks the submodule, keeps its own error, which says more.
    """
    root = package.partition(".")[0]
    try:
        importlib.import_module(root)
    except ModuleNotFoundError as missing:
        if missing.name != root:
            raise
        raise MissingPackageError(
            f"{feature} needs the package {root!r}, which is not installed",
            wanted=f"{root}{versions}" if versions else None,
            remedy=f"install it with: pip install 'samovar_forecast[{extra}]'",
        ) from missing
    return importlib.import_module(package)
