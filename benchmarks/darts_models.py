"""``python -m benchmarks.darts_models``: SAMoVARModel beside darts' own torch models.

All get the same series, lookback, horizon, batch and width, and are driven by the same public
calls. The times are CPU seconds of one thread, the models taking turns. Without ``--csv`` the
series are waves in noise; then the errors say little, the times the same.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from darts import TimeSeries
from darts.models import (
    NLinearModel,
    TFTModel,
    TiDEModel,
    TransformerModel,
    TSMixerModel,
)
from darts.utils.data import SequentialTorchTrainingDataset
from torch.utils._python_dispatch import TorchDispatchMode
from tqdm import tqdm

from benchmarks import harness
from benchmarks.command import Benchmark
from benchmarks.pages import markdown_table
from benchmarks.records import BenchmarkError, Records, fingerprint, provenance
from samovar_forecast import NetworkConfig, SAMoVARModel, SAMoVARNetwork
from samovar_forecast.network import samovar_loss
from samovar_forecast.process import one_thread

WIDTH, LOOKBACK, HORIZON, BATCH = 64, 96, 24, 32
FIT_WINDOWS, FORECAST_WINDOWS, ERROR_TRAINING, ERROR_EPOCHS = 1000, 1000, 3000, 5

CHUNKS = {"input_chunk_length": LOOKBACK, "output_chunk_length": HORIZON}
BUILD: dict[str, Callable[..., Any]] = {
    "SAMoVARModel": lambda **k: SAMoVARModel(
        num_layers=3, d_model=WIDTH, linear=False, **CHUNKS, **k
    ),
    "TSMixerModel": lambda **k: TSMixerModel(hidden_size=WIDTH, ff_size=WIDTH, **CHUNKS, **k),
    "TiDEModel": lambda **k: TiDEModel(hidden_size=WIDTH, **CHUNKS, **k),
    "NLinearModel": lambda **k: NLinearModel(**CHUNKS, **k),
    "TFTModel": lambda **k: TFTModel(hidden_size=WIDTH, add_relative_index=True, **CHUNKS, **k),
    "TransformerModel": lambda **k: TransformerModel(
        d_model=WIDTH, dim_feedforward=4 * WIDTH, nhead=4, **CHUNKS, **k
    ),
}
PRODUCTS = "SAMoVARModel, its matrix products alone"
FIT, FORECAST, MEMORY, ERROR = "fit, one epoch", "1,000 forecasts", "peak memory", "test error"
LOADER = "windows cut by slicing"


SHARED = {
    "n_epochs": 1,
    "batch_size": BATCH,
    "random_state": 0,
    "pl_trainer_kwargs": {
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "enable_checkpointing": False,
        "logger": False,
    },
}


def build(name: str, **options: Any) -> Any:
    """Return a model of that class, on a single CPU, silent."""
    return BUILD[name](**{**SHARED, **options})


def load(csv: str | None) -> TimeSeries:
    """Return the columns of a file with time in its first, or seven noisy waves; deviation 1."""
    if csv is None:
        steps, random = np.arange(5000)[:, None], np.random.default_rng(0)
        values = np.sin(2 * np.pi * steps / (24 + 6 * np.arange(7)))
        values = values + random.normal(scale=0.3, size=values.shape)
        series = TimeSeries.from_values(values.astype("float32"))
    else:
        frame = pd.read_csv(csv, index_col=0, parse_dates=True)
        series = TimeSeries.from_dataframe(frame.astype("float32"))[:5000]
    past = series[:ERROR_TRAINING].values()
    return series.with_values((series.values() - past.mean(0)) / past.std(0))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence the advice of Lightning, which is the same for all."""
    logging.disable(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)


def first_windows(series: TimeSeries, n_windows: int) -> TimeSeries:
    """Return the part of the series that holds so many windows."""
    return series[: LOOKBACK + HORIZON + n_windows - 1]


# --- what is measured -----------------------------------------------------------------------------


def measure_fit(series: TimeSeries, repeats: int) -> dict[str, harness.Samples]:
    """Return the seconds of an epoch over 1,000 windows, a fresh model each time.

    Beside the models stands what no way of writing SAMoVAR can undercut: the matrix products of its
    training steps, forward and backward, and nothing else.
    """
    part = first_windows(series, FIT_WINDOWS)
    jobs: dict[str, Callable[[], Any]] = {
        name: lambda name=name: build(name).fit(part) for name in BUILD
    }
    jobs[PRODUCTS] = matrix_products(series.n_components, -(-FIT_WINDOWS // BATCH))
    return harness.interleave(jobs, repeats)


class ProductsSeen(TorchDispatchMode):
    """Notes the shapes of all matrix products inside the block."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[tuple[torch.Size, torch.Size]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Pass the call on; if it multiplies matrices, note their shapes."""
        if func.overloadpacket in (torch.ops.aten.mm, torch.ops.aten.bmm):
            self.shapes.append((args[0].shape, args[1].shape))
        elif func.overloadpacket is torch.ops.aten.addmm:
            self.shapes.append((args[1].shape, args[2].shape))
        return func(*args, **(kwargs or {}))


def matrix_products(n_series: int, n_steps: int) -> Callable[[], None]:
    """Return a call that does the matrix products of so many steps, into memory it has."""
    config = NetworkConfig(n_series, HORIZON, LOOKBACK, d_model=WIDTH)
    with ProductsSeen() as seen:
        output = SAMoVARNetwork(config)(torch.randn(BATCH, LOOKBACK, n_series))
        samovar_loss(output, torch.randn(BATCH, HORIZON, n_series)).total.backward()
    if not seen.shapes:
        raise BenchmarkError("no matrix product was seen in a training step")
    operands = [(torch.randn(left), torch.randn(right)) for left, right in seen.shapes]
    results = [left @ right for left, right in operands]

    def multiply() -> None:
        for _ in range(n_steps):
            for (left, right), result in zip(operands, results, strict=True):
                torch.matmul(left, right, out=result)

    return multiply


def measure_forecast(series: TimeSeries, repeats: int) -> dict[str, harness.Samples]:
    """Return the seconds of `historical_forecasts(retrain=False)` from 1,000 origins."""
    part = first_windows(series, FORECAST_WINDOWS)
    models = {name: build(name).fit(part) for name in BUILD}
    options = {"forecast_horizon": HORIZON, "retrain": False, "last_points_only": False}

    def forecast(name: str) -> None:
        found = models[name].historical_forecasts(part, **options)
        if len(found) != FORECAST_WINDOWS:
            raise BenchmarkError(f"{name} gave {len(found)} forecasts, wanted 1,000")

    return harness.interleave({name: lambda name=name: forecast(name) for name in BUILD}, repeats)


def measure_loader(series: TimeSeries, repeats: int) -> dict[str, harness.Samples]:
    """Return the seconds of an epoch with darts' windows and with ours, for two sizes of model.

    The large model is that of the comparison; the small model forecasts a series in batches of 256.
    """
    part = first_windows(series, FIT_WINDOWS)
    many = first_windows(series[series.components[0]], 4000)
    small = {"num_layers": 1, "d_model": 16, "batch_size": 256}

    def own_windows(model: Any, series: TimeSeries) -> None:
        model.fit_from_dataset(SequentialTorchTrainingDataset(series, **CHUNKS))

    def make(**options: Any) -> SAMoVARModel:
        return SAMoVARModel(linear=False, **CHUNKS, **{"num_layers": 3, **SHARED, **options})

    return harness.interleave(
        {
            "comparison, darts' windows": lambda: own_windows(make(d_model=WIDTH), part),
            "comparison, sliced": lambda: make(d_model=WIDTH).fit(part),
            "small, darts' windows": lambda: own_windows(make(**small), many),
            "small, sliced": lambda: make(**small).fit(many),
        },
        repeats,
    )


def peak_memory(name: str, csv: str | None) -> int | None:
    """Return the growth in bytes of a fresh process while an epoch is fitted in it."""
    part = first_windows(load(csv), FIT_WINDOWS)
    with quiet():
        return harness.peak_resident_bytes(lambda: build(name).fit(part))


def measure_memory(csv: str | None) -> dict[str, int | None]:
    """Return the peak memory of an epoch, each model in a process of its own."""
    return {
        name: harness.in_fresh_process("benchmarks.darts_models:peak_memory", name=name, csv=csv)
        for name in BUILD
    }


def measure_error(series: TimeSeries) -> dict[str, dict[str, float]]:
    """Return mean squared and absolute error after five epochs, on the steps after the training.

    Every model trains as it does by default: this is no tuning of any of them.
    """
    training, testing = series[:ERROR_TRAINING], series[ERROR_TRAINING - LOOKBACK :]
    found = {}
    for name in BUILD:
        model = build(name, n_epochs=ERROR_EPOCHS).fit(training)
        forecasts = model.historical_forecasts(
            testing, forecast_horizon=HORIZON, retrain=False, last_points_only=False, stride=3
        )
        errors = np.stack(
            [ahead.values() - testing.slice_intersect(ahead).values() for ahead in forecasts]
        )
        found[name] = {
            "mse": float(np.square(errors).mean()),
            "mae": float(np.abs(errors).mean()),
            "forecasts": len(forecasts),
        }
    return found


def count_parameters(series: TimeSeries) -> dict[str, int]:
    """Return the trainable parameters of each model."""
    part = first_windows(series, BATCH)
    models = {name: build(name).fit(part) for name in BUILD}
    return {
        name: sum(p.numel() for p in model.model.parameters() if p.requires_grad)
        for name, model in models.items()
    }


# --- the run --------------------------------------------------------------------------------------


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Measure what is not yet measured."""
    series = load(asked.csv)
    data = "waves in noise" if asked.csv is None else Path(asked.csv).name
    word = fingerprint(data, asked.repeats)
    header = provenance(("torch", "numpy", "darts", "pytorch_lightning"))
    records.begin({"models": word}, {**header, "data": data})
    parts: dict[str, Callable[[], Any]] = {
        "parameters": lambda: count_parameters(series),
        FIT: lambda: harness.to_json(measure_fit(series, asked.repeats)),
        FORECAST: lambda: harness.to_json(measure_forecast(series, asked.repeats)),
        LOADER: lambda: harness.to_json(measure_loader(series, asked.repeats)),
        MEMORY: lambda: measure_memory(asked.csv),
        ERROR: lambda: measure_error(series),
    }
    with quiet(), one_thread(), tqdm(parts.items(), unit="part") as bar:
        for what, measure_part in bar:
            bar.set_postfix_str(what)
            records.measured("models", what, measure_part)
    records.finish("models")


def model_table(entry: dict[str, Any]) -> str:
    """Return a row a model: its size, its times beside ours, its memory, its errors."""
    fit, forecast = (harness.from_json(entry[what]) for what in (FIT, FORECAST))
    ours = "SAMoVARModel"
    rows = []
    for name in BUILD:
        memory, error = entry[MEMORY][name], entry[ERROR][name]
        rows.append(
            [
                name,
                f"{entry['parameters'][name]:,}",
                f"{fit[name].median:.2f} s",
                f"{harness.speed_up(fit[ours], fit[name])}",
                f"{forecast[name].median:.2f} s",
                f"{harness.speed_up(forecast[ours], forecast[name])}",
                "-" if memory is None else f"{memory / 1e6:.0f} MB",
                f"{error['mse']:.4f}",
                f"{error['mae']:.4f}",
            ]
        )
    times = "SAMoVAR takes, times"
    columns = ["model", "parameters", FIT, times, FORECAST, times, MEMORY, "MSE", "MAE"]
    return markdown_table(columns, rows)


def loader_table(entry: dict[str, Any]) -> str:
    """Return the times of a fit with darts' windows and with ours."""
    loader = harness.from_json(entry[LOADER])
    titles = {
        "comparison": f"width {WIDTH}, {BATCH} windows a batch",
        "small": "width 16, one layer, one series, 256 a batch",
    }
    rows = []
    for size, title in titles.items():
        plain, sliced = loader[f"{size}, darts' windows"], loader[f"{size}, sliced"]
        gain = f"{harness.speed_up(plain, sliced)}"
        rows.append([title, f"{plain.median:.2f} s", f"{sliced.median:.2f} s", gain])
    return markdown_table(["SAMoVARModel of", "darts' windows", "ours", "times faster"], rows)


def sections(records: Records) -> dict[str, str]:
    """Return the tables, how they are read, and where they were measured."""
    entry = records.entries["models"]
    fit, hardware = harness.from_json(entry[FIT]), entry["hardware"]
    versions = ", ".join(f"{name} {version}" for name, version in entry["versions"].items())
    explained = (
        f"Data: {entry['data']}, 7 series, float32. Lookback {LOOKBACK}, horizon {HORIZON}, "
        f"batches of {BATCH}, width {WIDTH} where a model has one. Fit: one epoch over "
        f"{FIT_WINDOWS:,} windows, the trainer's start included. Forecasts: "
        "`historical_forecasts(retrain=False)` from 1,000 origins. CPU seconds of one thread, "
        "medians of interleaved runs; ratios with the quartiles over the rounds. Memory: "
        f"growth of a fresh process in that epoch. Errors: after {ERROR_EPOCHS} epochs on "
        f"{ERROR_TRAINING:,} steps with each model's own defaults (no tuning), on the "
        f"{entry[ERROR]['SAMoVARModel']['forecasts']} forecasts of every third origin after "
        "them, in units of the series' deviation."
    )
    ratios = ", ".join(
        f"{harness.speed_up(fit[PRODUCTS], fit[name])} times the whole epoch of {name}"
        for name in ("TSMixerModel", "TiDEModel", "NLinearModel")
    )
    products = (
        "The matrix products of SAMoVAR's epoch alone, forward and backward and without "
        f"anything else, took {fit[PRODUCTS].median:.2f} s in the same run: {ratios}. A network "
        "of this width that moves two tokens per patch and series cannot be as cheap as these in "
        "the same arithmetic, however it is written."
    )
    where = (
        f"{entry['date']}, commit {entry['commit']}, {hardware['cpu']}, {hardware['cores']} "
        f"cores; {versions}."
    )
    return {
        "darts models": "\n\n".join([model_table(entry), explained, products]),
        "darts windows": loader_table(entry) + "\n\n" + where,
    }


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this benchmark."""
    parser.add_argument("--csv", help="file with time in its first column, a series in each other")
    parser.add_argument("--repeats", type=int, default=7, help="timed rounds (default 7)")


BENCHMARK = Benchmark("darts_models", __doc__, measure, sections, add_options)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
