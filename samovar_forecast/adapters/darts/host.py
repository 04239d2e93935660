"""Every name that is borrowed from inside darts, without a promise in darts' documentation.

darts may rename such a name in any release. A renamed hook is never called again, without an error:
the model would train without its windows, its anchor or its loss of the next patches. All imports
from the inside of darts therefore stand here, the tables list the hooks and attributes that the
adapter needs, and the tests look for each hook and attribute in the installed darts.
"""

from __future__ import annotations

import darts

from samovar_forecast.exceptions import MissingPackageError

try:  # safe loading and the module's named inputs came with the same release
    from darts.utils.serialization import add_safe_globals
except ModuleNotFoundError as missing:
    raise MissingPackageError(
        "SAMoVARModel needs another version of the package 'darts'",
        found=f"darts {darts.__version__}",
        wanted="darts>=0.48.1,<0.49",
        remedy="install it with: pip install 'samovar_forecast[darts]'",
    ) from missing

from darts.models.components.layer_norm_variants import RINorm
from darts.models.forecasting.pl_forecasting_module import PLForecastingModule
from darts.models.forecasting.torch_forecasting_model import MixedCovariatesTorchModel
from darts.utils.data import (
    SequentialTorchTrainingDataset,
    ShiftedTorchTrainingDataset,
    TorchInferenceDataset,
    TorchTrainingDataset,
)
from darts.utils.data.torch_datasets._data_module import TorchDataModule
from darts.utils.data.torch_datasets.utils import (
    InputChunkLength,
    ModuleStage,
    PLModuleInput,
    PLModuleOutput,
    TorchInferenceBatch,
    TorchTrainingBatch,
    TorchTrainingSample,
)
from darts.utils.data.torch_datasets.utils import _batch_collate_fn_train as collate_windows
from darts.utils.data.utils import FeatureType
from darts.utils.likelihood_models import torch as likelihoods
from darts.utils.likelihood_models.base import LikelihoodType
from darts.utils.likelihood_models.torch import QuantileRegression, TorchLikelihood
from darts.utils.torch import MonteCarloDropout
from darts.utils.utils import n_steps_between

__all__ = [
    "ATTRIBUTES",
    "HOOKS",
    "METHODS",
    "FeatureType",
    "InputChunkLength",
    "LikelihoodType",
    "MixedCovariatesTorchModel",
    "ModuleStage",
    "MonteCarloDropout",
    "PLForecastingModule",
    "PLModuleInput",
    "PLModuleOutput",
    "QuantileRegression",
    "SequentialTorchTrainingDataset",
    "ShiftedTorchTrainingDataset",
    "TorchDataModule",
    "TorchInferenceBatch",
    "TorchInferenceDataset",
    "TorchLikelihood",
    "TorchTrainingBatch",
    "TorchTrainingDataset",
    "TorchTrainingSample",
    "add_safe_globals",
    "collate_windows",
    "likelihoods",
    "n_steps_between",
]

HOOKS: dict[type, tuple[str, ...]] = {
    MixedCovariatesTorchModel: (
        "_build_train_dataset",
        "_ckpt_skipped_params",
        "_create_model",
        "_predict",
        "_setup_for_predict",
        "_setup_for_train",
        "_train",
        "_validate_model_params",
        "backtest",
        "fit",
        "fit_from_dataset",
        "historical_forecasts",
        "load",
        "load_from_checkpoint",
        "load_weights",
        "load_weights_from_checkpoint",
        "predict",
        "predict_from_dataset",
        "residuals",
        "supports_static_covariates",
    ),
    PLForecastingModule: (
        "_compute_loss",
        "_train_val_step",
        "configure_optimizers",
        "forward",
        "predict_step",
        "set_predict_parameters",
    ),
    SequentialTorchTrainingDataset: ("__getitem__",),
    MonteCarloDropout: ("forward",),
}
"""Methods of darts that the adapter overrides, by the class that the adapter inherits from."""

METHODS: dict[type, tuple[str, ...]] = {
    MixedCovariatesTorchModel: (
        "_extract_pl_module_params",
        "_extract_torch_model_params",
        "_init_model",
        "_update_covariates_use",
        "generate_fit_predict_encodings",
        "model_params",
        "uses_static_covariates",
    ),
    TorchTrainingBatch: ("replace", "to_module_input"),
    PLModuleInput: ("replace",),
    TorchInferenceBatch: ("replace",),
}
"""Methods and properties of darts that the adapter calls."""

ATTRIBUTES: dict[type, tuple[str, ...]] = {
    MixedCovariatesTorchModel: (
        "_considers_static_covariates",
        "_random_instance",
        "encoders",
        "future_covariate_series",
        "likelihood",
        "model",
        "past_covariate_series",
        "pl_module_params",
        "train_sample",
        "trainer_params",
        "training_series",
    ),
    PLForecastingModule: (
        "criterion",
        "likelihood",
        "lr_scheduler_cls",
        "lr_scheduler_kwargs",
        "n_targets",
        "output_chunk_shift",
        "rin",
    ),
    RINorm: ("affine", "affine_bias", "affine_weight", "eps", "mean", "stdev"),
    SequentialTorchTrainingDataset: (
        "_index_memory",
        "future_covariates",
        "input_chunk_length",
        "max_samples_per_ts",
        "output_chunk_length",
        "past_covariates",
        "sample_weight",
        "series",
        "size_of_both_chunks",
        "stride",
        "uses_static_covariates_covariates",
    ),
    TorchDataModule: ("predict_dataset", "train_dataset", "val_dataset"),
    MonteCarloDropout: ("mc_dropout_enabled",),
}
"""Attributes of instances of darts' classes that the adapter reads or sets."""
