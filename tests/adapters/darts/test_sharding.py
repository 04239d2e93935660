"""Fit and predict in two processes: losses and every forecast, in order, as in one process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("darts", reason="darts is not installed")

from hypothesis import given
from hypothesis import strategies as st

from samovar_forecast.adapters.darts.sharding import ShardedTrainer, _in_order, _Share
from samovar_forecast.exceptions import SAMoVARError
from tests.builders.properties import examples

ROOT = Path(__file__).resolve().parents[3]

SCRIPT = """
import os, sys, warnings
import numpy as np
import torch
from darts import TimeSeries
from pytorch_lightning.callbacks import Callback
from samovar_forecast import SAMoVARModel

class Losses(Callback):
    def __init__(self):
        self.kept = []

    def on_train_epoch_end(self, trainer, pl_module):
        self.kept.append(float(trainer.callback_metrics["train_loss"]))

def main(devices, strategy, n_series, result):
    random = np.random.default_rng(0)
    values = random.normal(size=(n_series, 35, 2)).cumsum(axis=1)
    series = [TimeSeries.from_values(one) for one in values]
    losses = Losses()
    trainer = {"accelerator": "cpu", "devices": devices, "enable_progress_bar": False}
    trainer["callbacks"] = [losses]
    if devices > 1:
        trainer["strategy"] = strategy
    model = SAMoVARModel(
        8, 4, num_layers=1, d_model=16, dropout=0.0, n_epochs=6, random_state=0,
        linear=devices > 1 and strategy == "ddp_spawn",
        batch_size=24 * n_series // devices,  # all windows in one step: the order means nothing
        pl_trainer_kwargs=trainer,
    )
    model.fit(series)
    assert {one.dtype for one in model.model.parameters()} == {torch.float64}  # as the series
    forecasts = model.predict(6, series=series, batch_size=2)
    assert [f.start_time() for f in forecasts] == [s.end_time() + 1 for s in series]
    past = model.historical_forecasts(
        series, start=28, forecast_horizon=4, retrain=False, last_points_only=False
    )
    assert [len(one) for one in past] == [4] * n_series
    both = [*forecasts, *(f for one in past for f in one)]
    rank = os.environ.get("LOCAL_RANK", "0")
    np.savez(
        f"{result}.{rank}.npz",
        forecasts=np.concatenate([f.values() for f in both]), losses=losses.kept,
    )

if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4])
"""


def run(folder: Path, devices: int, n_series: int, strategy: str = "ddp"):
    script, result = folder / "script.py", folder / f"{strategy}{devices}"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, script, str(devices), strategy, str(n_series), result],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "OMP_NUM_THREADS": "1", "HOME": str(folder)},
    )
    return done, [np.load(path) for path in sorted(folder.glob(f"{strategy}{devices}.*.npz"))]


@pytest.mark.slow
@pytest.mark.parametrize("n_series", [7, 1])  # 7 cannot be shared equally, 1 not at all
def test_two_processes_give_every_forecast_of_one_process(tmp_path, n_series):
    done, (alone,) = run(tmp_path, 1, n_series)
    assert done.returncode == 0, done.stderr[-2000:]
    done, both = run(tmp_path, 2, n_series)
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(both) == 2
    wanted = alone["forecasts"]
    for found in both:
        assert found["forecasts"].shape == wanted.shape
        np.testing.assert_allclose(found["forecasts"], wanted, rtol=0, atol=1e-6)
    # Each process tells the loss of its half of the windows.
    losses = np.mean([found["losses"] for found in both], axis=0)
    assert len(losses) == 6
    assert losses[-1] < losses[0]
    np.testing.assert_allclose(losses, alone["losses"], rtol=0, atol=1e-4)


@pytest.mark.slow
def test_processes_that_end_with_the_prediction_are_refused_and_not_lost_in_part(tmp_path):
    done, found = run(tmp_path, 2, 3, strategy="ddp_spawn")
    assert found == []
    assert "wanted: all 3 forecasts" in done.stderr
    assert "predict in one process" in done.stderr


class Half:
    """A trainer that stands for one of two processes whose partner cannot be reached."""

    world_size = 2
    strategy = object()

    def predict(self, model, datamodule):
        return [(torch.zeros(1, 2, 3, 1), [{}, {}], [0, 1])]


class Four:
    """Data of four series."""

    predict_dataset = range(4)


def test_half_of_the_forecasts_is_never_returned_as_if_it_were_all():
    with pytest.raises(SAMoVARError, match="all 4 forecasts"):
        ShardedTrainer(Half()).predict(model=None, datamodule=Four())


@examples(20)
@given(n_series=st.integers(1, 30), n_processes=st.integers(1, 8))
def test_forecasts_of_any_number_of_shards_come_back_in_order(n_series, n_processes):
    values = torch.arange(2.0 * n_series).reshape(1, n_series, 2, 1)
    numbers = range(n_series)
    shares = [
        _Share(values[:, rank::n_processes], numbers[rank::n_processes], numbers[rank::n_processes])
        for rank in range(n_processes)
    ]
    whole, schemas, times = _in_order(shares, n_series)
    assert torch.equal(whole, values)
    assert schemas == times == list(numbers)
