"""The base class of darts' foundation models, which another package has to be there for.

darts' module of the class imports ``huggingface_hub``, also for a model that downloads nothing. The
import therefore stands apart from :mod:`samovar_forecast.adapters.darts.host`.
"""

from __future__ import annotations

from samovar_forecast.exceptions import MissingPackageError

try:
    from darts.models.forecasting.foundation_model import FoundationModel
except ModuleNotFoundError as missing:
    raise MissingPackageError(
        f"SAMoVARZeroShotModel needs the package {missing.name!r}, which darts' base class of "
        "foundation models imports",
        remedy="install it with: pip install 'samovar_forecast[darts]'",
    ) from missing

__all__ = ["HOOKS", "FoundationModel"]

HOOKS: dict[type, tuple[str, ...]] = {
    FoundationModel: ("__init__", "_create_model", "_setup_for_train", "to_onnx"),
}
"""Methods of darts that the zero-shot model overrides beside the methods of every model here."""
