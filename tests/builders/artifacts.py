"""The artifact of each version that is kept for ever: how the present version is written.

``python -m tests.builders.artifacts`` writes the artifact of the present version, and what it
forecasts, into tests/golden. An artifact of a version that has been released is never written anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import torch

from samovar_forecast import SAMoVARForecaster
from samovar_forecast.artifact import KIND
from samovar_forecast.learning import pretrained_member
from samovar_forecast.network.pretrained import Pretrained
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_config import ZeroShotConfig

GOLDEN = Path(__file__).parent.parent / "golden"


def golden_paths(version: int = KIND[1]) -> tuple[Path, Path]:
    """Return the artifact of a version, and its forecasts."""
    return GOLDEN / f"artifact_{version}.zip", GOLDEN / f"artifact_{version}.json"


def covariates(n_time: int = 60) -> pd.DataFrame:
    """Return covariates that reach beyond the rows of the fit."""
    time = np.arange(n_time)[:, None]
    index = pd.period_range("2020-01", periods=n_time, freq="M", name="month")
    return pd.DataFrame(np.cos(time / [2, 5]), index, ["price", "holiday"])


def series(n_time: int = 48) -> pd.DataFrame:
    """Return a panel of two instances with two columns, a value missing."""
    parts = {}
    for key, size in (("north", 1.0), ("south", 30.0)):
        rng = np.random.default_rng(int(size))
        X = covariates().iloc[:n_time]
        values = np.sin(np.arange(n_time)[:, None] / [3, 7]) + 0.3 * X.to_numpy()
        y = pd.DataFrame(values + rng.normal(0, 0.1, values.shape), X.index, ["load", "wind"])
        parts[key] = size * y
    y = pd.concat(parts, names=["region"])
    y.iloc[7, 1] = np.nan
    return y


def small_weights() -> Pretrained:
    """Return a small network in place of the pretrained network."""
    generator = torch.Generator().manual_seed(0)
    return Pretrained(ZeroShotNetwork(ZeroShotConfig(width=8, n_layers=1), generator).eval(), {})


def fitted() -> SAMoVARForecaster:
    """Return a forecaster with all three members, a panel and covariates of both roles."""
    forecaster = SAMoVARForecaster(
        past_covariates=["price"], d_model=8, n_layers=1, max_epochs=2, random_state=0, train=True
    )
    X = pd.concat({"north": covariates(), "south": covariates()}, names=["region"])
    with mock.patch.object(pretrained_member, "load_pretrained", small_weights):
        given = {"y": series(), "X": X.loc[series().index], "fh": [1, 2, 12]}
        return forecaster.pretrain(**given).fit(**given)


def future() -> pd.DataFrame:
    """Return the covariates that its forecasts want."""
    X = pd.concat({"north": covariates(), "south": covariates()}, names=["region"])
    return X[X.index.get_level_values(-1) >= "2024-01"]


def answers(forecaster: SAMoVARForecaster) -> dict[str, list[list[float]]]:
    """Return what a forecaster forecasts, as JSON has it."""
    return {
        "predict": forecaster.predict(X=future()).to_numpy().tolist(),
        "interval": forecaster.predict_interval(X=future()).to_numpy().tolist(),
    }


if __name__ == "__main__":
    artifact, forecasts = golden_paths()
    forecaster = fitted()
    forecaster.save_artifact(artifact)
    forecasts.write_text(json.dumps(answers(forecaster)) + "\n", encoding="utf-8")
