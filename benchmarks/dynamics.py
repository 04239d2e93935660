"""``python -m benchmarks.dynamics``: does the dynamic VAR find what is known to be there?

Series are simulated from processes with known matrices; networks are trained on them; what the
dynamic VAR then says is held against the truth: coefficients, a break, a causal graph, the size
and power of the causality test, the coverage of bands. Every repetition is stored when it is done,
so a run that was cut off goes on where it stopped.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.api import OLS
from tqdm import tqdm

from benchmarks.command import Benchmark
from benchmarks.coverage_of_bands import PROCESSES
from benchmarks.coverage_of_bands import covered as covered_by_bands
from benchmarks.moving_coefficients import MOVEMENTS, Process, movement_found
from benchmarks.pages import markdown_table
from benchmarks.reading_cost import cost_of_reading
from benchmarks.records import Records, fingerprint, provenance
from benchmarks.series_sets import VAR2
from benchmarks.zero_shot_tests import causality_tested, constancy_tested
from samovar_forecast.accuracy_tests import clark_west
from samovar_forecast.config import NetworkConfig, TrainingConfig
from samovar_forecast.dynamics.bands import residual_block_bootstrap, seed_ensemble
from samovar_forecast.dynamics.causality import predictive_causality
from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.dynamics.refitting import NetworkLearner
from samovar_forecast.dynamics.responses import irf
from samovar_forecast.frames.scaler import Scaler
from samovar_forecast.linear.simulate import simulate_var
from samovar_forecast.process import one_thread

LEVEL = 0.05
SOURCES = (
    "benchmarks/coverage_of_bands.py",
    "benchmarks/dynamics.py",
    "benchmarks/moving_coefficients.py",
    "benchmarks/reading_cost.py",
    "benchmarks/series_sets.py",
    "benchmarks/zero_shot_tests.py",
    "samovar_forecast/dynamics",
    "samovar_forecast/network",
    "samovar_forecast/learning/windows.py",
    "samovar_forecast/learning/training.py",
    "samovar_forecast/linear",
    "samovar_forecast/config.py",
)

Numbers = dict[str, float]


# --- the coefficients of a VAR(2) -----------------------------------------------------------------

TURNING_VAR2 = np.array(
    [
        [[0.5, 0.2, 0.0], [0.0, 0.4, 0.3], [-0.2, 0.0, 0.3]],
        [[0.2, 0.0, 0.1], [0.2, -0.2, 0.0], [0.0, 0.1, 0.2]],
    ]
)
"""Another series acts at the second lag than at the first. By `VAR2` the others act on each
series in the same proportion at both, as a single exogenous token per patch has it.
"""
SMALL = NetworkConfig(
    n_series=3,
    patch_length=1,
    context_length=4,
    d_model=32,
    n_heads=2,
    n_layers=1,
    dropout=0.0,
    normalization="none",
)
TRAINING = TrainingConfig(
    max_epochs=40, batch_size=256, learning_rate=1e-2, next_patch_loss_weight=0.0
)


def read_as_var(
    series: np.ndarray, config: NetworkConfig, training: TrainingConfig, seed: int, share: float
) -> DynamicVAR:
    """Train a network on all of the series and read it as a VAR; `share` chooses its epoch."""
    names = tuple("abcdefgh"[: config.n_series])
    learner = NetworkLearner(series, names, config, training, 1, (seed,), share)
    network, location, scale = learner.train(series, seed)
    return DynamicVAR.from_network(network, series, scaler=Scaler(location, scale))


def recovery(truth: np.ndarray, seed: int) -> Numbers:
    """Hold mean local coefficients, and coefficients by least squares, against the truth."""
    series = simulate_var(truth, 6000, random_state=seed)
    var = read_as_var(series, SMALL, TRAINING, seed, 0.1)
    found = var.mean_coefs(var.origins[::10], part="total")
    wanted = np.zeros_like(found)
    wanted[: len(truth)] = truth
    lags = np.hstack([series[1:-1], series[:-2]])
    squares = np.linalg.lstsq(lags, series[2:], rcond=None)[0].T  # C, lag * C
    squares = squares.reshape(3, 2, 3).transpose(1, 0, 2)
    return {
        "correlation": float(np.corrcoef(found.ravel(), wanted.ravel())[0, 1]),
        "largest difference": float(np.abs(found - wanted).max()),
        "largest difference, OLS": float(np.abs(squares - truth).max()),
    }


# --- a break --------------------------------------------------------------------------------------

REGIMES = np.array([[[0.7, 0.0], [0.0, 0.7]], [[-0.4, 0.4], [0.4, -0.4]]])
PATCHED = replace(
    SMALL, n_series=2, patch_length=4, context_length=32, d_model=32, n_heads=2, n_layers=2
)
PATCHED_TRAINING = TrainingConfig(max_epochs=15, batch_size=128, learning_rate=5e-3)
N_BREAK = 3000


def two_regimes(n_before: int, seed: int) -> np.ndarray:
    """Simulate a VAR(1) whose matrix changes once."""
    noise = np.random.default_rng(seed).standard_normal((N_BREAK, 2))
    series = np.zeros((N_BREAK, 2))
    for t in range(1, N_BREAK):
        series[t] = REGIMES[int(t >= n_before)] @ series[t - 1] + noise[t]
    return series


def one_split(paths: np.ndarray) -> int:
    """Return where two means fit the standardised paths best, in squares over all paths."""
    scaled = (paths - paths.mean(axis=0)) / paths.std(axis=0)
    sums = scaled.cumsum(axis=0)[:-1]
    before = np.arange(1, len(paths))[:, None]
    gain = (sums**2 / before + sums**2 / (len(paths) - before)).sum(axis=1)
    return int(gain.argmax()) + 1


def break_found(seed: int) -> Numbers:
    """Measure the distance of the split of the coefficient paths from the true break."""
    n_before = int(N_BREAK * (0.6, 0.4, 0.75)[seed % 3])
    series = two_regimes(n_before, seed)
    var = read_as_var(series, PATCHED, PATCHED_TRAINING, seed, 0.0)
    paths = var.coefficient_paths([1], var.origins[::5], part="total").to_frame()
    found = int(paths.index[one_split(paths.to_numpy())])
    own = paths.iloc[:, 0]
    return {
        "true break": n_before,
        "break found": found,
        "error, share of the sample": abs(found - n_before) / N_BREAK,
        "own lag 1 before": float(own[own.index < n_before].mean()),
        "own lag 1 after": float(own[own.index >= n_before + 32].mean()),
    }


# --- a causal graph -------------------------------------------------------------------------------

ZEROS = np.array(
    [
        [
            [0.4, 0.0, 0.0, 0.3],
            [0.35, 0.4, 0.0, 0.0],
            [0.0, -0.35, 0.3, 0.3],
            [0.0, 0.0, 0.0, 0.5],
        ]
    ]
)
TWO_LAGS = replace(SMALL, context_length=2, d_model=16, n_heads=1)


def graph_found(seed: int) -> Numbers:
    """Measure the F1 of the arrows found by predictive causality, Holm at 5 %."""
    series = simulate_var(ZEROS, 3000, random_state=seed)
    config = replace(TWO_LAGS, n_series=4)
    learner = NetworkLearner(series, tuple("abcd"), config, TRAINING, 600)
    actual = pd.DataFrame(learner.test_actual, columns=list(learner.names))
    found = predictive_causality(learner, actual, level=LEVEL).graph().to_numpy()
    wanted = (ZEROS[0] != 0) & ~np.eye(4, dtype=bool)
    right = int((found & wanted).sum())
    return {
        "arrows": int(wanted.sum()),
        "found": int(found.sum()),
        "right": right,
        "F1": 2 * right / (int(found.sum()) + int(wanted.sum())),
    }


# --- size and power of the causality test ---------------------------------------------------------


def chain(effect: float) -> np.ndarray:
    """Return a VAR(1) of a, b and c: b acts on the others, and a on b with the given effect."""
    return np.array([[[0.5, 0.3, 0.0], [effect, 0.4, 0.0], [0.0, 0.3, 0.3]]])


class LeastSquares:
    """A linear VAR(2) fitted before the test origins: cheap enough for thousands of tests."""

    def __init__(self, series: np.ndarray, n_test: int) -> None:
        self.series, self.n_test = series, n_test

    def __call__(self, names: tuple[str, ...]) -> np.ndarray:
        series = self.series[:, ["abc".index(name) for name in names]]
        design = np.column_stack([np.ones(len(series) - 2), series[1:-1], series[:-2]])
        past = len(design) - self.n_test
        weights = np.linalg.lstsq(design[:past], series[2 : past + 2], rcond=None)[0]
        return design[past:] @ weights


TESTS_AT_ONCE = 50


def linear_tests(effect: float, n_train: int, n_test: int, number: int) -> Numbers:
    """Count how many tests of a on b reject, with a linear learner."""
    rejected = {"Clark-West": 0, "Clark-West, nothing taken out": 0, "Diebold-Mariano": 0}
    for i in range(TESTS_AT_ONCE):
        seed = 10_000 + number * TESTS_AT_ONCE + i
        series = simulate_var(chain(effect), n_train + n_test, random_state=seed, burn_in=100)
        learner = LeastSquares(series, n_test)
        actual = pd.DataFrame(series[-n_test:], columns=list("abc"))
        test = predictive_causality(learner, actual, "b", "a")
        rejected["Clark-West"] += bool(test.table["pvalue"][0] < LEVEL)
        full, without = learner(("a", "b", "c"))[:, 1], learner(("b", "c"))[:, 0]
        plain = clark_west(series[-n_test:, 1], without, full)
        rejected["Clark-West, nothing taken out"] += plain.pvalue < LEVEL
        gain = (series[-n_test:, 1] - without) ** 2 - (series[-n_test:, 1] - full) ** 2
        lags = int(4 * (n_test / 100) ** (2 / 9))
        mean = OLS(gain, np.ones(n_test)).fit(cov_type="HAC", cov_kwds={"maxlags": lags})
        rejected["Diebold-Mariano"] += float(mean.tvalues[0]) > 1.645
    return {"tests": TESTS_AT_ONCE, **{name: int(count) for name, count in rejected.items()}}


def network_tests(effect: float, number: int) -> Numbers:
    """Test a on b (and on c, where nothing acts) with networks; 1500 to train, 500 to test."""
    series = simulate_var(chain(effect), 2000, random_state=50_000 + number)
    learner = NetworkLearner(series, tuple("abc"), TWO_LAGS, TRAINING, 500)
    actual = pd.DataFrame(learner.test_actual, columns=list("abc"))
    forecasts = {names: learner(names) for names in (("a", "b", "c"), ("b", "c"))}
    test = predictive_causality(forecasts.__getitem__, actual, causing="a")
    outcome: Numbers = {}
    for row in test.table.itertuples():
        outcome[f"rejected {row.caused}"] = int(row.pvalue < LEVEL)
        place = "abc".index(row.caused)
        plain = clark_west(
            actual[row.caused].to_numpy(),
            forecasts["b", "c"][0, :, place - 1],
            forecasts["a", "b", "c"][0, :, place],
        )
        outcome[f"rejected {row.caused}, one training, nothing taken out"] = int(
            plain.pvalue < LEVEL
        )
    return outcome


# --- coverage of bands ----------------------------------------------------------------------------

PAIR = np.array([[[0.5, 0.25], [-0.2, 0.4]]])
PERIODS = 6


def true_responses() -> np.ndarray:
    """Return the MA representation of `PAIR`, periods 1 to `PERIODS`."""
    return np.stack([np.linalg.matrix_power(PAIR[0], h) for h in range(1, PERIODS + 1)])


def covered(result: Any, level: float) -> float:
    """Return the share of the true responses inside the pointwise band."""
    lower, upper = (bound[1:] for bound in result.band(level))
    truth = true_responses()
    return float(((lower <= truth) & (truth <= upper)).mean())


def linear_step(series: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return the conditional mean of a VAR(1) fitted by least squares."""
    design = np.column_stack([np.ones(len(series) - 1), series[:-1]])
    weights = np.linalg.lstsq(design, series[1:], rcond=None)[0]
    return lambda windows: weights[0] + windows[:, -1] @ weights[1:]


def linear_coverage(number: int) -> Numbers:
    """Measure the coverage of the block bootstrap around a linear VAR; 250 observations."""
    series = simulate_var(PAIR, 250, random_state=70_000 + number)
    result = residual_block_bootstrap(
        lambda step: irf(step, series[-1:], PERIODS),
        linear_step(series),
        series,
        1,
        linear_step,
        n_draws=99,
        random_state=number,
    )
    return {"90 %": covered(result, 0.9), "68 %": covered(result, 0.68)}


def network_coverage(number: int) -> Numbers:
    """Measure the coverage of seed ensemble and block bootstrap of a network; 1000 observations.

    A network's response depends on origin and size: it is taken as the mean over 50 origins of
    the response to a shock of one deviation.
    """
    series = simulate_var(PAIR, 1000, random_state=80_000 + number)
    config = replace(TWO_LAGS, n_series=2)
    learner = NetworkLearner(series, ("a", "b"), config, TRAINING, 1)
    origins = np.stack([series[t - 2 : t] for t in range(20, 1001, 20)])

    def compute(step: Any) -> Any:
        return irf(step, origins, PERIODS)

    steps = [learner.fit(series, seed) for seed in range(5)]
    ensemble = seed_ensemble(compute, steps)
    seeds = iter(range(100, 200))
    bootstrap = residual_block_bootstrap(
        compute,
        steps[0],
        series,
        2,
        lambda resampled: learner.fit(resampled, next(seeds)),
        n_draws=19,
        random_state=number,
    )
    return {
        "seed ensemble, 90 %": covered(ensemble, 0.9),
        "block bootstrap, 90 %": covered(bootstrap, 0.9),
    }


# --- coefficients that move -----------------------------------------------------------------------


def moving_cases() -> list[tuple[str, Process, int]]:
    """Return name, process and repetitions of each movement: 200 rows, more rows, more series."""
    sizes = [("", 200, 3, 8), (", 500 rows", 500, 3, 4), (", 1500 rows", 1500, 3, 2)]
    sizes.append((", 6 series", 200, 6, 4))
    return [
        (movement + words, Process(movement, n_rows, n_series), repeats)
        for words, n_rows, n_series, repeats in sizes
        for movement in MOVEMENTS
    ]


# --- the cases, and the run -----------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """What is measured, how often, and what is to be reached."""

    title: str
    measure: Callable[[int], Numbers]
    repeats: int
    wanted: str = ""


CASES = {
    "recovery": Case(
        "Mean local coefficients of a VAR(2), 3 series, 6,000 observations",
        lambda number: recovery(VAR2, number),
        6,
        "correlation above 0.985, differences of at most 0.06",
    ),
    "break": Case(
        "Break in a VAR(1) of two regimes, from the coefficient paths, 3,000 observations",
        break_found,
        3,
        "within 0.05 of the sample",
    ),
    "graph": Case(
        "Causal graph of a VAR(1), 4 series, 4 arrows, 3,000 observations of which 600 test",
        graph_found,
        5,
        "F1 of at least 0.9",
    ),
    "size, linear, 200 and 100": Case(
        "Size of the causality test, linear learner, 200 observations to train and 100 to test",
        lambda number: linear_tests(0.0, 200, 100, number),
        60,
        "rejections between 3 and 7 %",
    ),
    "size, linear, 600 and 300": Case(
        "Size of the causality test, linear learner, 600 observations to train and 300 to test",
        lambda number: linear_tests(0.0, 600, 300, number),
        60,
        "rejections between 3 and 7 %",
    ),
    "power, linear, 600 and 300": Case(
        "Power against an effect of 0.15, linear learner, 600 to train and 300 to test",
        lambda number: linear_tests(0.15, 600, 300, number),
        10,
    ),
    "coverage, linear": Case(
        "Coverage of the residual block bootstrap, responses of a linear VAR(1), 250 observations",
        linear_coverage,
        300,
        "the level",
    ),
    "size, zero-shot": Case(
        "Size of the causality test without training, 200 observations; a acts on nothing",
        partial(causality_tested, "none"),
        200,
        "rejections between 3 and 7 %",
    ),
    "power, zero-shot": Case(
        "Power against an effect of 0.3 (a on b; nothing acts on c directly), without training",
        partial(causality_tested, "linear"),
        200,
        "at least 90 % of that of least squares",
    ),
    "power, zero-shot, kink": Case(
        "Power where a acts on b above its mean alone, without training",
        partial(causality_tested, "kink"),
        200,
        "above that of least squares",
    ),
    "power, zero-shot, turn": Case(
        "Power where the effect of a on b changes its sign half-way, without training",
        partial(causality_tested, "turn"),
        200,
        "above that of least squares",
    ),
    "size, constancy": Case(
        "Size of the constancy tests without training, 200 observations of a VAR(1), on b",
        partial(constancy_tested, "linear"),
        200,
        "rejections between 3 and 7 %",
    ),
    "power, constancy": Case(
        "Power of the constancy tests where the own coefficient of b rises from 0 to 0.8 half-way",
        partial(constancy_tested, "persistence"),
        200,
    ),
    "size, network": Case(
        "Size of the causality test, networks, two trainings, 1,500 to train and 500 to test",
        lambda number: network_tests(0.0, number),
        40,
        "rejections between 3 and 7 %",
    ),
    "power, network": Case(
        "Power against an effect of 0.15 (a on b; nothing acts on c directly), networks",
        lambda number: network_tests(0.15, number),
        10,
    ),
    "coverage, network": Case(
        "Coverage for networks, responses of a VAR(1), 1,000 observations",
        network_coverage,
        3,
        "the level",
    ),
    **{
        f"coverage, {bands}, {process}": Case(
            f'Coverage of bands="{bands}", {process}, 2 series, 200 observations; sums of the '
            "coefficients and responses of 1 to 4 steps at the newest origin",
            partial(covered_by_bands, process, bands),
            repeats,
            wanted,
        )
        for bands, repeats, wanted in (("local", 100, "85 to 95 %"), ("bootstrap", 20, ""))
        for process in PROCESSES
    },
    "recovery, turning": Case(
        "As the first, but at the second lag other series act than at the first",
        lambda number: recovery(TURNING_VAR2, number),
        1,
    ),
    **{
        f"moving, {name}": Case(
            f"Coefficients that move: {process.movement}, {process.n_series} series, "
            f"{process.n_rows} observations; root mean square errors of lags 1 to 4, of their "
            "sums, and of responses; correlation of the sums with the true sums over the origins",
            partial(movement_found, process),
            repeats,
            "ours below the rolling VAR and the TVP-VAR on 4 of 5 movements",
        )
        for name, process, repeats in moving_cases()
    },
    "cost": Case(
        "What a reading costs: CPU seconds of a core, the network loaded",
        cost_of_reading,
        3,
        "200 x 6 at all origins with its fit 1.5 s; causality of 6 series 5 s; a response with "
        "bands, 200 x 3, 10 s; a session with US macro a minute",
    ),
}


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Measure the cases that are asked for."""
    run(asked.cases, records, asked.repeats)


def run(names: list[str], records: Records, repeats: int | None = None) -> None:
    """Measure cases, repetition by repetition, each stored when it is done."""
    header = provenance(("torch", "numpy", "statsmodels"))
    records.begin(dict.fromkeys(names, fingerprint(sources=SOURCES)), header)
    for name in names:
        case = CASES[name]
        for number in tqdm(range(repeats or case.repeats), desc=name, mininterval=5.0):
            records.measured(name, f"repetition {number}", partial(timed, case, number))
        records.finish(name)


def timed(case: Case, number: int) -> Numbers:
    """Return a repetition of a case, and the CPU seconds that it took."""
    before = time.process_time()
    with one_thread():
        outcome = case.measure(number)
    return {**outcome, "cpu seconds": round(time.process_time() - before, 2)}


# --- the tables -----------------------------------------------------------------------------------


def repetitions(entry: dict[str, Any]) -> pd.DataFrame:
    """Return what was measured of a case, a row a repetition."""
    rows = [value for key, value in entry.items() if key.startswith("repetition ")]
    return pd.DataFrame(rows)


def sections(records: Records) -> dict[str, str]:
    """Return all that was measured, case by case."""
    parts = []
    for name, case in CASES.items():
        entry = records.entries.get(name, {})
        table = repetitions(entry)
        if table.empty:
            continue
        seconds = table.pop("cpu seconds").sum()
        parts.append(f"## {case.title}")
        if case.wanted:
            parts.append(f"Wanted: {case.wanted}.")
        parts.append(_body(name, table))
        parts.append(
            f"{len(table)} of {case.repeats} repetitions, {seconds:.0f} s of CPU; "
            f"{entry['date']}, commit {entry['commit']}, {entry['hardware']['cpu']}, one thread, "
            f"torch {entry['versions']['torch']}."
        )
    return {"dynamics": "\n\n".join(parts)}


def _body(name: str, table: pd.DataFrame) -> str:
    """Return each repetition where there are few, else shares with their errors."""
    if name.startswith(("size", "power")):
        tests = table.pop("tests") if "tests" in table else pd.Series(1, table.index)
        total = int(tests.sum())
        rows = []
        for column in table:
            share = table[column].sum() / total
            error = np.sqrt(share * (1 - share) / total)
            rows.append([column, str(total), f"{share:.1%}", f"{error:.1%}"])
        return markdown_table(["test", "tests", "rejected at 5 %", "standard error"], rows)
    if name.startswith("coverage"):
        rows = []
        for column in table:
            style = ".3f" if column.startswith("width") else ".1%"
            rows.append(
                [column, f"{table[column].mean():{style}}", f"{table[column].sem():{style}}"]
            )
        return markdown_table(["nominal", "covered", "standard error"], rows)
    if name.startswith("moving"):
        pairs = pd.MultiIndex.from_tuples([tuple(column.split(", ")) for column in table])
        mean = (
            table.mean().set_axis(pairs).unstack()[list(dict.fromkeys(pairs.get_level_values(1)))]
        )
        error = table.sem().set_axis(pairs).unstack()
        mean = mean.dropna(axis=1, how="all")  # where nothing moves there is no correlation
        rows = [
            [who, *(f"{mean.loc[who, what]:.3f} ({error.loc[who, what]:.3f})" for what in mean)]
            for who in dict.fromkeys(pairs.get_level_values(0))
        ]
        return markdown_table(["mean (standard error)", *mean], rows)
    if name == "cost":
        rows = [[what, f"{table[what].median():.2f}", f"{table[what].max():.2f}"] for what in table]
        return markdown_table(["CPU seconds", "median", "longest"], rows)
    rows = [
        [str(number), *(f"{value:.4g}" for value in row)]
        for number, row in enumerate(table.itertuples(index=False))
    ]
    return markdown_table(["seed", *table], rows)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this benchmark."""
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--repeats", type=int, help="repetitions of each case")


BENCHMARK = Benchmark("dynamics", __doc__, measure, sections, add_options)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
