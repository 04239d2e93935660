"""``python -m benchmarks.accuracy_tests``: how often tests of accuracy err on equal forecasts.

Losses of equally good forecasts are drawn again and again, as a leaderboard has them: few origins,
forecasts that overlap, autocorrelation. A test at 5 % should reject in 5 % of the draws, and a
confidence set of 90 % should keep all models in 90 % of them.

Letters: n origins, M models, R draws of a bootstrap.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import t as student

from benchmarks.command import Benchmark
from benchmarks.pages import markdown_table
from benchmarks.records import Records, provenance
from samovar_forecast.accuracy_tests import diebold_mariano, model_confidence_set
from samovar_forecast.process import one_thread

DRAWS = 2000
MODELS = 5
LEVEL, SIZE = 0.05, 0.1
DIFFERENCE = 3.0
"""Standard errors by which a forecast is worse where the power is measured."""


class Setting(NamedTuple):
    """What losses are drawn for."""

    n_origins: int
    overlap: int
    autoregression: float

    @property
    def name(self) -> str:
        """Key of the setting in the records."""
        return f"{self.n_origins} origins, overlap {self.overlap}, AR {self.autoregression}"


SETTINGS = tuple(
    Setting(n_origins, overlap, autoregression)
    for overlap in (1, 4)
    for autoregression in (0.0, 0.3, 0.6)
    for n_origins in (10, 20, 40)
)


# --- what is drawn --------------------------------------------------------------------------------


def losses(setting: Setting, n_models: int, random: np.random.Generator) -> np.ndarray:
    """Return losses (n, M) of equally good models, with a long-run variance near 1 to 2.

    Each is an autoregression of normal shocks, summed over as many neighbours as overlap; models
    share a part and differ in size.
    """
    n_rows = setting.n_origins + setting.overlap - 1
    own = random.normal(size=(n_rows + 50, n_models)) * np.linspace(0.5, 1.5, n_models)
    path = own + 0.5 * random.normal(size=(n_rows + 50, 1))
    for row in range(1, len(path)):
        path[row] += setting.autoregression * path[row - 1]
    path = path[50:] * (1 - setting.autoregression) / setting.overlap
    windows = np.lib.stride_tricks.sliding_window_view(path, setting.overlap, axis=0)
    return windows.sum(axis=-1)


# --- tests that are compared ----------------------------------------------------------------------


def cosines(difference: np.ndarray, overlap: int) -> bool:
    """Reject by the package's test."""
    return diebold_mariano(difference, np.zeros_like(difference), overlap).pvalue < LEVEL


def harvey_leybourne_newbold(difference: np.ndarray, overlap: int) -> bool:
    """Reject by ``overlap - 1`` autocovariances and Student's t of n - 1 degrees (1997, eq. 9)."""
    n, gamma = len(difference), autocovariances(difference, overlap)
    variance = gamma[0] + 2 * gamma[1:].sum()
    if variance <= 0:
        variance = gamma[0] + 2 * (1 - np.arange(1, overlap) / overlap) @ gamma[1:]
    factor = (n + 1 - 2 * overlap + overlap * (overlap - 1) / n) / n
    statistic = difference.mean() / np.sqrt(variance / n) * np.sqrt(factor)
    return bool(2 * student.sf(abs(statistic), n - 1) < LEVEL)


def fixed_b(difference: np.ndarray, overlap: int) -> bool:
    """Reject by Bartlett's kernel over sqrt(n) origins with Kiefer and Vogelsang's critical value.

    Coroneo and Iacone (2020, section 3.1); the value at 5 % is the cubic of Kiefer and Vogelsang
    (2005, table 1).
    """
    n = len(difference)
    width = int(np.sqrt(n))
    gamma = autocovariances(difference, width)
    variance = gamma[0] + 2 * (1 - np.arange(1, width) / width) @ gamma[1:]
    share = width / n
    critical = 1.96 + 2.9694 * share + 0.4160 * share**2 - 0.5324 * share**3
    return bool(abs(difference.mean()) > critical * np.sqrt(variance / n))


def fixed_m(difference: np.ndarray, overlap: int) -> bool:
    """Reject by the periodogram at the n^(1/3) slowest frequencies, twice as many degrees.

    Coroneo and Iacone (2020, section 3.2).
    """
    n = len(difference)
    width = int(n ** (1 / 3))
    variance = np.square(np.abs(np.fft.rfft(difference)[1 : width + 1])).mean() / n
    statistic = difference.mean() / np.sqrt(variance / n)
    return bool(2 * student.sf(abs(statistic), 2 * width) < LEVEL)


def autocovariances(difference: np.ndarray, count: int) -> np.ndarray:
    """Return the first autocovariances, that of lag 0 among them, of shape (count,)."""
    centred = difference - difference.mean()
    n = len(centred)
    return np.array([centred[lag:] @ centred[: n - lag] for lag in range(count)]) / n


TESTS: dict[str, Callable[[np.ndarray, int], bool]] = {
    "slow cosines (here)": cosines,
    "Harvey, Leybourne, Newbold": harvey_leybourne_newbold,
    "fixed-b": fixed_b,
    "fixed-m": fixed_m,
}


def block_bootstrap(values: np.ndarray, overlap: int, repetitions: int = 500) -> np.ndarray:
    """Return p-values of a confidence set by a moving-block bootstrap of the range statistic.

    Hansen, Lunde and Nason (2011), with blocks of ``max(overlap, n^(1/3))`` origins.
    """
    n, n_models = values.shape
    block = max(overlap, round(n ** (1 / 3)))
    n_blocks = -(-n // block)
    starts = np.random.default_rng(0).integers(0, n - block + 1, size=(repetitions, n_blocks, 1))
    places = (starts + np.arange(block)).reshape(repetitions, -1)[:, :n]
    mean, drawn = values.mean(axis=0), values[places].mean(axis=1)  # R M
    difference = mean[:, None] - mean
    moved = drawn[:, :, None] - drawn[:, None] - difference  # R M M
    deviation = np.sqrt(np.square(moved).mean(axis=0)) + np.eye(n_models)
    observed, moved = difference / deviation, np.abs(moved / deviation)
    pvalues, left, highest = np.ones(n_models), list(range(n_models)), 0.0
    while len(left) > 1:
        among = np.ix_(left, left)
        largest = moved[:, left][:, :, left].max(axis=(1, 2))
        highest = max(highest, float((largest >= np.abs(observed[among]).max()).mean()))
        worst = left[int(observed[among].max(axis=1).argmax())]
        pvalues[worst] = highest
        left.remove(worst)
    return pvalues


SETS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "slow cosines (here)": model_confidence_set,
    "block bootstrap": block_bootstrap,
}


# --- measured -------------------------------------------------------------------------------------


def rejections(setting: Setting, draws: int, shift: float = 0.0) -> dict[str, float]:
    """Return the share of draws that each test rejects, in percent.

    Parameters
    ----------
    shift : float, default=0.0
        By how many standard errors the first forecast is worse.
    """
    random = np.random.default_rng(0)
    drawn = [losses(setting, 2, random) for _ in range(draws)]
    differences = [pair[:, 0] - pair[:, 1] for pair in drawn]
    worse = shift * np.std([difference.mean() for difference in differences])
    return {
        name: 100 * float(np.mean([test(one + worse, setting.overlap) for one in differences]))
        for name, test in TESTS.items()
    }


def kept(setting: Setting, draws: int) -> dict[str, float]:
    """Return the share of draws in which a set holds all equally good models, in percent."""
    random = np.random.default_rng(0)
    drawn = [losses(setting, MODELS, random) for _ in range(draws)]
    return {
        name: 100 * float(np.mean([(find(one, setting.overlap) > SIZE).all() for one in drawn]))
        for name, find in SETS.items()
    }


def against_the_best(setting: Setting, draws: int) -> dict[str, float]:
    """Return how often a model is called worse, and better, than the best of five as good, in %."""
    random = np.random.default_rng(0)
    worse = better = 0
    for _ in range(draws):
        drawn = losses(setting, 1 + MODELS, random)
        # The model in the middle stands for the row: it is neither the calmest nor the wildest.
        row, others = drawn[:, 3], np.delete(drawn, 3, axis=1)
        outcome = diebold_mariano(row, others[:, others.mean(axis=0).argmin()], setting.overlap)
        worse += outcome.pvalue < LEVEL and outcome.statistic > 0
        better += outcome.pvalue < LEVEL and outcome.statistic < 0
    return {"worse": 100 * worse / draws, "better": 100 * better / draws}


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Measure every setting that is not in the records."""
    about = provenance(("numpy",))
    stamp = {"date": about["date"], "commit": about["commit"]}
    with one_thread():
        for setting in SETTINGS:
            if setting.name in records.entries and not asked.again:
                continue
            entry: dict[str, Any] = {
                "rejected": rejections(setting, asked.draws),
                "power": rejections(setting, asked.draws, DIFFERENCE),
                "kept": kept(setting, asked.draws // 4),
                "against the best": against_the_best(setting, asked.draws),
            }
            records.keep(setting.name, {**entry, "draws": asked.draws, **stamp})
            print(setting.name, entry, flush=True)


# --- sections -------------------------------------------------------------------------------------


def sections(records: Records) -> dict[str, str]:
    """Return the tables: size and power of the tests, what the sets keep."""
    head = ["overlap", "AR"]
    size_rows, set_rows = [], []
    for overlap, autoregression, of_all in _by_losses(records):
        place = [f"{overlap}", f"{autoregression:g}"]
        rejected = [_told(of_all, "rejected", name) for name in TESTS]
        power = [_told(of_all, "power", name, ".0f") for name in list(TESTS)[:2]]
        size_rows.append([*place, *rejected, *power])
        shares = [_told(of_all, "kept", name, ".0f") for name in SETS]
        called = [_told(of_all, "against the best", name) for name in ("worse", "better")]
        set_rows.append([*place, *shares, *called])
    entries = list(records.entries.values())
    commits = ", ".join(sorted({entry["commit"] for entry in entries}))
    told = (
        f"Percent with 10 / 20 / 40 origins, {entries[0]['draws']} draws each (sets: a quarter of "
        f"them); {max(entry['date'] for entry in entries)[:10]}, commit {commits}."
    )
    sizes = [*head, *TESTS, *(f"finds {DIFFERENCE:g} s.e.: {name}" for name in list(TESTS)[:2])]
    sets = [*head, *(f"all kept: {name}" for name in SETS), "called worse", "called better"]
    return {
        "accuracy tests": f"{markdown_table(sizes, size_rows)}\n\n{told}",
        "accuracy tests of many": markdown_table(sets, set_rows),
    }


def _by_losses(records: Records) -> Iterator[tuple[int, float, list[dict[str, Any]]]]:
    """Yield overlap, autoregression and the entries of all numbers of origins."""
    for overlap, autoregression in dict.fromkeys(setting[1:] for setting in SETTINGS):
        names = [s.name for s in SETTINGS if s[1:] == (overlap, autoregression)]
        if all(name in records.entries for name in names):
            yield overlap, autoregression, [records.entries[name] for name in names]


def _told(entries: list[dict[str, Any]], what: str, name: str, form: str = ".1f") -> str:
    return " / ".join(format(entry[what][name], form) for entry in entries)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this benchmark."""
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--again", action="store_true", help="also what is in the records")


BENCHMARK = Benchmark("accuracy_tests", __doc__, measure, sections, add_options)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
