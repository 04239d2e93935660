"""``python -m benchmarks.scaling``: seconds and memory of what grows, and the slope of both.

Each size is measured in a process of its own, on one thread, after a call of the smallest size: CPU
seconds of the second call (of the first where a call takes long), and by how much the process has
grown at its peak, data included. The slope is that of a line through the logarithms over the larger
half of the sizes: 1 is linear, 2 is quadratic. Larger sizes are left out where they would take
longer than ``--seconds``, or do not fit into ``--memory``. A run of the same code with larger
limits goes on where the run before has ended, or was cut off.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks import harness
from benchmarks.command import Benchmark
from benchmarks.records import BenchmarkError, Records, fingerprint, provenance
from benchmarks.scaling_pages import (
    SERIES_IN_A_ROW_GROUP,
    SHARD,
    pictures_of,
    points_of,
    sections,
    slope_of,
)
from samovar_forecast.config import NetworkConfig
from samovar_forecast.learning.windows import SeriesTensors, WindowSet
from samovar_forecast.linear.average import estimate_each
from samovar_forecast.network import SAMoVARNetwork, samovar_loss
from samovar_forecast.network.pretrained import load_pretrained

QUICK = 1.0
"""A call that takes no longer, in seconds, is made again, and the second call counts."""

Call = Callable[[], object]


@dataclass(frozen=True)
class Curve:
    """What grows, by which sizes.

    Attributes
    ----------
    axis : str
        What the size counts.
    sizes : tuple of int
    prepare : callable
        Returns the call that is measured, for a size.
    """

    axis: str
    sizes: tuple[int, ...]
    prepare: Callable[[int], Call]


def walks(n_rows: int, n_series: int) -> np.ndarray:
    """Return random walks, (n_rows, n_series)."""
    return np.random.default_rng(0).normal(size=(n_rows, n_series)).cumsum(axis=0)


# --- tokens -------------------------------------------------------------------------------------


def network_of(n_tokens: int) -> tuple[SAMoVARNetwork, torch.Tensor, torch.Tensor]:
    """Return a network whose series have so many tokens, a window and what follows."""
    torch.manual_seed(0)
    n_patches = n_tokens // 2  # each has two tokens
    network = SAMoVARNetwork(NetworkConfig(2, 1, n_patches, d_model=32, n_heads=2))
    rows = torch.from_numpy(walks(n_patches + 1, 2)).float()[None]
    return network, rows[:, :-1], rows[:, -1:]


def training_step(n_tokens: int) -> Call:
    """Return the loss of one window and its gradient."""
    network, window, future = network_of(n_tokens)
    return lambda: samovar_loss(network(window), future).total.backward()


def network_forecast(n_tokens: int) -> Call:
    """Return the forecast of one window by a trained network."""
    network, window, _ = network_of(n_tokens)
    network.eval()
    return torch.inference_mode()(lambda: network(window, last_only=True))


def pretrained_context(n_patches: int) -> Call:
    """Return the forecast of two series by the pretrained network, from a long context."""
    network = load_pretrained().network
    rows = torch.from_numpy(walks(n_patches * network.config.patch_length, 2))[None]
    return lambda: network.forecast(rows, 12)


# --- series -------------------------------------------------------------------------------------


def frame(n_rows: int, n_series: int) -> pd.DataFrame:
    """Return random walks as a frame of months."""
    index = pd.period_range("1900-01", periods=n_rows, freq="M")
    return pd.DataFrame(walks(n_rows, n_series), index, [f"s{c}" for c in range(n_series)])


def pretrained_series(n_series: int) -> Call:
    """Return the forecast of a wide window by the pretrained network, from 512 rows."""
    network, rows = load_pretrained().network, torch.from_numpy(walks(512, n_series))[None]
    return lambda: network.forecast(rows, 12)


def default_fit(n_series: int, n_rows: int) -> Call:
    """Return a fit by default, and its forecast."""
    from samovar_forecast import SAMoVARForecaster

    y = frame(n_rows, n_series)
    return lambda: SAMoVARForecaster().fit(y, fh=range(1, 13)).predict()


def reading(n_series: int) -> Call:
    """Return the coefficients of the last origin, read from a default fit."""
    from samovar_forecast import SAMoVARForecaster

    fitted = SAMoVARForecaster().fit(frame(200, n_series), fh=[1])
    return lambda: fitted.explain().coefs


# --- windows ------------------------------------------------------------------------------------


def window_set(n_windows: int) -> WindowSet:
    """Return so many windows of 96 rows and the 24 rows after, of three series."""
    rows = torch.from_numpy(walks(n_windows + 119, 3)).float()
    return WindowSet.from_series([SeriesTensors(rows)], 96, 24)


def laid_out_windows(n_windows: int) -> Call:
    """Return the layout of windows with their split, and one gather of each window."""

    def epoch() -> None:
        training, _ = window_set(n_windows).split_in_time(0.1)
        for indices in torch.randperm(len(training)).split(64):
            training.batch(indices)

    return epoch


def network_windows(n_windows: int) -> Call:
    """Return the forecasts of a trained network from windows, 64 at a time."""
    torch.manual_seed(0)
    network = SAMoVARNetwork(NetworkConfig(3, 24, 96, d_model=32)).eval()
    windows = window_set(n_windows)

    @torch.inference_mode()
    def forecast() -> None:
        for indices in torch.arange(n_windows).split(64):
            network(windows.batch(indices).target, last_only=True)

    return forecast


# --- instances ----------------------------------------------------------------------------------


def split_instances(n_instances: int) -> Call:
    """Return the layout and the split of the windows of instances of 60 rows."""
    rows = SeriesTensors(torch.from_numpy(walks(60, 1)).float())
    return lambda: WindowSet.from_series([rows] * n_instances, 24, 6).split_in_time(0.1)


def linear_instances(n_instances: int) -> Call:
    """Return the linear maps of instances of a series of 60 rows each."""
    values = walks(60, n_instances)
    instances = [values[:, [place]] for place in range(n_instances)]
    return lambda: estimate_each(instances, 12, 12)


def panel(n_instances: int) -> pd.DataFrame:
    """Return a panel of instances of a series of 60 months each."""
    values = walks(60, n_instances)
    times = pd.period_range("2000-01", periods=60, freq="M", name="month")
    keys = [f"s{place:06d}" for place in range(n_instances)]
    index = pd.MultiIndex.from_product([keys, times], names=["series", "month"])
    return pd.DataFrame({"y": values.T.ravel()}, index)


def fitted_instances(n_instances: int) -> Call:
    """Return a fit of a panel by default."""
    from samovar_forecast import SAMoVARForecaster

    y = panel(n_instances)
    return lambda: SAMoVARForecaster().fit(y, fh=range(1, 13))


def forecast_instances(n_instances: int) -> Call:
    """Return the forecasts of a fitted panel."""
    from samovar_forecast import SAMoVARForecaster

    fitted = SAMoVARForecaster().fit(panel(n_instances), fh=range(1, 13))
    return lambda: fitted.predict()


def shard(n_series: int) -> Call:
    """Return a shard of a Parquet file: series of 60 months each, 500 in a row group."""
    from samovar_forecast.sharding.shard import Shard, forecast_shard

    folder = tempfile.TemporaryDirectory()
    path, y = Path(folder.name) / "series.parquet", panel(n_series).reset_index()
    y["month"] = y["month"].dt.to_timestamp()
    y.columns = ["unique_id", "ds", "y"]
    y.to_parquet(path, index=False, row_group_size=60 * SERIES_IN_A_ROW_GROUP)
    del y

    def forecast() -> None:
        with tempfile.TemporaryDirectory(dir=folder.name) as parts:
            forecast_shard(path, Path(parts), 12, Shard(1, 1), freq="MS")

    return forecast


_TOKENS = tuple(4**power for power in range(2, 8))  # 16 to 16,384
_SERIES = (1, 7, 21, 100, 321, 862, 2000)
_INSTANCES = (10, 100, 1000, 10_000, 100_000)
CURVES = {
    "a window and its gradient": Curve("tokens", _TOKENS, training_step),
    "forecast of a trained network": Curve("tokens", _TOKENS, network_forecast),
    "forecast of the pretrained network": Curve("patches", _TOKENS, pretrained_context),
    "pretrained forecast of 512 rows": Curve("series", _SERIES, pretrained_series),
    "default fit of 200 rows, forecast": Curve("series", _SERIES, partial(default_fit, n_rows=200)),
    "default fit of 2,100 rows, forecast": Curve(
        "series", _SERIES, partial(default_fit, n_rows=2100)
    ),
    "coefficients read": Curve("series", _SERIES, reading),
    "layout, split, an epoch of batches": Curve(
        "windows", (1000, 10_000, 100_000, 1_000_000), laid_out_windows
    ),
    "forecasts of a trained network": Curve(
        "windows", (1000, 10_000, 100_000, 1_000_000), network_windows
    ),
    "layout and split": Curve("instances", _INSTANCES, split_instances),
    "linear maps": Curve("instances", _INSTANCES, linear_instances),
    "default fit": Curve("instances", _INSTANCES, fitted_instances),
    "forecast after the fit": Curve("instances", _INSTANCES, forecast_instances),
    SHARD.partition(": ")[2]: Curve("series in a file", (500, 1000, 2000, 10_000, 100_000), shard),
}


# --- the run ------------------------------------------------------------------------------------


def next_size(
    curve: Curve, points: Mapping[int, Mapping[str, float]], largest: int, most_seconds: float
) -> int | None:
    """Return the size to measure after some; None where the curve ends.

    Parameters
    ----------
    curve : Curve
    points : mapping
        What was measured so far, by size, from small to large.
    largest : int
        Size.
    most_seconds : float
        A size that would take longer is left out, by the slope so far.
    """
    left = [size for size in curve.sizes if size not in points and size <= largest]
    if not points:
        return left[0] if left else None
    before = max(points)
    if not left or not points[before]:  # the memory was not enough
        return None
    slope = max(1.0, np.nan_to_num(slope_of(points, "seconds")))
    expected = points[before]["seconds"] * (left[0] / before) ** slope
    return left[0] if expected <= most_seconds else None


def measured_size(curve: str, size: int, memory: int) -> dict[str, float]:
    """Return the seconds of a size and the peak of the process, which is to be a fresh one.

    Parameters
    ----------
    curve : str
        Of `CURVES`.
    size : int
    memory : int
        Bytes that the process may allocate.

    Returns
    -------
    dict
        ``seconds`` and ``bytes``; nothing where the memory was not enough.
    """
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    start, chosen = harness.resident_bytes(), CURVES[curve]
    if size > chosen.sizes[0]:
        chosen.prepare(chosen.sizes[0])()  # what is loaded late
    return measured_point(chosen, size, start)


def measured_point(curve: Curve, size: int, start: int | None) -> dict[str, float]:
    """Return the seconds of a size, and the peak of the process above a start; or nothing."""
    seconds: list[float] = []
    try:
        call = curve.prepare(size)

        def timed() -> None:
            started = time.process_time()
            call()
            seconds.append(time.process_time() - started)

        resident = harness.resident_bytes() or 0
        growth = harness.peak_resident_bytes(timed)
        if seconds[0] <= QUICK:
            timed()
    except MemoryError:
        return {}
    except RuntimeError as error:  # torch has no error of its own for this
        if "allocate" not in str(error):
            raise
        return {}
    found = {"seconds": round(seconds[-1], 6)}
    return (
        found if growth is None or start is None else found | {"bytes": resident + growth - start}
    )


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Measure the curves that are asked for.

    Raises
    ------
    BenchmarkError
        If there is no such curve.
    """
    for name in asked.curves or CURVES:
        if name not in CURVES:
            raise BenchmarkError(f"there is no curve {name!r}; there are {list(CURVES)}")
        key = f"{CURVES[name].axis}: {name}"
        word = fingerprint(name, sources=("samovar_forecast", "benchmarks/scaling.py"))
        entry = records.entries.get(key, {})
        if entry.get("fingerprint") != word:
            entry = {"fingerprint": word, **provenance(), "points": {}}
        limits = {"seconds": asked.seconds, "GiB": asked.memory}
        while size := next_size(CURVES[name], points_of(entry), asked.largest, asked.seconds):
            found = harness.in_fresh_process(
                "benchmarks.scaling:measured_size",
                curve=name,
                size=size,
                memory=asked.memory * 2**30,
            )
            print(f"{name}, {size:,} {CURVES[name].axis}: {found}", flush=True)
            entry = {**entry, "limits": limits, "points": {**entry["points"], str(size): found}}
            records.keep(key, entry)


def options(parser: argparse.ArgumentParser) -> None:
    """Add which curves, and the limits."""
    parser.add_argument("--curves", nargs="+", metavar="NAME", help="by default all")
    parser.add_argument("--largest", type=int, default=10**6, help="size (default: all)")
    parser.add_argument("--seconds", type=float, default=120.0, help="of a point at most")
    parser.add_argument("--memory", type=int, default=24, help="GiB of a point at most")


BENCHMARK = Benchmark("scaling", __doc__, measure, sections, options, pictures_of)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
