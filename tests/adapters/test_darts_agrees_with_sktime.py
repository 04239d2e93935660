"""One model, two hosts: the same data, windows, seed and schedule give the same forecast."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("darts", reason="darts is not installed")
pytest.importorskip("sktime", reason="sktime is not installed")

from darts import TimeSeries

from samovar_forecast import SAMoVARForecaster, SAMoVARModel
from tests.adapters.darts_cases import QUIET, THIRD_PARTY

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]

CONTEXT, PATCH, TRAINED = 24, 6, 120


def frame() -> pd.DataFrame:
    """Three noisy waves, of mean 0 and deviation 1 in the training sample."""
    steps, random = np.arange(150)[:, None], np.random.default_rng(0)
    values = np.sin(2 * np.pi * steps / np.array([6.0, 9.0, 11.0]))
    values = values + random.normal(scale=0.3, size=values.shape)
    values = (values - values[:TRAINED].mean(0)) / values[:TRAINED].std(0)
    days = pd.date_range("2020-01-01", periods=len(values), freq="D", name="day")
    return pd.DataFrame(values, index=days, columns=["a", "b", "c"]).astype("float32")


def both(seed: int, epochs: int, dropout: float, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Forecasts by sktime's and by darts' side, one row of steps and series for each origin."""
    data = frame()
    common = {"d_model": 32, "dropout": dropout, "batch_size": batch_size, "random_state": seed}
    forecaster = SAMoVARForecaster(
        context_length=CONTEXT, patch_length=PATCH, n_layers=2, max_epochs=epochs,
        learning_rate=3e-3, validation_fraction=0.0, verbose=False, device="cpu", **common,
    ).fit(data[:TRAINED], fh=range(1, PATCH + 1))  # fmt: skip
    model = SAMoVARModel(
        CONTEXT, PATCH, num_layers=2, n_epochs=epochs, optimizer_kwargs={"lr": 3e-3},
        pl_trainer_kwargs=QUIET, **common,
    ).fit(TimeSeries.from_dataframe(data[:TRAINED]))  # fmt: skip
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


@pytest.mark.slow
def test_with_shuffled_batches_both_hosts_are_equally_accurate():
    """Order and dropout are drawn differently: what remains is their luck, averaged over seeds."""
    data = frame().to_numpy()
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
