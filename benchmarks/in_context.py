"""``python -m benchmarks.in_context``: can a network infer a VAR from one window alone?

The synthetic experiment of the paper, made fair. Every training window comes from another random,
stable VAR of order 1 or 2, drawn anew for every batch, so that nothing can be learned by heart:
the coefficients have to be inferred in context. SAMoVAR, LinTrans and FixedVAR see the same
windows, take the same number of steps and have about the same number of parameters. They are
tested on fresh processes of orders 1 to 4 beside what a statistician would do with the same window.
Every training is stored when it is done, so a run that was cut off goes on where it stopped.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from benchmarks import harness
from benchmarks.series_sets import put_between_markers
from samovar_forecast.config import NetworkConfig, TrainingConfig
from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.dynamics.network_map import Windows
from samovar_forecast.learning.training import fit_network
from samovar_forecast.learning.windows import SeriesTensors, WindowBatch, WindowSet
from samovar_forecast.network import SAMoVARNetwork
from samovar_forecast.plots.layout import STYLES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RESULTS = Path(__file__).parent / "results" / "in_context.json"
PAGE = harness.ROOT / "docs" / "in_context.md"

N_SERIES = 2
CONTEXT = 64
TRAINING_ORDERS = (1, 2)
TEST_ORDERS = (1, 2, 3, 4)
LAGS = 4
"""Lags that are stored and read of every process, whatever its order."""
BURN_IN = 100


# --- the processes --------------------------------------------------------------------------------


def largest_roots(coefs: np.ndarray) -> np.ndarray:
    """Largest modulus of the companion matrices' eigenvalues, (n,); coefs (n, lags, C, C)."""
    n, lags, n_series, _ = coefs.shape
    companion = np.zeros((n, lags * n_series, lags * n_series))
    companion[:, n_series:, :-n_series] = np.eye((lags - 1) * n_series)
    companion[:, :n_series] = _side_by_side(coefs)
    return np.abs(np.linalg.eigvals(companion)).max(axis=1)


def _side_by_side(coefs: np.ndarray) -> np.ndarray:
    n, lags, n_series, _ = coefs.shape
    return coefs.swapaxes(1, 2).reshape(n, n_series, lags * n_series)


def draw_processes(
    n: int, orders: Sequence[int], generator: np.random.Generator, n_series: int = N_SERIES
) -> np.ndarray:
    """Draw stable VARs whose lags all matter: coefs of shape (n, LAGS, C, C), 0 beyond the order.

    The order is one of `orders`. Every lag has a random orthogonal matrix (Haar) times a weight
    from U(0.5, 1); one factor for all lags, found by bisection, brings the largest root to a
    modulus from U(0.7, 0.95).
    """
    order = generator.choice(orders, n)
    top = max(orders)
    basis, triangle = np.linalg.qr(generator.standard_normal((n, top, n_series, n_series)))
    signs = np.sign(np.diagonal(triangle, axis1=-2, axis2=-1))
    directions = basis * signs[..., None, :] * generator.uniform(0.5, 1.0, (n, top, 1, 1))
    directions[np.arange(top) >= order[:, None]] = 0.0
    wanted = generator.uniform(0.7, 0.95, n)
    low, high = np.zeros(n), np.full(n, 2.0)  # at 2 the product of all roots is beyond 1
    for _ in range(14):
        middle = (low + high) / 2
        is_beyond = largest_roots(directions * middle[:, None, None, None]) > wanted
        high, low = np.where(is_beyond, middle, high), np.where(is_beyond, low, middle)
    coefs = np.zeros((n, LAGS, n_series, n_series))
    coefs[:, :top] = directions * low[:, None, None, None]
    return coefs


def simulate_windows(
    coefs: np.ndarray, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Simulate one window of each process, with standard normal noise of covariance I.

    Returns
    -------
    windows : array of shape (n, CONTEXT + 1, C)
        The context and the step after it.
    expected : array of shape (n, C)
        That step without its noise: the forecast of one who knows the coefficients.
    """
    n, lags, n_series, _ = coefs.shape
    n_time = BURN_IN + CONTEXT + 1
    side_by_side = _side_by_side(coefs)
    noise = generator.standard_normal((n, n_time, n_series))
    series = np.zeros((n, lags + n_time, n_series))
    for row in range(n_time):
        past = series[:, row : row + lags][:, ::-1].reshape(n, lags * n_series, 1)
        series[:, lags + row] = (side_by_side @ past)[..., 0] + noise[:, row]
    return series[:, -CONTEXT - 1 :], series[:, -1] - noise[:, -1]


@dataclass(frozen=True)
class FreshProcesses(WindowSet):
    """A stream in the shape of a window set: every batch asked for is simulated on the spot.

    `counter` holds how many batches were drawn; with `seed` it decides the next one.
    """

    seed: int = 0
    counter: list[int] = field(default_factory=lambda: [0])

    @classmethod
    def of(cls, n_windows: int, seed: int) -> FreshProcesses:
        """Return a stream whose epoch has so many windows."""
        nothing = torch.zeros(n_windows, dtype=torch.long)
        return cls(
            table=torch.zeros(0, N_SERIES),
            starts=nothing,
            instance=nothing,
            bounds=(),
            static=None,
            widths=(0, N_SERIES, 0),
            context_length=CONTEXT,
            patch_length=1,
            seed=seed,
        )

    def batch(self, indices: Tensor) -> WindowBatch:
        """Simulate as many new processes as there are indices, one window of each."""
        generator = np.random.default_rng([self.seed, self.counter[0]])
        self.counter[0] += 1
        coefs = draw_processes(len(indices), TRAINING_ORDERS, generator)
        values = torch.from_numpy(simulate_windows(coefs, generator)[0]).float()
        return WindowBatch(values[:, :-1], None, None, None, values[:, -1:])


class HeldOut(NamedTuple):
    """Processes that no training sees, one window of each."""

    coefs: np.ndarray
    """(n, LAGS, C, C)"""
    context: np.ndarray
    """(n, CONTEXT, C)"""
    future: np.ndarray
    """(n, C)"""
    expected: np.ndarray
    """(n, C), the future without its noise"""


@cache
def held_out(orders: tuple[int, ...], n: int, seed: int = 7, n_series: int = N_SERIES) -> HeldOut:
    """Draw held-out processes; seeds of the trainings start at another number."""
    generator = np.random.default_rng([seed, *orders])
    coefs = draw_processes(n, orders, generator, n_series)
    windows, expected = simulate_windows(coefs, generator)
    return HeldOut(coefs, windows[:, :-1], windows[:, -1], expected)


VALIDATION_SEED, PENALTY_SEED = 8, 9


# --- what a statistician would do -----------------------------------------------------------------


class LinearForecast(NamedTuple):
    """One VAR for every window, estimated on it."""

    coefs: np.ndarray
    """(n, lags, C, C), ``coefs[window, lag - 1, response, impulse]``"""
    forecast: np.ndarray
    """(n, C), one step ahead"""


def _lagged(context: Any, n_lags: int) -> list[Any]:
    """Lag 1, lag 2, ... of the steps that have all lags; and what ends the window."""
    length = context.shape[1]
    return [context[:, n_lags - lag : length - lag] for lag in range(1, n_lags + 1)]


def least_squares(context: np.ndarray, n_lags: int) -> LinearForecast:
    """Estimate a VAR with a constant by OLS on each window, as statsmodels' VAR does."""
    values = torch.from_numpy(context)
    coefs, forecast = _least_squares(values, n_lags)
    return LinearForecast(coefs.numpy(), forecast.numpy())


def _least_squares(context: Tensor, n_lags: int) -> tuple[Tensor, Tensor]:
    n, length, n_series = context.shape
    one = torch.ones(n, length - n_lags, 1, dtype=context.dtype)
    design = torch.cat([one, *_lagged(context, n_lags)], dim=-1)  # n T 1+lags*C
    moments = design.mT @ design
    weights = torch.linalg.solve(moments, design.mT @ context[:, n_lags:])  # n 1+lags*C C
    newest = torch.cat([context[:, -lag] for lag in range(1, n_lags + 1)], dim=-1)
    forecast = weights[:, 0] + (newest[:, None] @ weights[:, 1:])[:, 0]
    return weights[:, 1:].mT.unflatten(-1, (n_lags, n_series)).transpose(1, 2), forecast


def least_squares_jacobian(context: np.ndarray, n_lags: int) -> np.ndarray:
    """Derivative of the OLS forecast by the window's last LAGS rows, (n, LAGS, C, C), lag 1 first.

    It differs from the coefficients: the window also decides what they are. A network cannot be
    read otherwise, so this is what its reading is to be held against.
    """
    values = torch.from_numpy(context).requires_grad_()
    _, forecast = _least_squares(values, n_lags)
    slopes = [
        torch.autograd.grad(forecast[:, series].sum(), values, retain_graph=True)[0]
        for series in range(values.shape[-1])
    ]  # one (n, L, C) a response
    return torch.stack(slopes, dim=2).numpy()[:, : -LAGS - 1 : -1]


PENALTIES = np.geomspace(0.3, 1000.0, 15)


def ridge(context: np.ndarray, n_lags: int, penalty: float | None = None) -> LinearForecast:
    """Estimate a VAR with a constant by ridge on each window.

    Without a penalty each window chooses its own from `PENALTIES`, by closed-form leave-one-out.
    """
    n, _, n_series = context.shape
    design, target = np.concatenate(_lagged(context, n_lags), axis=-1), context[:, n_lags:]
    level, mean = design.mean(axis=1, keepdims=True), target.mean(axis=1, keepdims=True)
    left, size, right = np.linalg.svd(design - level, full_matrices=False)  # right: n K lags*C
    turned = left.swapaxes(1, 2) @ (target - mean)  # n K C
    chosen = np.full(n, 0.0 if penalty is None else penalty)
    if penalty is None:
        errors = []
        for one in PENALTIES:
            kept = size**2 / (size**2 + one)
            residual = target - mean - left @ (kept[..., None] * turned)
            leverage = 1 / design.shape[1] + (left**2 @ kept[..., None])
            errors.append(np.square(residual / (1 - leverage)).sum(axis=(1, 2)))
        chosen = PENALTIES[np.argmin(errors, axis=0)]
    shrunk = (size / (size**2 + chosen[:, None]))[..., None] * turned
    weights = right.swapaxes(1, 2) @ shrunk  # n lags*C C
    newest = np.concatenate([context[:, -lag] for lag in range(1, n_lags + 1)], axis=-1)
    forecast = mean[:, 0] + ((newest[:, None] - level) @ weights)[:, 0]
    coefs = weights.swapaxes(1, 2).reshape(n, n_series, n_lags, n_series).swapaxes(1, 2)
    return LinearForecast(coefs, forecast)


def best_penalty(n: int) -> float:
    """Penalty of a two-lag ridge that is best on training processes: it knows where they come from,
    as the networks do."""
    known = held_out(TRAINING_ORDERS, n, PENALTY_SEED)
    errors = [
        excess(ridge(known.context, max(TRAINING_ORDERS), one).forecast, known) for one in PENALTIES
    ]
    return float(PENALTIES[int(np.argmin(errors))])


def excess(forecast: np.ndarray, processes: HeldOut) -> float:
    """Mean squared distance from the true expectation; the noise has variance 1.

    One plus it is the expected squared error over the noise variance, without the luck of the
    noise in the step that is forecast.
    """
    return float(np.square(forecast - processes.expected).mean())


# --- recovery of the coefficients -----------------------------------------------------------------


def read_out(network: SAMoVARNetwork, context: np.ndarray) -> np.ndarray:
    """Lag matrices of the network's dynamic VAR at each window, (n, LAGS, C, C), lag 1 first."""
    var = DynamicVAR.from_network(network, context[0])
    jacobians = var.jacobians(Windows(context), np.eye(1))
    rows = [one.at_rows(np.arange(CONTEXT - LAGS, CONTEXT))[0] for one in jacobians]  # C LAGS C
    return np.stack(rows).swapaxes(1, 2)[:, ::-1]


def recovery(found: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Compare coefficients of many processes.

    Returns
    -------
    dict
        ``correlation`` over all entries, and ``error``: the Frobenius norm of what is wrong over
        that of the truth, all processes together.
    """
    wrong = np.linalg.norm((found - true).ravel())
    return {
        "correlation": float(np.corrcoef(found.ravel(), true.ravel())[0, 1]),
        "error": float(wrong / np.linalg.norm(true.ravel())),
    }


def recovery_by_lag(found: np.ndarray, true: np.ndarray, order: int) -> dict[str, Any]:
    """`recovery` of every lag up to the order (keys ``"1"``, ...) and of them together (``"all"``).

    ``"beyond"`` is the root mean square of what is found at later lags, where the truth is 0.
    """
    n_lags = min(order, found.shape[1])
    outcome: dict[str, Any] = {
        str(lag): recovery(found[:, lag - 1], true[:, lag - 1]) for lag in range(1, n_lags + 1)
    }
    outcome["all"] = recovery(found[:, :n_lags], true[:, :n_lags])
    if n_lags < found.shape[1]:
        outcome["beyond"] = float(np.sqrt(np.square(found[:, n_lags:]).mean()))
    return outcome


# --- the networks ---------------------------------------------------------------------------------


TRAINING = TrainingConfig(
    max_epochs=10,
    batch_size=32,
    learning_rate=3e-3,
    patience=None,
    # The next patches are 63 of 64 things to learn from, and in the units of the window, where a
    # process of large variance does not drown the others.
    next_patch_loss_weight=20.0,
)


@dataclass(frozen=True)
class Plan:
    """How much is trained and tested."""

    training: TrainingConfig = TRAINING
    windows_an_epoch: int = 5120
    seeds: int = 3
    test_windows: int = 2000
    read_windows: int = 300


QUICK = Plan(
    training=replace(TRAINING, max_epochs=2, batch_size=16),
    windows_an_epoch=64,
    seeds=1,
    test_windows=60,
    read_windows=8,
)
SHOWN_WINDOWS = 60
"""Processes of each order whose coefficients are kept for the figure."""

BASE = NetworkConfig(
    n_series=N_SERIES,
    patch_length=1,
    context_length=CONTEXT,
    d_model=32,
    n_heads=2,
    n_layers=3,
    dropout=0.0,  # no window comes twice: there is nothing to overfit
    normalization="window",
)
TITLES = {"samovar": "SAMoVAR", "lintrans": "LinTrans", "fixedvar": "FixedVAR"}


def n_parameters(config: NetworkConfig) -> int:
    """Numbers that are trained."""
    return sum(parameter.numel() for parameter in SAMoVARNetwork(config).parameters())


@cache
def configuration(predictor: str) -> NetworkConfig:
    """Return a network of the width whose number of parameters is next to SAMoVAR's."""
    wanted = n_parameters(BASE)
    candidates = [
        replace(BASE, predictor=predictor, d_model=width) for width in range(8, 49, BASE.heads)
    ]
    return min(candidates, key=lambda config: abs(n_parameters(config) - wanted))


def measure(predictor: str, seed: int, plan: Plan) -> dict[str, Any]:
    """Train one network and test it: errors and recovery by order, and its loss by epoch."""
    before = time.process_time()
    config = configuration(predictor)
    network = SAMoVARNetwork(config, torch.Generator().manual_seed(seed))
    judge = held_out(TRAINING_ORDERS, plan.test_windows // 2, VALIDATION_SEED)
    windows = np.concatenate([judge.context, judge.future[:, None]], axis=1)
    validation = WindowSet.from_series(
        [SeriesTensors(one) for one in torch.from_numpy(windows).float()], CONTEXT, 1
    )
    fitted = fit_network(
        network,
        FreshProcesses.of(plan.windows_an_epoch, 1000 + seed),
        validation,
        plan.training,
        random_state=seed,
        device="cpu",
        progress=False,
    )
    outcome: dict[str, Any] = {
        "commit": harness.provenance()["commit"],
        "parameters": n_parameters(config),
        "width": config.width,
        "validation": [round(entry["validation_loss"], 5) for entry in fitted.history],
        "best epoch": fitted.best_epoch,
        "training seconds": round(time.process_time() - before, 1),
        "excess": {},
        "recovery": {},
        "coefficients": {},
    }
    for order in TEST_ORDERS:
        processes = held_out((order,), plan.test_windows)
        with torch.no_grad():
            parts = torch.from_numpy(processes.context).float().split(128)
            forecast = torch.cat([network(part, last_only=True).forecast for part in parts])
        outcome["excess"][str(order)] = excess(forecast[:, 0, :, 0].double().numpy(), processes)
        found = read_out(network, processes.context[: plan.read_windows])
        true = processes.coefs[: plan.read_windows]
        outcome["recovery"][str(order)] = recovery_by_lag(found, true, order)
        outcome["coefficients"][str(order)] = found[:SHOWN_WINDOWS].round(3).tolist()
    outcome["cpu seconds"] = round(time.process_time() - before, 1)
    return outcome


# --- the references -------------------------------------------------------------------------------

REFERENCES = {
    "ols": "OLS, order known",
    "ols 2": "OLS, 2 lags",
    "ridge": "ridge, 4 lags, penalty by leave-one-out",
    "ridge, trained": "ridge, 2 lags, penalty from the training processes",
    "mean": "mean of the window",
}


def measure_references(plan: Plan) -> dict[str, Any]:
    """Errors of the references by order, and of OLS on the validation windows; recovery by OLS."""
    before = time.process_time()
    penalty = best_penalty(plan.test_windows)
    outcome: dict[str, Any] = {
        "penalty": penalty,
        "excess": {name: {} for name in REFERENCES},
        "recovery": {"ols": {}, "ols, read": {}},
    }
    for order in TEST_ORDERS:
        processes = held_out((order,), plan.test_windows)
        context = processes.context
        forecasts = {
            "ols": least_squares(context, order).forecast,
            "ols 2": least_squares(context, max(TRAINING_ORDERS)).forecast,
            "ridge": ridge(context, LAGS).forecast,
            "ridge, trained": ridge(context, max(TRAINING_ORDERS), penalty).forecast,
            "mean": context.mean(axis=1),
        }
        for name, forecast in forecasts.items():
            outcome["excess"][name][str(order)] = excess(forecast, processes)
        read, true = context[: plan.read_windows], processes.coefs[: plan.read_windows]
        for name, found in (
            ("ols", least_squares(read, order).coefs),
            ("ols, read", least_squares_jacobian(read, order)),
        ):
            outcome["recovery"][name][str(order)] = recovery_by_lag(found, true, order)
    judge = held_out(TRAINING_ORDERS, plan.test_windows // 2, VALIDATION_SEED)
    is_second = np.abs(judge.coefs[:, 1]).sum(axis=(1, 2)) > 0
    known = np.where(
        is_second[:, None],
        least_squares(judge.context, 2).forecast,
        least_squares(judge.context, 1).forecast,
    )
    outcome["validation"] = {
        name: float(np.square(forecast - judge.future).mean())
        for name, forecast in (
            ("ols", known),
            ("mean", judge.context.mean(axis=1)),
            ("truth", judge.expected),
        )
    }
    outcome["cpu seconds"] = round(time.process_time() - before, 1)
    return outcome


def measure_mixing(plan: Plan) -> dict[str, Any]:
    """What is lost if each series sees itself and one fixed mix of all, by number of series.

    OLS of the right order, with all series or with the series itself and the mean of all of them:
    the model has one exogenous token a patch, which at a patch length of 1 is one number.
    """
    outcome = {}
    for n_series in (2, 3, 4):
        processes = held_out((2,), plan.test_windows, n_series=n_series)
        context = processes.context
        restricted = np.empty_like(processes.expected)
        for series in range(n_series):
            pair = np.stack([context[..., series], context.mean(axis=-1)], axis=-1)
            restricted[:, series] = least_squares(pair, 2).forecast[:, 0]
        outcome[str(n_series)] = {
            "mean of the window": excess(context.mean(axis=1), processes),
            "OLS, all series": excess(least_squares(context, 2).forecast, processes),
            "OLS, itself and one mix": excess(restricted, processes),
        }
    return outcome


# --- run ------------------------------------------------------------------------------------------


def fingerprint(case: str, plan: Plan) -> str:
    """One word for what the numbers of a case depend on."""
    # More seeds, or fewer, leave the trainings of the others as they are.
    settings: list[Any] = [asdict(replace(plan, seeds=0)), N_SERIES, CONTEXT, TEST_ORDERS, BURN_IN]
    if case in TITLES:
        settings.append(configuration(case).to_dict())
    # Sources do not count: every training names the commit that it was made with.
    return harness.fingerprint(case, *settings, sources=())


CASES = (*TITLES, "references")


def run(
    cases: Sequence[str],
    results: harness.Results,
    plan: Plan,
    publish: Callable[[harness.Results], object] = lambda results: None,
) -> None:
    """Measure the cases, training by training: all networks of a seed before the next seed.

    After each, what is stored is handed to `publish`.
    """
    torch.set_num_threads(1)
    header = harness.provenance(("torch", "numpy", "pytorch_lightning"))
    header["plan"] = asdict(plan)
    results.begin({case: fingerprint(case, plan) for case in cases}, header)
    if "references" in cases:
        results.measured("references", "errors", lambda: measure_references(plan))
        results.measured("references", "mixing", lambda: measure_mixing(plan))
        results.finish("references")
        publish(results)
    trained = [case for case in cases if case in TITLES]
    jobs = list(itertools.product(range(plan.seeds), trained))
    for seed, case in tqdm(jobs, desc="trainings", mininterval=5.0):
        results.measured(case, f"seed {seed}", lambda c=case, s=seed: measure(c, s, plan))
        publish(results)
    for case in trained:
        results.finish(case)


def trainings(results: harness.Results, case: str) -> dict[str, dict[str, Any]]:
    """What is stored of a network, by seed."""
    entry = results.entries.get(case, {})
    return {key: value for key, value in entry.items() if key.startswith("seed ")}


# --- report ---------------------------------------------------------------------------------------


def _spread(values: Sequence[float], form: str = ".3f") -> str:
    if len(values) == 1:
        return f"{values[0]:{form}}"
    return f"{np.mean(values):{form}} ± {np.std(values, ddof=1):{form}}"


def error_table(results: harness.Results) -> str:
    """Squared error over the noise variance, by order: networks, then references."""
    rows = []
    for case, title in TITLES.items():
        seeds = trainings(results, case).values()
        if seeds:
            by_order = [[1 + one["excess"][str(order)] for one in seeds] for order in TEST_ORDERS]
            rows.append([title, *(_spread(values) for values in by_order)])
    errors = results.entries["references"]["errors"]["excess"]
    for name, title in REFERENCES.items():
        rows.append([title, *(f"{1 + errors[name][str(order)]:.3f}" for order in TEST_ORDERS)])
    rows.append(["true coefficients", *("1.000" for _ in TEST_ORDERS)])
    header = ["one step ahead", *(_order_title(order) for order in TEST_ORDERS)]
    return harness.markdown_table(header, rows)


def _order_title(order: int) -> str:
    return f"order {order}" + ("" if order in TRAINING_ORDERS else ", not trained")


def captured(results: harness.Results, case: str) -> dict[int, list[float]]:
    """Share of what can be known beyond the window's mean that each training captured, by order."""
    nothing = results.entries["references"]["errors"]["excess"]["mean"]
    return {
        order: [
            1 - one["excess"][str(order)] / nothing[str(order)]
            for one in trainings(results, case).values()
        ]
        for order in TEST_ORDERS
    }


def captured_table(results: harness.Results) -> str:
    """Errors as shares, from 0 (mean of the window) to 1 (true coefficients)."""
    rows = []
    for case, title in TITLES.items():
        shares = captured(results, case)
        if all(shares.values()):
            rows.append([title, *(_spread(shares[order], ".2f") for order in TEST_ORDERS)])
    errors = results.entries["references"]["errors"]["excess"]
    for name in ("ols", "ols 2", "ridge", "ridge, trained"):
        shares_of = [1 - errors[name][str(o)] / errors["mean"][str(o)] for o in TEST_ORDERS]
        rows.append([REFERENCES[name], *(f"{share:.2f}" for share in shares_of)])
    header = ["share captured", *(_order_title(order) for order in TEST_ORDERS)]
    return harness.markdown_table(header, rows)


def recovery_table(results: harness.Results) -> str:
    """Correlation and error of the lag matrices, by order and lag."""
    read: dict[str, list[Mapping[str, Any]]] = {
        title: [one["recovery"] for one in trainings(results, case).values()]
        for case, title in TITLES.items()
    }
    stored = results.entries["references"]["errors"]["recovery"]
    read["OLS, read as a network"] = [stored["ols, read"]]
    read["OLS, its coefficients"] = [stored["ols"]]
    read = {title: found for title, found in read.items() if found}
    rows = []
    for order in TEST_ORDERS:
        for lag in [*(str(lag) for lag in range(1, order + 1)), "all"]:
            if order == 1 and lag == "all":
                continue
            cells = []
            for found in read.values():
                parts = [one[str(order)][lag] for one in found]
                correlation = np.mean([part["correlation"] for part in parts])
                error = np.mean([part["error"] for part in parts])
                cells.append(f"{correlation:.2f} / {error:.2f}")
            rows.append([str(order), lag, *cells])
    return harness.markdown_table(["order", "lag", *read], rows)


def size_table(results: harness.Results) -> str:
    """What each network is and what it cost."""
    rows = []
    for case, title in TITLES.items():
        seeds = list(trainings(results, case).values())
        if not seeds:
            continue
        plan = results.entries[case]["plan"]
        training = TrainingConfig.from_dict(plan["training"])
        batch_size = training.batch_size
        n_steps = training.max_epochs * -(-plan["windows_an_epoch"] // batch_size)
        rows.append(
            [
                title,
                f"{seeds[0]['parameters']:,}",
                str(seeds[0]["width"]),
                f"{training.learning_rate:g}",
                f"{n_steps:,} of {batch_size} windows",
                str(len(seeds)),
                f"{np.mean([one['training seconds'] for one in seeds]):.0f} s",
            ]
        )
    header = ["network", "parameters", "width", "peak rate", "steps", "seeds", "CPU a training"]
    return harness.markdown_table(header, rows)


def mixing_table(results: harness.Results) -> str:
    """The cost of one exogenous token a patch, by number of series."""
    stored = results.entries["references"]["mixing"]
    columns = list(next(iter(stored.values())))
    rows = [
        [n_series, *(f"{1 + one[column]:.3f}" for column in columns)]
        for n_series, one in stored.items()
    ]
    return harness.markdown_table(["series", *columns], rows)


def verdict(results: harness.Results) -> str:
    """In words: who captures how much, who is ahead by seed, and who holds the coefficients."""
    lines = []
    errors = results.entries["references"]["errors"]["excess"]
    old, new = TRAINING_ORDERS, tuple(set(TEST_ORDERS) - set(TRAINING_ORDERS))
    for case, title in TITLES.items():
        shares = captured(results, case)
        if not all(shares.values()):
            lines.append(f"- {title}: not run.")
            continue
        means = [np.mean([shares[order] for order in orders]) for orders in (old, new)]
        lines.append(
            f"- {title} captures {means[0]:.0%} of what can be known beyond the window's mean at "
            f"the orders of the training, and {means[1]:.0%} at the others."
        )
    ols = [
        np.mean([1 - errors["ols"][str(o)] / errors["mean"][str(o)] for o in orders])
        for orders in (old, new)
    ]
    lines.append(f"- OLS with the true order captures {ols[0]:.0%} and {ols[1]:.0%}.")
    ours = trainings(results, "samovar")
    for case in ("lintrans", "fixedvar"):
        theirs = trainings(results, case)
        pairs = [
            (ours[seed]["excess"][str(order)], theirs[seed]["excess"][str(order)])
            for seed in ours
            if seed in theirs
            for order in TEST_ORDERS
        ]
        if pairs:
            ratios = [mine / other for mine, other in pairs]
            lines.append(
                f"- SAMoVAR against {TITLES[case]}, seed by seed and order by order: the smaller "
                f"error in {sum(ratio < 1 for ratio in ratios)} of {len(ratios)} pairs; beyond the "
                f"noise it is {min(ratios):.2f} to {max(ratios):.2f} times the other's, "
                f"{np.exp(np.mean(np.log(ratios))):.2f} on average."
            )
    return "\n".join(lines)


def stamp(results: harness.Results) -> str:
    """Dates, commits and machine."""
    entries = [results.entries[case] for case in CASES if case in results.entries]
    trained = [one for case in TITLES for one in trainings(results, case).values()]
    seconds = sum(one["cpu seconds"] for one in trained)
    return harness.stamp(entries, seconds, sorted({one["commit"] for one in trained}))


def sections(results: harness.Results) -> dict[str, str]:
    """The tables by the name of their place in the page."""
    return {
        "in context verdict": verdict(results),
        "in context errors": error_table(results) + "\n\n" + captured_table(results),
        "in context recovery": recovery_table(results),
        "in context sizes": size_table(results) + "\n\n" + stamp(results),
        "in context mixing": mixing_table(results),
    }


HEADINGS = {
    "in context verdict": "In words",
    "in context errors": "Expected squared error over the variance of the noise; and as a share, "
    "from 0 (mean of the window) to 1 (true coefficients). Mean and deviation over seeds",
    "in context recovery": "Lag matrices against the truth: correlation / relative Frobenius error",
    "in context sizes": "What was trained",
    "in context mixing": "Order 2 by OLS: all series, or each with one mix of all",
}


def report(results: harness.Results) -> str:
    """All tables, as Markdown."""
    parts = [f"## {HEADINGS[name]}\n\n{text}" for name, text in sections(results).items()]
    title = "# VAR processes inferred in context\n\nMade by `python -m benchmarks.in_context`."
    return "\n\n".join([title, *parts]) + "\n"


# --- figures --------------------------------------------------------------------------------------

LOOKS = {case: STYLES[number] for number, case in enumerate(TITLES)}


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure as NewFigure

    return NewFigure(figsize=(width, height), layout="constrained")


def loss_figure(results: harness.Results) -> Figure:
    """Validation error by the number of processes seen; the band spans the seeds."""
    figure = _figure(7.0, 4.2)
    ax = figure.subplots()
    for case, title in TITLES.items():
        seeds = list(trainings(results, case).values())
        if not seeds:
            continue
        curves = np.array([one["validation"] for one in seeds])
        seen = results.entries[case]["plan"]["windows_an_epoch"] * np.arange(1, curves.shape[1] + 1)
        look = LOOKS[case]
        ax.fill_between(
            seen / 1000, curves.min(0), curves.max(0), color=look["color"], alpha=0.2, linewidth=0
        )
        ax.plot(
            seen / 1000,
            curves.mean(0),
            color=look["color"],
            marker=look["marker"],
            linestyle=look["linestyle"],
            markersize=4,
            label=title,
        )
    lines = results.entries["references"]["errors"]["validation"]
    for name, text in (
        ("mean", "mean of the window"),
        ("ols", "OLS, order known"),
        ("truth", "true coefficients"),
    ):
        ax.axhline(lines[name], color="0.5", linewidth=0.8, linestyle=(0, (2, 2)), zorder=0)
        ax.annotate(
            text,
            (1.0, lines[name]),
            xycoords=("axes fraction", "data"),
            xytext=(-4, -3 if name == "truth" else 3),
            textcoords="offset points",
            ha="right",
            va="top" if name == "truth" else "bottom",
            color="0.35",
            fontsize="small",
        )
    ax.set_ylim(bottom=lines["truth"] - 0.15)
    ax.set_xlabel("training processes seen, thousands (orders 1 and 2)")
    ax.set_ylabel("squared error on held-out processes")
    ax.set_title("Learning to infer a VAR in context (orders 1 and 2; band: seeds)", fontsize=11)
    ax.spines[["top", "right"]].set_visible(False)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False, loc="center left")
    return figure


def error_figure(results: harness.Results) -> Figure:
    """Excess error by order of the process: every training a mark, references as lines."""
    figure = _figure(7.0, 4.2)
    ax = figure.subplots()
    at = np.arange(len(TEST_ORDERS))
    errors = results.entries["references"]["errors"]["excess"]
    dashes = {"mean": (0, (1, 1)), "ols": "-", "ols 2": (0, (5, 2)), "ridge": (0, (3, 1, 1, 1))}
    for name, dash in dashes.items():
        values = [errors[name][str(order)] for order in TEST_ORDERS]
        ax.plot(at, values, color="0.45", linestyle=dash, linewidth=1.1, label=REFERENCES[name])
    for number, (case, title) in enumerate(TITLES.items()):
        seeds = list(trainings(results, case).values())
        look = LOOKS[case]
        for i, one in enumerate(seeds):
            values = [one["excess"][str(order)] for order in TEST_ORDERS]
            ax.plot(
                at + 0.12 * (number - 1),
                values,
                color=look["color"],
                marker=look["marker"],
                markersize=6,
                linestyle="none",
                alpha=0.8,
                label=title if i == 0 else None,
            )
    ax.axvspan(1.5, len(TEST_ORDERS) - 0.5, color="0.95", zorder=-1)
    ax.text(
        2.5, 0.985, "orders never trained on", transform=ax.get_xaxis_transform(), va="top",
        ha="center", color="0.35", fontsize="small",
    )  # fmt: skip
    ax.set_yscale("log")
    ticks = (0.05, 0.1, 0.2, 0.5, 1, 2)
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.set_xlim(-0.5, len(TEST_ORDERS) - 0.5)
    ax.set_xticks(at, [f"order {order}" for order in TEST_ORDERS])
    ax.set_ylabel("squared error beyond the noise, over its variance")
    figure.suptitle("What is lost against the true coefficients, 64 observations", fontsize=11)
    ax.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, loc="outside right center", fontsize="small")
    return figure


def recovery_figure(results: harness.Results, seed: str = "seed 0") -> Figure:
    """True coefficients against those read from the first training, of orders 2 and 4."""
    shown = (2, 4)
    cases = [case for case in TITLES if seed in trainings(results, case)]
    figure = _figure(9.5, 5.2)
    axes = figure.subplots(len(shown), len(cases) + 1, sharex="row", sharey="row", squeeze=False)
    for row, order in enumerate(shown):
        n_test = results.entries["references"]["plan"]["test_windows"]
        processes = held_out((order,), n_test)
        found = {
            TITLES[case]: np.array(trainings(results, case)[seed]["coefficients"][str(order)])
            for case in cases
        }
        n_shown = min((len(one) for one in found.values()), default=SHOWN_WINDOWS)
        true = processes.coefs[:n_shown]
        found["OLS, read as a network"] = least_squares_jacobian(processes.context[:n_shown], order)
        largest = [np.quantile(np.abs(one[:n_shown, :order]), 0.998) for one in found.values()]
        reach = 1.1 * max(np.abs(true).max(), *largest)
        for ax, (title, coefs) in zip(axes[row], found.items(), strict=True):
            ax.plot([-reach, reach], [-reach, reach], color="0.6", linewidth=0.8, zorder=0)
            for lag in range(1, order + 1):
                look = STYLES[lag - 1]
                ax.plot(
                    true[:, lag - 1].ravel(),
                    coefs[:n_shown, lag - 1].ravel(),
                    linestyle="none",
                    marker=look["marker"],
                    color=look["color"],
                    markersize=2.6,
                    alpha=0.55,
                    markeredgewidth=0,
                    label=f"lag {lag}",
                )
            ax.set_xlim(-reach, reach)
            ax.set_ylim(-reach, reach)
            ax.set_aspect("equal")
            ax.spines[["top", "right"]].set_visible(False)
            ax.tick_params(labelsize="small")
            if row == 0:
                ax.set_title(title, fontsize=10)
        axes[row, 0].set_ylabel(f"order {order}: read from the forecast", fontsize="small")
    for ax in axes[-1]:
        ax.set_xlabel("true coefficient", fontsize="small")
    figure.legend(
        *axes[-1, -1].get_legend_handles_labels(),
        frameon=False,
        loc="outside right center",
        markerscale=2.2,
        fontsize="small",
    )
    return figure


FIGURES = {"losses": loss_figure, "errors": error_figure, "recovery": recovery_figure}


def draw(results: harness.Results, stem: Path) -> list[Path]:
    """Write the figures beside the results."""
    paths = []
    for name, figure in FIGURES.items():
        path = stem.with_name(f"{stem.stem}_{name}.png")
        figure(results).savefig(path, dpi=110)
        paths.append(path)
    return paths


def publish(results: harness.Results) -> None:
    """Write tables and figures beside the results, and the tables into the page."""
    if results.path is None or "errors" not in results.entries.get("references", {}):
        return
    results.path.with_suffix(".md").write_text(report(results))
    draw(results, results.path)
    if results.path == RESULTS and PAGE.exists():
        for name, part in sections(results).items():
            put_between_markers(PAGE, name, part)


def main(arguments: list[str] | None = None) -> None:
    """Run what is asked for; write JSON, tables, figures and page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.in_context", description=__doc__)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--seeds", type=int, default=Plan.seeds, help="trainings of each network")
    parser.add_argument("--quick", action="store_true", help="tiny, nothing written")
    parser.add_argument("--report", action="store_true", help="only write tables and figures again")
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    results = harness.Results(None if chosen.quick else chosen.results)
    if not chosen.report:
        plan = QUICK if chosen.quick else replace(Plan(), seeds=chosen.seeds)
        run(chosen.cases, results, plan, publish)
    publish(results)
    print(report(results))


if __name__ == "__main__":
    main()
