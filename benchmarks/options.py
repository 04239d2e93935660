"""``python -m benchmarks.options``: what might mend the paper's model, tried one at a time.

Every option changes one thing of the network or of its training. All are trained on the same
windows from the same seeds, and are judged by the network alone, by the network beside the anchor,
and, for the paper's model, by the mean of several seeds. What did not help lives here alone, as a
change made from outside; the product has no switch for it.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal
from unittest import mock

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from benchmarks import harness
from benchmarks.econometric import (
    SETS,
    command_line,
    is_missing,
    read_stored,
    season_of,
    write_stored,
)
from benchmarks.series_sets import put_between_markers
from samovar_forecast.config import NetworkConfig, TrainingConfig
from samovar_forecast.frames.scaler import Scaler
from samovar_forecast.learning import training
from samovar_forecast.learning.plan import choose_lengths
from samovar_forecast.learning.windows import SeriesTensors, WindowSet
from samovar_forecast.linear import estimate_anchor
from samovar_forecast.linear.gate import estimate_gate
from samovar_forecast.network import Loss, NetworkOutput, SAMoVARNetwork, mixture

RESULTS = Path(__file__).parent / "results" / "options.json"
PAGE = harness.ROOT / "docs" / "model_options.md"
PANEL = (
    *("us_macro", "canada", "gvar_output", "tourism_regions", "ili", "searches", "gas_furnace"),
    *("fred_md", "luetkepohl_e1", "luetkepohl_e2", "luetkepohl_e3", "luetkepohl_e4"),
    *("gvar_us", "danish_money", "tourism_states"),
)
TWO_FITS_UP_TO = 230
"""Rows up to which a set is fitted twice: where its last third begins, and in its middle."""

LONG = "ETTh1"
LONG_EPOCHS = 8
WINDOWS_AT_ONCE = 128


# --- the options ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Option:
    """One change to the paper's model."""

    title: str
    divide: float | None = None
    """Divide the sum over t tokens by ``t ** divide * sqrt(d)``."""
    targets: Literal["window", "level", "patch"] = "window"
    """Next patches in the moments of the whole window, or of the rows up to that patch."""
    units: Literal["paper", "window", "data"] = "paper"
    """Both losses in the units of the normalised window, or of the data."""
    decay: Literal["all", "matrices"] = "all"
    epochs_at_most: int = 100
    """A short sample gets as many of the 1000 optimiser steps as fit into so many epochs."""
    n_layers: int = 3
    dropout: float = 0.1


PAPER = "paper"
OPTIONS: dict[str, Option] = {
    PAPER: Option("the paper's model"),
    "mean": Option("attention divided by t sqrt(d)", divide=1.0),
    "root": Option("attention divided by sqrt(t d)", divide=0.5),
    "level": Option("next patches from the level of the patch before", targets="level"),
    "patch": Option("next patches in the moments known at the patch before", targets="patch"),
    "window units": Option("both losses in the units of the window", units="window"),
    "data units": Option("both losses in the units of the data", units="data"),
    "matrices": Option("weight decay on matrices only", decay="matrices"),
    "longer": Option("1000 steps also on a short sample", epochs_at_most=1000),
    "two layers": Option("two layers in place of three", n_layers=2),
    "one layer": Option("one layer in place of three", n_layers=1),
    "dropout": Option("dropout of 0.3 in place of 0.1", dropout=0.3),
}


def divided(power: float) -> Any:
    """Return linear attention with the sum over t tokens divided."""
    plain = mixture.linear_attention

    def attention(query: Tensor, key: Tensor, value: Tensor, *, stride: int = 1, **form: Any):
        n_queries, n_tokens = query.shape[-2], key.shape[-2]
        back = stride * torch.arange(n_queries - 1, -1, -1, dtype=key.dtype)
        size = (n_tokens - back) ** power * math.sqrt(key.shape[-1])
        return plain(query / size[:, None], key, value, stride=stride, **form)

    return attention


def moments_known(patches: Tensor, n_padded: int, targets: str) -> tuple[Tensor, Tensor]:
    """Return location and scale known at each patch, (B, C, N, 1), in units of the window."""
    *_, n_patches, length = patches.shape
    counts = torch.full((n_patches,), length, dtype=patches.dtype)
    counts[0] -= n_padded  # whose values are 0
    level = patches.sum(-1) / counts
    if targets == "level":
        return level[..., None], torch.ones_like(level[..., None])
    total = counts.cumsum(0)
    mean = patches.sum(-1).cumsum(-1) / total
    squares = patches.square().sum(-1).cumsum(-1) - total * mean.square()
    deviation = (squares.clamp(min=0) / (total - 1).clamp(min=1)).sqrt()
    return level[..., None], deviation[..., None]


def loss_of(option: Option, context_length: int) -> Any:
    """Return the loss of a point forecast under an option."""

    def head_loss(
        output: NetworkOutput, target: Tensor, future: Tensor, head: Any, weight: float = 1.0
    ) -> Loss:
        predicted, patches = output.patch_pred[..., 0], output.patches  # B C N s
        next_patch, actual = predicted[:, :, :-1], patches[:, :, 1:]
        if option.targets != "window":
            n_padded = -context_length % patches.shape[-1]
            location, scale = moments_known(patches[:, :, :-1], n_padded, option.targets)
            next_patch = location + scale * next_patch
        next_errors = (next_patch - actual).square()
        location, scale = (one.mT for one in (output.location, output.scale))  # B C 1
        errors = (location + scale * predicted[:, :, -1] - future.mT).square()
        if option.units == "window":
            errors = errors / scale.square().masked_fill(scale == 0, torch.inf)
        if option.units == "data":
            next_errors = next_errors * scale[..., None].square()
        terminal, rest = errors.mean(), next_errors.mean()
        return Loss(terminal + weight * rest, terminal, rest)

    return head_loss


def decay_matrices_only(module: Any) -> Any:
    """Return the optimizer and schedule of a training, with decay on the maps' matrices alone."""
    matrices, others = [], []
    for name, parameter in module.network.named_parameters():
        (matrices if name.endswith(".weight") else others).append(parameter)
    groups = [{"params": matrices}, {"params": others, "weight_decay": 0.0}]
    optimizer, schedule = training.one_cycle_optimizer(
        groups, module.training_config, module.n_steps
    )
    return [optimizer], [{"scheduler": schedule, "interval": "step"}]


@contextmanager
def applied(option: Option, context_length: int) -> Iterator[None]:
    """Inside the block networks compute and are trained under an option."""
    with ExitStack() as stack:
        if option.divide is not None:
            attention = divided(option.divide)
            stack.enter_context(mock.patch.object(mixture, "linear_attention", attention))
        if option.targets != "window" or option.units != "paper":
            loss = loss_of(option, context_length)
            stack.enter_context(mock.patch.object(training, "head_loss", loss))
        if option.decay == "matrices":
            stack.enter_context(
                mock.patch.object(
                    training._SAMoVARTraining, "configure_optimizers", decay_matrices_only
                )
            )
        yield


# --- the problems ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """One fit: scaled rows, those that are fitted on, and those that are forecast."""

    name: str
    values: np.ndarray
    """(n, C) in deviations of the rows that the scale was taken from."""
    n_fit: int
    patch_length: int
    context_length: int
    season: int
    validation_fraction: float = 0.2
    max_epochs: int | None = None

    def windows(self) -> tuple[WindowSet, WindowSet]:
        """Return the windows of the training and of the validation."""
        every = WindowSet.from_series(
            [SeriesTensors(torch.from_numpy(self.values[: self.n_fit]).float())],
            self.context_length,
            self.patch_length,
        )
        fitted, held_out = every.split_in_time(self.validation_fraction)
        assert held_out is not None, self.name
        return fitted, held_out

    def tested(self) -> WindowSet:
        """Return the windows that forecast rows after the fit."""
        rows = self.values[self.n_fit - self.context_length :]
        one = SeriesTensors(torch.from_numpy(rows).float())
        return WindowSet.from_series([one], self.context_length, self.patch_length)

    def training(self, n_windows: int, epochs_at_most: int) -> TrainingConfig:
        """Return the training that the forecaster would do, with 100 epochs at most."""
        if self.max_epochs is not None:
            return TrainingConfig(max_epochs=self.max_epochs, patience=None)
        epochs = math.ceil(1000 / math.ceil(n_windows / 32))
        return TrainingConfig(max_epochs=max(10, min(epochs_at_most, epochs)))


def problems(name: str, folder: Path) -> list[Problem]:
    """Return the fits of one set."""
    if name == LONG:
        path = folder.parent / "core" / f"{LONG}.csv.gz"
        values = pd.read_csv(path, index_col=0).to_numpy(float)[:14400]
        scaled = Scaler.of(values[:8640]).forward(values)
        return [Problem(name, scaled, 11520, 96, 336, 24, 0.25, LONG_EPOCHS)]
    y = SETS[name].read(folder)
    values, season, horizon = y.to_numpy(float), season_of(y), SETS[name].horizon
    n_first = len(y) - len(y) // 3
    borders = [n_first, len(y)]
    if len(y) <= TWO_FITS_UP_TO:
        borders.insert(1, (n_first + len(y)) // 2)
    found = []
    for n_fit, n_end in pairwise(borders):
        lengths = choose_lengths(n_fit, horizon=horizon, season=season)
        assert lengths.patch_length == horizon, name
        n_end = min(len(y), n_end + horizon - 1)
        scaled = Scaler.of(values[:n_fit]).forward(values[:n_end])
        found.append(Problem(name, scaled, n_fit, *lengths, season))
    return found


# --- the work -------------------------------------------------------------------------------------


@torch.no_grad()
def forecasts(network: SAMoVARNetwork, windows: WindowSet) -> np.ndarray:
    """Return the forecasts of windows; shape (B, s, C)."""
    parts = torch.arange(len(windows)).split(WINDOWS_AT_ONCE)
    return np.concatenate(
        [network(*windows.batch(some)[:4], last_only=True).forecast[..., 0] for some in parts]
    )


def trained(problem: Problem, option: Option, seed: int) -> dict[str, np.ndarray]:
    """Train one network; return its forecasts of the validation and of the test windows."""
    fitted, held_out = problem.windows()
    config = NetworkConfig(
        n_series=problem.values.shape[1],
        patch_length=problem.patch_length,
        context_length=problem.context_length,
        n_layers=option.n_layers,
        dropout=option.dropout,
    )
    network = SAMoVARNetwork(config, torch.Generator().manual_seed(seed))
    started = time.process_time()
    with applied(option, problem.context_length):
        training.fit_network(
            network,
            fitted,
            held_out,
            problem.training(len(fitted), option.epochs_at_most),
            random_state=seed,
            progress=False,
        )
        return {
            "validation": forecasts(network, held_out),
            "test": forecasts(network, problem.tested()),
            "seconds": np.array(time.process_time() - started),
        }


def anchored(problem: Problem, folder: Path, number: int) -> dict[str, np.ndarray]:
    """Return the anchor's forecasts: for the gate, and of the test windows; kept in a folder."""
    path = folder / f"{problem.name}-{number}-anchor.npz"
    if not path.exists():
        _, held_out = problem.windows()
        lengths = (problem.patch_length, problem.context_length)
        parts = {}
        for role, windows, n_rows in (
            ("validation", held_out, int(held_out.starts.min()) + problem.context_length),
            ("test", problem.tested(), problem.n_fit),
        ):
            fit = estimate_anchor([problem.values[:n_rows]], *lengths, problem.season)
            every = torch.arange(len(windows)).split(WINDOWS_AT_ONCE)
            parts[role] = np.concatenate(
                [fit.map(windows.batch(some).target.double().numpy()) for some in every]
            )
        np.savez_compressed(path, **parts)
    return dict(np.load(path))


def actual(windows: WindowSet) -> np.ndarray:
    return windows.batch(torch.arange(len(windows))).future.double().numpy()


def scored(
    problem: Problem, network: dict[str, np.ndarray], anchor: dict[str, np.ndarray]
) -> tuple[float, float]:
    """Return the MSE of the network alone, and beside the anchor."""
    _, held_out = problem.windows()
    truth = actual(problem.tested())
    gate = estimate_gate(
        anchor["validation"], network["validation"], actual(held_out), held_out.instance.numpy()
    )
    combined = anchor["test"] + gate * (network["test"] - anchor["test"])
    return float(np.square(network["test"] - truth).mean()), float(
        np.square(combined - truth).mean()
    )


def measure(
    name: str, data: Path, options: list[str], seeds: list[int], kept: Path
) -> dict[str, Any]:
    """Return for one set the MSE of each option: of every seed, and of the seeds' mean."""
    entry: dict[str, Any] = {"options": {}}
    every = problems(name, data)
    anchors = [anchored(one, kept, number) for number, one in enumerate(every)]
    weights = [len(one.tested()) for one in every]
    entry["anchor"] = float(
        np.average(
            [
                np.square(anchor["test"] - actual(one.tested())).mean()
                for one, anchor in zip(every, anchors, strict=True)
            ],
            weights=weights,
        )
    )
    for key in options:
        runs = []
        for seed in seeds:
            paths = [kept / f"{name}-{number}-{key}-{seed}.npz" for number in range(len(every))]
            for one, path in zip(every, paths, strict=True):
                if not path.exists():
                    np.savez_compressed(path, **trained(one, OPTIONS[key], seed))
            runs.append([dict(np.load(path)) for path in paths])
        groups = {f"seed {seed}": [run] for seed, run in zip(seeds, runs, strict=True)}
        for size in range(2, len(seeds) + 1):
            groups[f"mean of {size}"] = runs[:size]
        entry["options"][key] = {}
        for group, some in groups.items():
            scores = []
            for number, one in enumerate(every):
                mean = {
                    role: np.mean([run[number][role] for run in some], axis=0)
                    for role in ("validation", "test")
                }
                scores.append(scored(one, mean, anchors[number]))
            alone, beside = np.average(scores, axis=0, weights=weights)
            seconds = sum(float(part["seconds"]) for run in some for part in run)
            entry["options"][key][group] = {
                "alone": float(alone),
                "anchored": float(beside),
                "seconds": seconds,
            }
    return entry


# --- tables ---------------------------------------------------------------------------------------


def ratios(
    stored: dict[str, Any], key: str, role: str, group: str | None = None
) -> dict[str, float]:
    """Return an option's MSE over that of the paper's model, set by set.

    Over the seeds that both have; with a group, that of the option over the seeds of the paper.
    """
    found = {}
    for name, entry in stored["sets"].items():
        paper, runs = entry["options"].get(PAPER, {}), entry["options"].get(key, {})
        seeds = [seed for seed in paper if seed.startswith("seed") and seed in runs]
        wanted = seeds if group is None else [group]
        if seeds and all(one in runs for one in wanted):
            mean = np.mean([runs[one][role] for one in wanted])
            found[name] = float(mean / np.mean([paper[seed][role] for seed in seeds]))
    return found


def summary_line(title: str, found: dict[str, float]) -> list[str]:
    """Return one row: geometric mean, extremes, and the mean without its best set."""
    if not found:
        return [title, "not run", "", "", "", ""]
    logs = np.sort(np.log(list(found.values())))
    rest = f"{np.exp(logs[1:].mean()):.3f}" if len(logs) > 1 else ""
    return [
        title,
        f"{len(logs)}",
        f"{np.exp(logs.mean()):.3f}",
        rest,
        f"{np.exp(logs[0]):.3f} to {np.exp(logs[-1]):.3f}",
        f"{int((logs < 0).sum())}",
    ]


def summary_table(stored: dict[str, Any]) -> str:
    """Return one row an option: the network alone, and at the end beside the anchor."""
    seeds = max(
        (
            int(group.split()[-1])
            for entry in stored["sets"].values()
            for group in entry["options"].get(PAPER, {})
            if group.startswith("mean of")
        ),
        default=1,
    )
    found = [(option.title, key, None) for key, option in OPTIONS.items() if key != PAPER]
    found += [
        (f"the paper's model, mean of {size} seeds", PAPER, f"mean of {size}")
        for size in range(2, seeds + 1)
    ]
    rows = []
    for title, key, group in found:
        anchored = summary_line(title, ratios(stored, key, "anchored", group))
        rows.append([*summary_line(title, ratios(stored, key, "alone", group)), anchored[2]])
    header = ["option", "sets", "network alone", "without its best set", "from, to", "better on"]
    return harness.markdown_table([*header, "beside the anchor"], rows)


def report(stored: dict[str, Any]) -> str:
    lines = [
        "# Options of the model",
        "",
        "Made by `python -m benchmarks.options`. MSE over that of the paper's model with the same "
        "seeds, on the same windows; below 1 the option helps. Every origin after a fit is "
        f"forecast; the sets are those of the econometric panel, and {LONG} at 96 steps from 336 "
        f"rows, {LONG_EPOCHS} epochs.",
        "",
        f"Commit {stored['about']['commit']}, {stored['about']['date']}, "
        f"{stored['about']['hardware']['cpu']}, one thread.",
        "",
    ]
    lines += [summary_table(stored), ""]
    lines += ["## Set by set, the network alone", ""]
    names = list(stored["sets"])
    by_key = {key: ratios(stored, key, "alone") for key in OPTIONS}
    rows = [
        [key, *(f"{found[name]:.3f}" if name in found else "not run" for name in names)]
        for key, found in by_key.items()
        if key != PAPER
    ]
    paper = []
    for name in names:
        runs = stored["sets"][name]["options"][PAPER]
        scores = [run["alone"] for group, run in runs.items() if group.startswith("seed")]
        paper.append(f"{np.mean(scores):.4g} ({len(scores)})")
    rows.insert(0, ["paper: MSE (seeds)", *paper])
    lines.append(harness.markdown_table(["option", *names], rows))
    return "\n".join(lines) + "\n"


def write_tables(results: Path, stored: dict[str, Any]) -> None:
    """Keep what was measured, and put its table into the page that tells about it."""
    write_stored(results, stored, report(stored))
    if results == RESULTS and PAGE.exists():
        put_between_markers(PAGE, "options", summary_table(stored))


def main(arguments: list[str] | None = None) -> int:
    parser = command_line(__doc__, RESULTS)
    parser.add_argument("--sets", nargs="*", default=[*PANEL, LONG], choices=[*SETS, LONG])
    parser.add_argument("--options", nargs="*", default=list(OPTIONS), choices=list(OPTIONS))
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1])
    parser.add_argument("--kept", type=Path, help="folder of finished forecasts, to go on from")
    asked = parser.parse_args(arguments)
    stored = read_stored(asked.results)
    if asked.report:
        write_tables(asked.results, stored)
        return 0
    if is_missing(asked.data):
        return 0
    kept = asked.kept or Path(tempfile.mkdtemp())
    kept.mkdir(parents=True, exist_ok=True)
    with harness.one_thread():
        for name in asked.sets:
            entry = measure(name, asked.data, asked.options, asked.seeds, kept)
            known = stored["sets"].setdefault(name, {"options": {}})
            known["anchor"] = entry["anchor"]
            for key, groups in entry["options"].items():
                known["options"].setdefault(key, {}).update(groups)
            stored["about"] = harness.provenance(("torch", "numpy", "pandas"))
            write_tables(asked.results, stored)
            print(name, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
