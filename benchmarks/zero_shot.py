"""``python -m benchmarks.zero_shot``: forecasts of the pretrained network, losses beside wins.

The econometric panel against the record of its linear models; processes with known dynamics against
least squares; responses to a shock that are known; the time of a forecast. The competitions,
explosions and fev-bench have the network among their contestants.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from statsmodels.tsa.api import VAR
from torch import Tensor

from benchmarks import harness, zero_shot_network
from benchmarks.command import Benchmark, add_data_option, folder_of_series
from benchmarks.econometric import DEVELOPMENT, LINEAR, N_ORIGINS, SETS
from benchmarks.known_processes import DRAWS, ROWS, STEPS, Known
from benchmarks.pages import as_mebibytes, markdown_table
from benchmarks.records import RESULTS, Records, fingerprint, provenance, stamp
from samovar_forecast import load_pretrained
from samovar_forecast.linear.forgetting import forgetting_vars
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.pretraining.draws import Draws, seed_of
from samovar_forecast.pretraining.known_responses import forecast_responses, known_vars, responses
from samovar_forecast.process import one_thread

N_PROCESSES = 100
SOURCES = ("benchmarks/zero_shot.py", "benchmarks/known_processes.py", "samovar_forecast/network")
VERSIONS = ("torch", "numpy", "statsmodels")
NEARLY = 1.02


def median_forecast(
    network: ZeroShotNetwork, past: np.ndarray, horizon: int, season: int, others: bool = True
) -> np.ndarray:
    """Return the median (B, h, C) after windows (B, L, C)."""
    quantiles = network.forecast(torch.tensor(past), horizon, season, with_others=others)
    return quantiles[..., network.config.quantiles.index(0.5)].numpy()


# --- the econometric panel ------------------------------------------------------------------------


def panel_set(
    network: ZeroShotNetwork, y: np.ndarray, about: dict[str, Any], horizon: int
) -> dict[str, float]:
    """Return mean squared errors over the origins of the record, in its units."""
    first, season = about["first_window"], about["season"]
    deviation = y[:first].std(axis=0, ddof=1)
    unit = np.where(deviation > 0, deviation, 1.0)
    errors: dict[str, list[float]] = {"MSE": [], "MSE alone": []}
    for number in range(N_ORIGINS):
        now = first + number * about["stride"]
        for name, others in (("MSE", True), ("MSE alone", False)):
            ahead = median_forecast(network, y[None, :now], horizon, season, others)[0]
            errors[name].append(float((((ahead - y[now : now + horizon]) / unit) ** 2).mean()))
    linear = {name: about["MSE"][name] for name in ("VAR", "Ridge VAR", LINEAR)}
    return {**{name: float(np.mean(some)) for name, some in errors.items()}, **linear}


# --- processes with known dynamics ----------------------------------------------------------------


def process(network: ZeroShotNetwork, draw: Callable[[int], Known]) -> dict[str, float]:
    """Return mean squared errors: of the network, a VAR(2) by least squares, and the process."""
    errors: dict[str, list[float]] = {}
    for number in range(N_PROCESSES):
        y, expected = draw(number)
        past, future = y[:ROWS], y[ROWS:]
        unit = past.std(axis=0)
        for name, ahead in (
            ("network", median_forecast(network, past[None], STEPS, 1)[0]),
            ("least squares", VAR(past).fit(2).forecast(past[-2:], STEPS)),
            ("process", expected),
        ):
            errors.setdefault(name, []).append((((ahead - future) / unit) ** 2).mean())
    return {name: float(np.mean(some)) for name, some in errors.items()}


# --- responses to a shock -------------------------------------------------------------------------

N_VARS, AT_ONCE = 40, 5
RESPONSE_STEPS = (1, 4, 8)
SHOCK = 0.1
RIVALS = ("pretrained", "VAR", "rolling VAR", "TVP-VAR", "zero")
DESIGNS = {
    f"{kind}, {rows} rows": (moving, leading, rows)
    for kind, moving, leading in (
        ("constant", 0.0, 0.0),
        ("moving", 1.0, 0.0),
        ("series lead others", 0.0, 1.0),
    )
    for rows in (100, 200, 400)
}


def recovery(network: ZeroShotNetwork, design: str) -> dict[str, list[float]]:
    """Return the root mean square error of the responses of each model, by step.

    The VARs by least squares know the true order; ``zero`` answers every shock by nothing.
    """
    moving, leading, rows = DESIGNS[design]
    horizon = RESPONSE_STEPS[-1]
    squares: dict[str, list[Tensor]] = {}
    for number in range(N_VARS // AT_ONCE):
        draws = Draws(seed_of(f"recovery, {design}", number))
        known = known_vars(draws, AT_ONCE, rows, 3, moving=moving, leading=leading)
        truth = responses(known.matrices.double(), horizon)
        values = known.values.double()
        with torch.inference_mode():
            size = torch.full((AT_ONCE,), SHOCK, dtype=values.dtype)
            impulses = [torch.full((AT_ONCE,), impulse) for impulse in range(3)]
            ours = [forecast_responses(network, values, impulse, size) for impulse in impulses]
        found = {"pretrained": torch.stack(ours, -1)[:, :, :horizon], "zero": torch.zeros(())}
        order = known.matrices.shape[1]
        for name, estimate in (
            ("VAR", lambda y, order=order: VAR(y).fit(order).coefs),
            ("rolling VAR", lambda y, order=order: VAR(y[-len(y) // 2 :]).fit(order).coefs),
            ("TVP-VAR", _forgetting_coefs),
        ):
            found[name] = torch.cat(
                [responses(torch.tensor(estimate(y))[None], horizon) for y in values.numpy()]
            )
        for name, response in found.items():
            squares.setdefault(name, []).append((response - truth).square().mean((0, 1, 3)))
    means = {name: torch.stack(blocks).mean(0).sqrt() for name, blocks in squares.items()}
    return {
        name: [float(rmse[step - 1]) for step in RESPONSE_STEPS] for name, rmse in means.items()
    }


def _forgetting_coefs(y: np.ndarray) -> np.ndarray:
    (fit,) = forgetting_vars(y, [len(y)])
    if fit is None:
        raise ValueError("too few rows for a VAR that forgets")
    return fit[0]


# --- cost -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """Forecasts whose cost is measured: windows (B, L, C), as many at once as a contestant asks."""

    shape: tuple[int, int, int]
    horizon: int
    season: int
    times: int = 3

    def windows(self) -> np.ndarray:
        """Return random walks."""
        return np.random.default_rng(0).normal(size=self.shape).cumsum(axis=1)

    def run(self, network: ZeroShotNetwork, windows: np.ndarray) -> None:
        """Forecast all windows."""
        for first in range(0, len(windows), zero_shot_network.AT_ONCE):
            some = windows[first : first + zero_shot_network.AT_ONCE]
            median_forecast(network, some, self.horizon, self.season)


COSTS = {
    "200 x 6, 8 steps": Cost((1, 200, 6), 8, 4, times=9),
    "200 x 200, 8 steps": Cost((1, 200, 200), 8, 4),
    "2,048 x 7, 96 steps": Cost((1, 2048, 7), 96, 24),
    "1,000 series of 60 rows, 12 steps": Cost((1000, 60, 1), 12, 12),
}


def cost(network: ZeroShotNetwork) -> dict[str, Any]:
    """Return what forecasts cost: CPU seconds, warm, medians; and the peak of their memory."""
    return {
        name: {
            "seconds": _seconds(network, one),
            "bytes": harness.in_fresh_process("benchmarks.zero_shot:peak_memory", name=name),
        }
        for name, one in COSTS.items()
    }


def _seconds(network: ZeroShotNetwork, one: Cost) -> float:
    windows = one.windows()
    jobs = {"forecast": lambda: one.run(network, windows)}
    return harness.interleave(jobs, one.times)["forecast"].median


def peak_memory(name: str) -> int | None:
    """Return by how many bytes a process grows that forecasts; the network is loaded before."""
    one = COSTS[name]
    network, windows = load_pretrained().network, one.windows()
    median_forecast(network, np.zeros((1, 16, 1)), 1, 1)
    return harness.peak_resident_bytes(lambda: one.run(network, windows))


# --- the command ----------------------------------------------------------------------------------


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Measure what is not stored yet."""
    data = folder_of_series(asked.data)
    pretrained = load_pretrained(asked.weights)
    network = pretrained.network
    linear = Records(RESULTS / "econometric.json").entries
    calls: dict[str, Callable[[], dict[str, float]]] = {"cost": lambda: cost(network)}
    for name in (name for name in SETS if name in linear):
        one = SETS[name]

        def panel(name: str = name, one: Any = one) -> dict[str, float]:
            y = one.read(data / "extra").to_numpy(dtype=float)
            return panel_set(network, y, linear[name], one.horizon)

        calls[name] = panel
    for name, draw in DRAWS.items():
        calls[name] = lambda draw=draw: process(network, draw)
    for design in DESIGNS:
        calls[design] = lambda design=design: recovery(network, design)
    word = fingerprint(pretrained.card["sha256"], sources=SOURCES)
    records.begin(dict.fromkeys(calls, word), provenance(VERSIONS))
    with one_thread():
        for name, call in calls.items():
            began = time.process_time()
            records.measured(name, "found", call)
            records.measured(name, "cpu seconds", lambda began=began: time.process_time() - began)
            records.finish(name)


def better_var(found: dict[str, float]) -> float:
    """Return the smaller error of the VAR and the ridge VAR."""
    return min(found["VAR"], found["Ridge VAR"])


def panel_section(records: Records) -> str:
    """Return the table of the econometric panel, and its geometric means."""
    found = {name: records.entries[name]["found"] for name in SETS if name in records.entries}
    names = ("MSE", "MSE alone", LINEAR)
    ratios = {
        name: [entry[column] / better_var(entry) for column in names]
        for name, entry in found.items()
    }
    rows = [[name, *(f"{ratio:.3f}" for ratio in row)] for name, row in ratios.items()]
    for title, some in (
        ("**all**", list(ratios)),
        ("development, a to l", [name for name in ratios if name[0] <= DEVELOPMENT]),
        ("report only, m to z", [name for name in ratios if name[0] > DEVELOPMENT]),
    ):
        table = np.array([ratios[name] for name in some])
        means = np.exp(np.log(table).mean(0))
        rows.append([title, *(f"**{mean:.3f}**" for mean in means)])
        shares = (table <= NEARLY).mean(0)
        rows.append([f"at most {NEARLY} on", *(f"{share:.0%}" for share in shares)])
    head = ["set", "zero-shot", "zero-shot, each series alone", "linear member of the record"]
    return markdown_table(head, rows)


def sections(records: Records) -> dict[str, str]:
    """Return the sections of the page by marker."""
    entries = records.entries
    processes = []
    for name in DRAWS:
        found = entries[name]["found"]
        ratios = (found[column] / found["least squares"] for column in ("network", "process"))
        processes.append([name, *(f"{ratio:.3f}" for ratio in ratios)])
    recovered = []
    for design in DESIGNS:
        found = entries[design]["found"]
        recovered += [
            [design, str(step), *(f"{found[name][place]:.3f}" for name in RIVALS)]
            for place, step in enumerate(RESPONSE_STEPS)
        ]
    spent_on = entries["cost"]["found"]
    times = [
        [name, f"{1e3 * one['seconds']:.0f} ms", as_mebibytes(one["bytes"])]
        for name, one in spent_on.items()
    ]
    spent = math.fsum(entry["cpu seconds"] for entry in entries.values())
    return {
        "zero-shot panel": f"{panel_section(records)}\n\n{stamp(list(entries.values()), spent)}",
        "zero-shot processes": markdown_table(
            [
                "MSE over least squares VAR(2), 400 rows of 3 series, 8 steps",
                "pretrained",
                "the process itself",
            ],
            processes,
        ),
        "zero-shot responses": markdown_table(["VARs of 3 series", "step", *RIVALS], recovered),
        "zero-shot cost": markdown_table(
            ["forecast, warm", "CPU time, one thread", "memory beside package and data"], times
        ),
    }


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this benchmark."""
    add_data_option(parser)
    parser.add_argument("--weights", type=Path, help="folder of other weights than the package's")


BENCHMARK = Benchmark("zero_shot", __doc__, measure, sections, add_options)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
