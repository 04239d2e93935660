"""One model, two hosts: the same data, windows, seed and schedule give the same forecast."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

pytest.importorskip("darts", reason="darts is not installed")
pytest.importorskip("sktime", reason="sktime is not installed")

from darts import TimeSeries

from samovar_forecast import (
    SAMoVARForecaster,
    SAMoVARModel,
    SeriesTensors,
    WindowSet,
    attach_anchor,
)
from tests.builders.darts import QUIET, THIRD_PARTY
from tests.builders.sktime import PAPER

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]

CONTEXT, PATCH, TRAINED = 24, 6, 120


def waves() -> np.ndarray:
    """Three noisy waves."""
    steps, random = np.arange(150)[:, None], np.random.default_rng(0)
    values = np.sin(2 * np.pi * steps / np.array([6.0, 9.0, 11.0]))
    return values + random.normal(scale=0.3, size=values.shape)


def chaos() -> np.ndarray:
    """Three logistic maps: what comes next is known, but to no linear forecast."""
    values = np.empty((150, 3))
    values[0] = [0.3, 0.5, 0.7]
    for row in range(1, 150):
        values[row] = 3.9 * values[row - 1] * (1 - values[row - 1])
    return values


def frame(values: np.ndarray) -> pd.DataFrame:
    """Of mean 0 and deviation 1 in the training sample."""
    values = (values - values[:TRAINED].mean(0)) / values[:TRAINED].std(0)
    days = pd.date_range("2020-01-01", periods=len(values), freq="D", name="day")
    return pd.DataFrame(values, index=days, columns=["a", "b", "c"]).astype("float32")


def both(
    seed: int, epochs: int, dropout: float, batch_size: int, anchored_in: Path | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Forecasts by sktime's and by darts' side, one row of steps and series for each origin.

    With a folder for darts' checkpoints, with an anchor and the weights of the best epoch.
    """
    data = frame(waves() if anchored_in is None else chaos())
    common = {"d_model": 32, "dropout": dropout, "batch_size": batch_size, "random_state": seed}
    forecaster = SAMoVARForecaster(
        context_length=CONTEXT, patch_length=PATCH, n_layers=2, max_epochs=epochs, patience=None,
        learning_rate=3e-3, validation_fraction=0.2 if anchored_in else 0.0, verbose=False,
        device="cpu", **PAPER, **common,
    ).fit(data[:TRAINED], fh=range(1, PATCH + 1))  # fmt: skip
    common["linear"] = anchored_in is not None
    if anchored_in is not None:
        rows = [SeriesTensors(torch.tensor(data[:TRAINED].to_numpy()))]
        windows = WindowSet.from_series(rows, CONTEXT, PATCH)
        season = forecaster._model.panel.grid.season
        attach_anchor(forecaster.network_, rows, windows.split_in_time(0.2)[1], season=season)
        common |= {"save_checkpoints": True, "work_dir": str(anchored_in), "model_name": "kept"}
    model = SAMoVARModel(
        CONTEXT, PATCH, num_layers=2, n_epochs=epochs, optimizer_kwargs={"lr": 3e-3},
        pl_trainer_kwargs=QUIET, **common,
    ).fit(TimeSeries.from_dataframe(data[:TRAINED]), load_best=anchored_in is not None)  # fmt: skip
    if anchored_in is not None:
        gates = [forecaster.network_.anchor.gate, model.model.network.anchor.gate]
        assert gates[0].max() > 0  # else the two would agree whatever the networks say
        np.testing.assert_allclose(gates[1], gates[0], atol=1e-3)
    origins = range(TRAINED, len(data) - PATCH + 1, PATCH)
    by_sktime = []
    for origin in origins:
        if origin > TRAINED:
            forecaster.update(data[origin - PATCH : origin], update_params=False)
        by_sktime.append(forecaster.predict().to_numpy())
    by_darts = [model.predict(PATCH, TimeSeries.from_dataframe(data[:o])).values() for o in origins]
    return np.stack(by_sktime), np.stack(by_darts)


def test_with_whole_batches_both_hosts_give_the_same_forecasts():
    by_sktime, by_darts = both(seed=1, epochs=20, dropout=0.0, batch_size=1000)
    np.testing.assert_allclose(by_darts, by_sktime, rtol=0, atol=1e-3)


@pytest.mark.filterwarnings("ignore:Checkpoint directory")
def test_both_hosts_hold_the_same_windows_out_and_put_the_same_anchor_beside(tmp_path):
    by_sktime, by_darts = both(
        seed=1, epochs=20, dropout=0.0, batch_size=1000, anchored_in=tmp_path
    )
    np.testing.assert_allclose(by_darts, by_sktime, rtol=0, atol=1e-3)


@pytest.mark.slow
def test_with_shuffled_batches_both_hosts_are_equally_accurate():
    """Order and dropout are drawn differently: what remains is their luck, averaged over seeds."""
    data = frame(waves()).to_numpy()
    origins = range(TRAINED, len(data) - PATCH + 1, PATCH)
    actual = np.stack([data[origin : origin + PATCH] for origin in origins])
    errors = np.array(
        [
            [np.square(found - actual).mean() for found in both(seed, 30, 0.1, 16)]
            for seed in range(5)
        ]
    )
    difference = errors[:, 1] - errors[:, 0]
    noise = difference.std(ddof=1) / np.sqrt(len(difference))
    assert abs(difference.mean()) < max(0.02 * errors.mean(), 2.5 * noise)
