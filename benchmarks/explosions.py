"""``python -m benchmarks.explosions``: errors on 1,000 simulated short panels, over naive ones.

A forecast that is iterated may explode, above all on few rows of many related series. Each panel
has 20 to 80 rows of 2 to 30 series and is forecast once; an error is told as a share of the naive
forecast's on the same panel.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from time import process_time
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.command import Benchmark
from benchmarks.contestants import (
    Contestant,
    add_contestant_options,
    by_contestant,
    measure_contestants,
    told_commits,
)
from benchmarks.pages import markdown_table
from benchmarks.records import Records
from benchmarks.samples import Sample
from samovar_forecast.process import one_thread

N_PANELS = 1000
PART = 50
"""Panels that are measured, and stored, at once."""
HORIZONS = (1, 4, 8, 12, 28)
SEASONS = (1, 1, 1, 4, 7, 12)
"""Seasons that are told; a third of them is not in the data."""
EXPLODES = 3.0
"""An error above so many times the naive forecast's is an explosion."""

NAMES = ("Naive", "Drift", "VAR", "Ridge VAR", "Linear members")


class ShortPanel(NamedTuple):
    """A simulated panel: rows (n, C) that are seen, rows (h, C) that follow, the season told."""

    family: str
    past: np.ndarray
    future: np.ndarray
    season: int


# --- what is simulated ----------------------------------------------------------------------------

Random = np.random.Generator
Path = Callable[[int, int, int, Random], np.ndarray]
"""From rows, series, season and a generator to values (n, C)."""


def autoregression(shocks: np.ndarray, coefficient: np.ndarray | float) -> np.ndarray:
    """Return first-order autoregressions of shocks (n, k)."""
    path = np.zeros_like(shocks)
    for row in range(1, len(shocks)):
        path[row] = coefficient * path[row - 1] + shocks[row]
    return path


def factors(n: int, c: int, season: int, random: Random) -> np.ndarray:
    """Few common factors, normal loadings, and little of each series' own."""
    k = int(random.integers(1, 5))
    common = autoregression(random.normal(size=(n, k)), random.uniform(0.5, 1.0, k))
    noise = 10 ** random.uniform(-3, 0) * random.normal(size=(n, c))
    return common @ random.normal(size=(k, c)) + noise


def random_walks(n: int, c: int, season: int, random: Random) -> np.ndarray:
    """Random walks of correlated steps, some of them with a drift."""
    steps = random.normal(size=(n, c)) @ random.normal(size=(c, c)) / np.sqrt(c)
    return (steps + random.normal(size=c) * random.integers(0, 2)).cumsum(axis=0)


def vector_autoregression(n: int, c: int, season: int, random: Random) -> np.ndarray:
    """A VAR(1) with dense coefficients, its largest root between 0.3 and 1."""
    coefs = random.normal(size=(c, c))
    coefs *= random.uniform(0.3, 1.0) / np.abs(np.linalg.eigvals(coefs)).max()
    path = random.normal(size=(n + 50, c))
    for row in range(1, len(path)):
        path[row] += coefs @ path[row - 1]
    return path[50:]


def cointegrated(n: int, c: int, season: int, random: Random) -> np.ndarray:
    """One random walk that all series follow, each with a stationary distance to it."""
    trend = random.normal(size=(n, 1)).cumsum(axis=0)
    return trend * random.uniform(0.5, 2, c) + autoregression(random.normal(size=(n, c)), 0.5)


def trends(n: int, c: int, season: int, random: Random) -> np.ndarray:
    """Lines, parabolas and exponentials with noise of any size."""
    time = np.linspace(0, 1, n)[:, None]
    power = random.choice([1.0, 2.0, 0.5], c)
    straight = random.normal(size=c) * time**power
    growing = np.exp(random.uniform(0, 3) * time) * random.normal(size=c)
    curve = straight if random.random() < 0.7 else growing
    return curve + 10 ** random.uniform(-4, 0) * random.normal(size=(n, c))


def breaks(n: int, c: int, season: int, random: Random) -> np.ndarray:
    """Levels and slopes that change once or twice."""
    path = random.normal(size=(n, c)) * random.uniform(0.1, 1)
    for place in random.integers(n // 4, n, int(random.integers(1, 3))):
        path[place:] += random.normal(size=c) * 5
        path[place:] += np.arange(n - place)[:, None] * random.normal(size=c) * 0.3
    return path


def smooth(n: int, c: int, season: int, random: Random) -> np.ndarray:
    """Sines and a trend, without noise."""
    time = np.arange(n)[:, None]
    path = random.normal(size=c) * 0.05 * time
    for _ in range(3):
        period = random.uniform(4, 60)
        path = path + random.normal(size=c) * np.sin(
            2 * np.pi * time / period + random.normal(size=c)
        )
    return path


def integrated(n: int, c: int, season: int, random: Random) -> np.ndarray:
    """Series whose slopes are random walks."""
    return random.normal(size=(n, c)).cumsum(axis=0).cumsum(axis=0)


def seasonal(n: int, c: int, season: int, random: Random) -> np.ndarray:
    """A season of any shape and a random walk; without a season the walk alone."""
    shape = random.normal(size=(max(season, 1), c)) * random.uniform(0.5, 5)
    walk = random.normal(size=(n, c)).cumsum(axis=0) * random.uniform(0.1, 1)
    return shape[np.arange(n) % len(shape)] + walk + 0.3 * random.normal(size=(n, c))


FAMILIES: dict[str, Path] = {
    "factors": factors,
    "random walks": random_walks,
    "VAR(1)": vector_autoregression,
    "cointegrated": cointegrated,
    "trends": trends,
    "breaks": breaks,
    "smooth": smooth,
    "twice integrated": integrated,
    "seasonal": seasonal,
}
MIXED = "mixed"
"""Series of several families side by side, some constant, some twice, in units far apart."""


def simulate(number: int) -> ShortPanel:
    """Return the panel of a number; it is the seed."""
    random = np.random.default_rng([2026, number])
    families = [*FAMILIES, MIXED]
    family = families[number % len(families)]
    n, c = int(random.integers(20, 81)), int(random.integers(2, 31))
    horizon, season = int(random.choice(HORIZONS)), int(random.choice(SEASONS))
    inner = season if random.random() < 2 / 3 else 1
    rows = n + horizon
    if family == MIXED:
        path = _mixed(rows, c, inner, random)
    else:
        path = FAMILIES[family](rows, c, inner, random)
    path = path * 10 ** random.uniform(-2, 4) + random.normal() * path.std()
    return ShortPanel(family, path[:n], path[n:], season)


def _mixed(n: int, c: int, season: int, random: Random) -> np.ndarray:
    drawn = random.choice(list(FAMILIES), c)
    columns = [FAMILIES[name](n, 2, season, random)[:, :1] for name in drawn]
    path = np.hstack(columns) * 10 ** random.uniform(-3, 3, c)
    if c > 2:
        path[:, -1] = path[:, 0]
        path[:, -2] = 7.0
    return path


# --- measured -------------------------------------------------------------------------------------


def ratio(panel: ShortPanel, forecast: np.ndarray) -> float:
    """Return the mean absolute error over the naive forecast's.

    Both are means over the series that vary, each in units of its typical step.
    """
    unit = np.abs(np.diff(panel.past, axis=0)).mean(axis=0)
    varies = unit > 0
    error = np.abs(forecast - panel.future)[:, varies] / unit[varies]
    naive = np.abs(panel.past[-1:] - panel.future)[:, varies] / unit[varies]
    return float(error.mean() / naive.mean())


def measure_part(numbers: range, contestant: Contestant) -> dict[str, Any]:
    """Return the ratios of some panels, in order."""
    began, ratios = process_time(), []
    for number in numbers:
        panel = simulate(number)
        index = pd.period_range("1950", periods=len(panel.past), freq=_freq(panel.season))
        columns = [f"y{column}" for column in range(panel.past.shape[1])]
        samples = [Sample(pd.DataFrame(panel.past, index, columns))]
        contestant.fit(samples, len(panel.future), panel.season)
        (forecast,) = contestant.forecast(samples, spread=False)
        ratios.append(float(f"{ratio(panel, forecast.points):.4g}"))
    return {"ratios": ratios, "cpu seconds": round(process_time() - began, 1)}


def _freq(season: int) -> str:
    return {1: "Y", 4: "Q", 7: "D", 12: "M"}[season]


# --- sections -------------------------------------------------------------------------------------


def ratios_of(parts: dict[str, dict[str, Any]]) -> pd.Series:
    """Return the ratios of a contestant by the number of the panel."""
    found = {}
    for name, part in parts.items():
        first = int(name.split()[1])
        found |= dict(enumerate(part["ratios"], first))
    return pd.Series(found, dtype=float).sort_index()


def sections(records: Records) -> dict[str, str]:
    """Return the sections of the page by marker."""
    families = [*FAMILIES, MIXED]
    summary, worst = [], []
    entries = by_contestant(records)
    for name, parts in entries.items():
        ratios = ratios_of(parts)
        finite = ratios[np.isfinite(ratios)]
        by_family = ratios.groupby(ratios.index % len(families)).max()
        n_exploding = int((~(ratios <= EXPLODES)).sum())
        seconds = sum(part["cpu seconds"] for part in parts.values())
        summary.append(
            [
                name,
                f"{len(ratios)}",
                f"{np.exp(np.log(finite.clip(1e-6)).mean()):.3f}",
                f"{n_exploding}",
                _number(ratios.max()),
                f"{1000 * seconds / len(ratios):.0f} ms",
            ]
        )
        worst.append(
            [name, *(_number(by_family.get(number, np.nan)) for number in range(len(families)))]
        )
    head = ["model", "panels", "geometric mean", f"above {EXPLODES:.0f}", "largest", "a panel"]
    cpu = records.entries["about"]["hardware"]["cpu"]
    where = f"{told_commits(entries)}, {cpu}, one thread."
    return {
        "explosions": f"{markdown_table(head, summary)}\n\n{where}",
        "explosions by family": markdown_table(["largest error", *families], worst),
    }


def _number(value: float) -> str:
    if not np.isfinite(value):
        return "not finite"
    return f"{value:.2f}" if value < 100 else f"{value:.1e}"


# --- the command ----------------------------------------------------------------------------------


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Measure the parts that are asked for and not there."""
    cases = {
        f"from {first}": partial(measure_part, range(first, first + PART))
        for first in range(0, asked.panels, PART)
    }
    with one_thread():
        measure_contestants(records, asked, cases)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this benchmark."""
    parser.add_argument("--panels", type=int, default=N_PANELS, help="how many, from the first on")
    add_contestant_options(parser, NAMES)


BENCHMARK = Benchmark("explosions", __doc__, measure, sections, add_options)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
