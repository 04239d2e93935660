"""Models of darts, and of neuralforecast through darts, at the settings that were published.

The look-back is searched as for every row. Training is the models' own: batch, rate and patience
of the publications, best epoch by validation error.
"""

from __future__ import annotations

import importlib.util
import tempfile
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.long_horizon.data import Asked, Forecast, Task
from benchmarks.records import BenchmarkError


@dataclass(frozen=True)
class Setting:
    """Published settings: of the model, and of its training.

    Attributes
    ----------
    model : dict
        Arguments of the darts model.
    learning_rate : float
    batch_size, max_epochs, patience : int
    source : str
    halves : bool
        Whether the rate halves after every epoch.
    one_by_one : bool
        Whether the model sees the series as so many univariate series, and not side by side.
    """

    model: dict[str, Any]
    learning_rate: float
    batch_size: int
    max_epochs: int
    patience: int
    source: str
    halves: bool = False
    one_by_one: bool = False


def setting_of(name: str, task: Task) -> Setting:
    """Return the published setting nearest to a cell; by default that of ETTh1."""
    if name == "tsmixer":
        # In darts' class there is a layer more at each end than in the publication: with its values
        # for ETTh1 (dropout 0.9, rate 1e-4) that stays nearly untrained. These are of its grid.
        model = {
            "hidden_size": task.n_series,
            "ff_size": 64,
            "num_blocks": 2,
            "dropout": 0.3,
            "norm_type": "TimeBatchNorm2d",
            "normalize_before": True,
            "use_reversible_instance_norm": True,
        }
        return Setting(model, 1e-3, 32, 100, 5, "Chen et al., TMLR 2023, grid of the search")
    if name == "tide":
        large = {"hidden_size": 512, "decoder_output_dim": 32, "temporal_decoder_hidden": 16}
        small = {"hidden_size": 256, "decoder_output_dim": 8, "temporal_decoder_hidden": 128}
        common = {
            "num_encoder_layers": 2,
            "num_decoder_layers": 2,
            "use_layer_norm": True,
            "use_reversible_instance_norm": True,
        }
        if task.name == "ETTh2":
            return _tide({**common, **large, "dropout": 0.2}, 2.24e-4)
        if task.horizon <= 192:
            return _tide({**common, **large, "dropout": 0.5}, 9.849e-4)
        return _tide({**common, **small, "dropout": 0.3}, 3.822e-5)
    if name in ("dlinear", "nlinear"):
        model = {"shared_weights": True}
        return Setting(model, 0.005, 32, 10, 3, "Zeng et al., AAAI 2023", halves=True)
    if name == "patchtst":
        is_small = task.name in ("ETTh1", "ETTh2", "illness")
        width, heads, hidden, dropout = (16, 4, 128, 0.3) if is_small else (128, 16, 256, 0.2)
        arguments = {
            "hidden_size": width,
            "n_heads": heads,
            "linear_hidden_size": hidden,
            "encoder_layers": 3,
            "dropout": dropout,
            "fc_dropout": dropout,
            "patch_len": 16,
            "stride": 8,
            "revin": True,
        }
        model = {"model": "PatchTST", "model_kwargs": arguments}
        return Setting(model, 1e-4, 128, 100, 20, "Nie et al., ICLR 2023")
    arguments = {"hidden_size": 256, "d_ff": 256, "n_heads": 8, "e_layers": 2, "dropout": 0.1}
    model = {"model": "iTransformer", "model_kwargs": arguments}
    return Setting(model, 1e-4, 32, 10, 3, "Liu et al., ICLR 2024", halves=True)


def _tide(model: dict[str, Any], learning_rate: float) -> Setting:
    return Setting(model, learning_rate, 512, 100, 10, "Das et al., TMLR 2023", one_by_one=True)


def _class_of(name: str) -> Any:
    if importlib.util.find_spec("darts") is None:
        raise BenchmarkError("the row needs darts: pip install 'samovar_forecast[darts]'")
    from darts import models

    classes = {
        "tsmixer": "TSMixerModel",
        "tide": "TiDEModel",
        "dlinear": "DLinearModel",
        "nlinear": "NLinearModel",
    }
    if name not in classes and importlib.util.find_spec("neuralforecast") is None:
        raise BenchmarkError("the row needs neuralforecast: pip install neuralforecast")
    return getattr(models, classes.get(name, "NeuralForecastModel"))


def fit_neighbour(
    name: str, task: Task, asked: Asked, overrides: dict[str, Any]
) -> tuple[Forecast, dict[str, Any]]:
    """Train a model of darts on the training rows, and keep its best epoch on validation.

    Parameters
    ----------
    name : str
        "tsmixer", "tide", "dlinear", "nlinear", "patchtst" or "itransformer".
    task : Task
    asked : Asked
    overrides : dict
        Arguments of the model; ``max_epochs`` may be among them.
    """
    model_class = _class_of(name)
    import torch
    from darts import TimeSeries
    from pytorch_lightning.callbacks import EarlyStopping

    setting = setting_of(name, task)
    arguments = {**setting.model, **overrides}
    max_epochs = arguments.pop("max_epochs", setting.max_epochs)

    def series(values: np.ndarray) -> list[TimeSeries]:
        single = values.astype(np.float32)
        parts = np.hsplit(single, single.shape[1]) if setting.one_by_one else [single]
        return [TimeSeries.from_values(part) for part in parts]

    halving = {"lr_scheduler_cls": torch.optim.lr_scheduler.ExponentialLR}
    with tempfile.TemporaryDirectory() as folder:
        model = model_class(
            input_chunk_length=asked.lookback,
            output_chunk_length=task.horizon,
            batch_size=setting.batch_size,
            n_epochs=max_epochs,
            optimizer_kwargs={"lr": setting.learning_rate},
            **({**halving, "lr_scheduler_kwargs": {"gamma": 0.5}} if setting.halves else {}),
            random_state=asked.seed,
            save_checkpoints=True,
            work_dir=folder,
            model_name="cell",
            pl_trainer_kwargs={
                "accelerator": {"cuda": "gpu"}.get(asked.device, asked.device),
                "enable_progress_bar": False,
                "enable_model_summary": False,
                "logger": False,
                "callbacks": [EarlyStopping("val_loss", patience=setting.patience)],
            },
            **arguments,
        )
        first, last = task.borders[:2]
        model.fit(
            series(task.rows("train")),
            val_series=series(task.values[first - asked.lookback : last]),
            verbose=False,
        )
        n_epochs = model.epochs_trained
        best = model_class.load_from_checkpoint("cell", work_dir=folder, best=True)

    def forecast(windows: np.ndarray) -> dict[str, np.ndarray]:
        known = [part for window in windows for part in series(window)]
        found = best.predict(task.horizon, series=known, batch_size=256, verbose=False)
        values = np.stack([ahead.values(copy=False) for ahead in found])  # B s C, or B * C s 1
        if setting.one_by_one:
            values = values[..., 0].reshape(len(windows), -1, task.horizon).swapaxes(1, 2)
        return {"": values}

    about = {
        "arguments": {key: str(value) for key, value in arguments.items()},
        "learning_rate": setting.learning_rate,
        "batch_size": setting.batch_size,
        "patience": setting.patience,
        "one_by_one": setting.one_by_one,
        "source": setting.source,
        "epochs": n_epochs,
    }
    return forecast, about
