"""``python -m benchmarks.econometric``: the econometric panel, every model by its defaults.

Small and middle-sized multivariate sets of macroeconomics, money, rates, volatility, tourism,
energy, health and traffic: rolling origins, a horizon that is natural to the frequency, and no
setting chosen for a set. The anchored row has the very networks of the row without, so that the two
differ by the anchor alone. Then simulated vector autoregressions, where least squares with the true
order is the model to come close to.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from statsmodels.tsa.api import VAR

from benchmarks import harness
from benchmarks.series_sets import add_data_argument, put_between_markers
from samovar_forecast import SAMoVARForecaster, compare
from samovar_forecast.comparison import RepeatSeason
from samovar_forecast.comparison.classical import GuardedVAR
from samovar_forecast.frames.panel import Panel
from samovar_forecast.learning import training
from samovar_forecast.learning.plan import choose_lengths
from samovar_forecast.linear import estimate_anchor
from samovar_forecast.linear.simulate import largest_root, simulate_var

RESULTS = Path(__file__).parent / "results" / "econometric.json"
PAGE = harness.ROOT / "docs" / "anchor.md"
DATA_VARIABLE = "SAMOVAR_ECONOMETRIC_DATA"
N_ORIGINS = 8
NETWORK_FITS = 2
SHORT = 500
"""Up to so many rows the networks too are fitted at every origin."""

SEEDS = (0, 1, 2)
SEED = ", seed "
"""Stands between the name of a row and its seed."""

VERSIONS = ("torch", "numpy", "pandas", "sktime", "statsmodels")
ROWS = (
    "Naive",
    "Seasonal naive",
    "AR",
    "VAR",
    "Ridge VAR",
    "Anchor",
    "SAMoVAR",
    "SAMoVAR + anchor",
)
NETWORK_ROWS = ("SAMoVAR", "SAMoVAR + anchor")
LINEAR_RIVALS = ("VAR", "Ridge VAR")


# --- the sets -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Set:
    """One data set: what it is, how far ahead is asked, and how it is read."""

    title: str
    horizon: int
    read: Callable[[Path], pd.DataFrame]


def table(folder: Path, name: str, freq: str | None = None) -> pd.DataFrame:
    """Read one file; with a frequency its rows are dated anew from the first, one a step."""
    frame = pd.read_csv(folder / f"{name}.csv.gz", index_col=0)
    if freq is None:
        return frame.reset_index(drop=True)
    frame.index = pd.date_range(frame.index[0], periods=len(frame), freq=freq)
    return frame


def growth(frame: pd.DataFrame, columns: list[str], factor: float) -> pd.DataFrame:
    """Turn some columns into rates of growth, others stay; the first row is lost."""
    changed = frame.copy()
    changed[columns] = factor * np.log(frame[columns]).diff()
    return changed.iloc[1:]


def logs(frame: pd.DataFrame, columns: list[str] | None = None) -> pd.DataFrame:
    changed = frame.copy()
    some = list(frame.columns) if columns is None else columns
    changed[some] = 100 * np.log(frame[some])
    return changed


_CODES: dict[str, Callable[[pd.Series], pd.Series]] = {
    "none": lambda x: x,
    "1st-diff": lambda x: x.diff(),
    "log": lambda x: 100 * np.log(x),
    "log-diff": lambda x: 100 * np.log(x).diff(),
    "log-2nd-diff": lambda x: 100 * np.log(x).diff().diff(),
}


def fred(folder: Path, name: str, freq: str, columns: list[str]) -> pd.DataFrame:
    """Columns of FRED-MD or -QD by their transformation codes, 1985 to 2019."""
    codes = pd.read_csv(folder / "fred_tcodes.csv.gz", index_col=0)[name]
    frame = table(folder, name, freq)
    frame = pd.DataFrame({one: _CODES[codes[one]](frame[one]) for one in columns})
    return frame.loc["1985":"2019"]


def us_macro(folder: Path) -> pd.DataFrame:
    frame = table(folder, "us_macro_statsmodels", "QS")
    columns = ["realgdp", "realcons", "realinv"]
    return growth(frame, columns, 100)[[*columns, "infl", "unemp", "tbilrate"]]


def us_macro_levels(folder: Path) -> pd.DataFrame:
    columns = ["realgdp", "realcons", "realinv", "realgovt", "cpi", "m1"]
    return logs(table(folder, "us_macro_statsmodels", "QS")[columns])


def gvar(folder: Path, ends: str | None, starts: str | None) -> pd.DataFrame:
    frame = table(folder, "gvar_eer", "QS")
    chosen = [
        name
        for name in frame
        if (ends is None or name.endswith(ends)) and (starts is None or name.startswith(starts))
    ]
    return 100 * frame[chosen[:8]]


def ili(folder: Path) -> pd.DataFrame:
    frame = table(folder, "ilinet_weekly", "W-SUN")
    columns = ["% WEIGHTED ILI", "AGE 0-4", "AGE 5-24", "AGE 65", "ILITOTAL"]
    return np.log1p(frame[columns].dropna().iloc[-800:]).asfreq("W-SUN").interpolate()


SETS: dict[str, Set] = {
    "us_macro": Set("US macro: growth, inflation, unemployment, bill rate; quarterly", 8, us_macro),
    "us_macro_levels": Set("US macro: six logarithms in levels; quarterly", 8, us_macro_levels),
    "canada": Set(
        "Canada: labour market; quarterly", 8, lambda folder: table(folder, "canada", "QS")
    ),
    "luetkepohl_e1": Set(
        "West Germany: investment, income, consumption, logs; quarterly",
        8,
        lambda folder: logs(table(folder, "luetkepohl_e1", "QS")),
    ),
    "luetkepohl_e2": Set(
        "US: investment and inventories; quarterly",
        8,
        lambda folder: table(folder, "luetkepohl_e2", "QS"),
    ),
    "luetkepohl_e3": Set(
        "US: money, output, two rates; quarterly",
        8,
        lambda folder: logs(table(folder, "luetkepohl_e3", "QS"), ["M1", "gnp"]),
    ),
    "luetkepohl_e4": Set(
        "West Germany: income and consumption, unadjusted, logs; quarterly",
        8,
        lambda folder: logs(table(folder, "luetkepohl_e4", "QS")),
    ),
    "danish_money": Set(
        "Denmark: money demand; quarterly", 4, lambda folder: table(folder, "danish_money", "QS")
    ),
    "us_yields": Set(
        "US yields, eight maturities; monthly", 12, lambda folder: table(folder, "us_yields", "MS")
    ),
    "dy_volatility": Set(
        "log volatility of four markets, the last 1,200 days",
        10,
        lambda folder: table(folder, "dy2012_volatility").iloc[-1200:].reset_index(drop=True),
    ),
    "fred_md": Set(
        "FRED-MD, eight series by their codes; monthly, 1985-2019",
        12,
        lambda folder: fred(
            folder,
            "fred_md",
            "MS",
            ["INDPRO", "PAYEMS", "UNRATE", "CPIAUCSL", "FEDFUNDS", "GS10", "M2SL", "HOUST"],
        ),
    ),
    "fred_qd": Set(
        "FRED-QD, seven series by their codes; quarterly, 1985-2019",
        8,
        lambda folder: fred(
            folder,
            "fred_qd",
            "QS-MAR",
            ["GDPC1", "PCECC96", "GPDIC1", "PAYEMS", "CPIAUCSL", "FEDFUNDS", "GS10"],
        ),
    ),
    "gvar_us": Set("GVAR: the US block; quarterly", 8, lambda folder: gvar(folder, None, "US.")),
    "gvar_output": Set(
        "GVAR: output of eight economies; quarterly", 8, lambda folder: gvar(folder, ".y", None)
    ),
    "tourism_states": Set(
        "Australian tourism by purpose; quarterly",
        4,
        lambda folder: table(folder, "tourism_small", "QS").iloc[:, :5],
    ),
    "tourism_regions": Set(
        "Australian tourism by state, logs; monthly",
        12,
        lambda folder: logs(table(folder, "tourism_large", "MS").iloc[:, 1:8].clip(lower=1)),
    ),
    "electricity_weekly": Set(
        "electricity of eight clients, logs; weekly",
        4,
        lambda folder: logs(table(folder, "electricity_weekly", "7D").iloc[:, :8].clip(lower=1)),
    ),
    "ili": Set("US influenza-like illness, logs, 800 weeks", 8, ili),
    "searches": Set(
        "searches for ice cream and heater; monthly",
        12,
        lambda folder: table(folder, "ice_cream_heater", "MS"),
    ),
    "gas_furnace": Set(
        "gas furnace: rate and CO2", 12, lambda folder: table(folder, "gasrate_co2")
    ),
    "wikipedia": Set(
        "Wikipedia page views in six languages, logs; daily",
        14,
        lambda folder: logs(table(folder, "wiki_daily_hier", "D").iloc[:, 1:7]),
    ),
    "electricity_price": Set(
        "electricity price and two load forecasts, the last 1,500 hours",
        24,
        lambda folder: table(folder, "gefcom2014_price", "h").iloc[-1500:],
    ),
    "los_loop": Set(
        "speed at eight road detectors, one week in five minutes",
        12,
        lambda folder: table(folder, "los_loop_speed", "5min").iloc[:, :8],
    ),
}


# --- the rows -------------------------------------------------------------------------------------


class AnchorAlone(RepeatSeason):
    """The anchor of `samovar_forecast.linear` as a forecast of its own, fitted at every origin."""

    _tags = {"capability:pred_int": False}

    def __init__(self, season: int = 1, horizon: int = 1) -> None:
        self.horizon = horizon
        super().__init__(season=season)

    def _learn(self, values: np.ndarray) -> None:
        lengths = choose_lengths(len(values), horizon=self.horizon, season=self.season)
        self.fit_ = estimate_anchor([values], *lengths, self.season)
        self.context_length_ = lengths.context_length

    def _extrapolate(self, values: np.ndarray, steps: int) -> np.ndarray:
        path = values
        while len(path) < len(values) + steps:
            path = np.concatenate([path, self.fit_.map(path[None, -self.context_length_ :])[0]])
        return path[len(values) :][:steps]


@contextmanager
def trained_once(folder: Path) -> Iterator[None]:
    """Inside the block a network that was trained before, on the same windows, is not again.

    Trained weights lie in a folder, so that the anchor can be measured anew without training. A
    change in the code of the training is not seen: take a new folder then.
    """
    train = training.fit_network

    def fit_network(network: Any, *arguments: Any, **options: Any) -> Any:
        seed = options["random_state"]
        key = training._fingerprint(network, training.Head.point(), *arguments, seed)
        path = folder / f"{key[:24]}.pt"
        if path.exists():
            stored = torch.load(path, weights_only=True)
            network.cpu().eval().load_state_dict(stored["weights"])
            return training.TrainingResult(tuple(stored["history"]), *stored["epochs"], seed)
        result = train(network, *arguments, **options)
        epochs = (result.best_epoch, result.n_epochs)
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(
            {"weights": network.state_dict(), "history": result.history, "epochs": epochs}, path
        )
        return result

    training.fit_network = fit_network
    try:
        yield
    finally:
        training.fit_network = train


def measure(one: Set, folder: Path, trained: Path, with_network: bool) -> dict[str, Any]:
    """Compare all models on one set; MSE in deviations of the first training window."""
    y = one.read(folder)
    y.columns = [str(name) for name in y.columns]
    season = season_of(y)
    networks = networks_of_all_seeds() if with_network else {}
    rows = {"Anchor": AnchorAlone(season=season, horizon=one.horizon), **networks}
    every = 1 if len(y) <= SHORT else math.ceil(N_ORIGINS / NETWORK_FITS)
    refit = dict.fromkeys(networks, every)
    with trained_once(trained), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # models say what they think of short samples
        found = compare(y, one.horizon, rows, n_origins=N_ORIGINS, refit=refit, progress=False)
    scores, effort = found.scores(), found.effort()
    return {
        "rows": len(y),
        "series": y.shape[1],
        "season": season,
        "horizon": one.horizon,
        "first_window": found.n_first,
        "stride": found.stride,
        "MSE": mean_of_seeds(scores["MSE"]),
        "MASE": mean_of_seeds(scores["MASE"]),
        "seconds": mean_of_seeds(effort["fit_seconds"]),
        "notes": {
            name.split(SEED)[0]: note for name, note in effort["note"].items() if "failed" in note
        },
    }


def networks_of_all_seeds() -> dict[str, SAMoVARForecaster]:
    """Return the rows that depend on a seed, once for each."""
    return {
        f"{name}{SEED}{seed}": SAMoVARForecaster(
            random_state=seed, verbose=False, anchor=name.endswith("anchor")
        )
        for name in NETWORK_ROWS
        for seed in SEEDS
    }


def mean_of_seeds(values: pd.Series) -> dict[str, float]:
    """Return one number a row: of those that depend on a seed, the mean."""
    rows = [str(name).split(SEED)[0] for name in values.index]
    return {str(name): float(mean) for name, mean in values.groupby(rows).mean().items()}


def season_of(y: pd.DataFrame) -> int:
    return Panel.from_frame(y).grid.season


# --- simulated processes --------------------------------------------------------------------------

TRUE_ORDER = "OLS, true order"
SIMULATED_HORIZON, SIMULATED_ORIGINS, SIMULATED_STRIDE = 8, 50, 8
PROCESSES = 3
PROCESSES_WITH_NETWORK = 1
DESIGNS = [(p, c, n) for n in (200, 1000) for p in (1, 2, 4) for c in (3, 6)]
"""Order, series, rows to learn from."""


class TrueOrderVAR(GuardedVAR):
    """Least squares with the order that the process has."""

    def __init__(self, order: int = 1) -> None:
        self.order = order
        super().__init__()

    def _estimate(self, values: np.ndarray) -> Any:
        return VAR(values).fit(self.order)


def random_process(order: int, n_series: int, random: np.random.Generator) -> np.ndarray:
    """Draw lag matrices (p, C, C) of a process that forgets, but not at once."""
    while True:
        coefs = 0.6 / math.sqrt(n_series * order) * random.normal(size=(order, n_series, n_series))
        coefs[0] += np.diag(random.uniform(0, 0.5, n_series))
        if 0.6 < largest_root(coefs) < 0.95:
            return coefs


def simulate(design: tuple[int, int, int], number: int, trained: Path) -> dict[str, float]:
    """Fit all models once on the first rows of one process; return their MSE after these."""
    order, n_series, n_rows = design
    random = np.random.default_rng([*design, number])
    n_obs = n_rows + SIMULATED_HORIZON + (SIMULATED_ORIGINS - 1) * SIMULATED_STRIDE
    y = simulate_var(random_process(order, n_series, random), n_obs, random_state=random)
    rows: dict[str, Any] = {
        TRUE_ORDER: TrueOrderVAR(order),
        "Anchor": AnchorAlone(horizon=SIMULATED_HORIZON),
    }
    if number < PROCESSES_WITH_NETWORK:
        rows |= networks_of_all_seeds()
    with trained_once(trained), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = compare(
            pd.DataFrame(y, columns=[f"y{c}" for c in range(n_series)]),
            SIMULATED_HORIZON,
            rows,
            n_origins=SIMULATED_ORIGINS,
            stride=SIMULATED_STRIDE,
            refit="first",
            season=1,
            progress=False,
        )
    return mean_of_seeds(found.scores()["MSE"])


# --- tables ---------------------------------------------------------------------------------------


def verdicts(entries: dict[str, dict[str, Any]]) -> list[list[str]]:
    """For each row: geometric mean of its MSE over the better linear rival's, and how often."""
    lines = []
    for name in ROWS:
        ratios, naive = [], []
        for entry in entries.values():
            mse = entry["MSE"]
            rivals = [mse[rival] for rival in LINEAR_RIVALS if rival in mse]
            if name in mse and rivals:
                ratios.append(mse[name] / min(rivals))
                naive.append(mse[name] < mse["Naive"])
        if not ratios:
            lines.append([name, "not run", "", "", "", ""])
            continue
        some = np.array(ratios)
        lines.append(
            [
                name,
                f"{len(some)}",
                f"{np.exp(np.log(some).mean()):.3f}",
                f"{(some <= 1.02).mean():.0%}",
                f"{(some < 1).mean():.0%}",
                f"{np.mean(naive):.0%}",
            ]
        )
    return lines


def verdict_table(entries: dict[str, dict[str, Any]]) -> str:
    header = ["model", "sets", "geometric mean ratio", "at most 1.02", "better", "beats naive"]
    return harness.markdown_table(header, verdicts(entries))


def report(stored: dict[str, Any]) -> str:
    entries = stored["sets"]
    about = [
        "# The econometric panel",
        "",
        "Made by `python -m benchmarks.econometric`. Mean squared error, each series in deviations "
        f"of its first training window, over {N_ORIGINS} rolling origins in the last third of each "
        "set. Defaults for every set. Linear models and the anchor are fitted at every origin, the "
        f"networks with {len(SEEDS)} seeds, whose errors are averaged, on more than {SHORT} rows "
        f"at {NETWORK_FITS} of the origins only; between, they see the new rows. The anchored row "
        "has the networks of the row above it.",
        "",
        f"Commit {stored['about']['commit']}, {stored['about']['date']}, "
        f"{stored['about']['hardware']['cpu']}, one thread.",
        "",
        "## Against the better of VAR and ridge VAR",
        "",
        verdict_table(entries),
        "",
        "## MSE",
        "",
    ]
    lines = []
    for name, one in SETS.items():
        entry = entries.get(name)
        if entry is None:
            lines.append([name, "", "", *["not run"] * len(ROWS)])
            continue
        mse = entry["MSE"]
        numbers = [f"{mse[row]:.4g}" if row in mse else missing(entry, row) for row in ROWS]
        size = f"{entry['rows']} x {entry['series']}"
        lines.append([f"{name}: {one.title}", size, str(entry["horizon"]), *numbers])
    about.append(harness.markdown_table(["set", "size", "steps", *ROWS], lines))
    about += simulated_report(stored.get("simulated", {}))
    return "\n".join(about) + "\n"


def simulated_report(simulated: dict[str, dict[str, float]]) -> list[str]:
    """Return the section of the simulated processes."""
    return [
        "",
        "## Simulated vector autoregressions",
        "",
        f"Mean squared error over {SIMULATED_HORIZON} steps, divided by that of least squares with "
        f"the true order: geometric mean over {PROCESSES} random stable processes a line (the "
        f"networks: {PROCESSES_WITH_NETWORK}), in brackets the largest. All models are fitted once "
        f"and forecast from {SIMULATED_ORIGINS} later origins.",
        "",
        simulated_table(simulated),
    ]


def simulated_table(simulated: dict[str, dict[str, float]]) -> str:
    """Return errors over those of the true order."""
    names = ("VAR", "Ridge VAR", "AR", "Anchor", *NETWORK_ROWS)
    lines = []
    everything: dict[str, list[float]] = {name: [] for name in names}
    for design in DESIGNS:
        runs = [simulated.get(_key(design, number), {}) for number in range(PROCESSES)]
        cells = []
        for name in names:
            ratios = [one[name] / one[TRUE_ORDER] for one in runs if name in one]
            everything[name] += ratios
            cells.append(_mean_and_worst(ratios))
        lines.append([*map(str, design), *cells])
    lines.append(["all", "", "", *(_mean_and_worst(ratios) for ratios in everything.values())])
    return harness.markdown_table(["order", "series", "rows", *names], lines)


def _key(design: tuple[int, int, int], number: int) -> str:
    return "VAR({}), {} series, {} rows, process {}".format(*design, number)


def _mean_and_worst(ratios: list[float]) -> str:
    if not ratios:
        return "not run"
    return f"{np.exp(np.log(ratios).mean()):.3f} ({max(ratios):.3f})"


def missing(entry: dict[str, Any], row: str) -> str:
    if row in entry["notes"]:
        return "failed"
    return "no season" if row == "Seasonal naive" else "not run"


# --- the command ----------------------------------------------------------------------------------


def command_line(about: str, results: Path) -> argparse.ArgumentParser:
    """Return a parser that knows where the sets lie, and where the results go."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    add_data_argument(parser, DATA_VARIABLE)
    parser.add_argument("--results", type=Path, default=results)
    parser.add_argument("--report", action="store_true", help="write the tables, run nothing")
    return parser


def is_missing(data: Path | None) -> bool:
    """Tell whether the folder of the sets is not there, and if so how to give it."""
    if data is not None and data.is_dir():
        return False
    print(f"no data: give --data FOLDER or set {DATA_VARIABLE}; nothing was measured")
    return True


def read_stored(path: Path) -> dict[str, Any]:
    """Return what earlier runs have measured."""
    return json.loads(path.read_text()) if path.exists() else {"sets": {}}


def write_stored(path: Path, stored: dict[str, Any], text: str) -> None:
    """Keep what was measured, and beside it the report."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n")
    path.with_suffix(".md").write_text(text)


def write_tables(results: Path, stored: dict[str, Any]) -> None:
    """Keep what was measured, and put its tables into the page that tells about them."""
    write_stored(results, stored, report(stored))
    if results == RESULTS and PAGE.exists():
        put_between_markers(PAGE, "econometric", verdict_table(stored["sets"]))
        put_between_markers(PAGE, "simulated", simulated_table(stored.get("simulated", {})))


def main(arguments: list[str] | None = None) -> int:
    parser = command_line(__doc__, RESULTS)
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--without-network", action="store_true", help="linear rows only")
    parser.add_argument(
        "--simulated",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="also the simulated processes",
    )
    parser.add_argument("--again", action="store_true", help="also what is finished")
    parser.add_argument("--trained", type=Path, help="folder that keeps the trained networks")
    asked = parser.parse_args(arguments)
    stored = read_stored(asked.results)
    if asked.report:
        write_tables(asked.results, stored)
        return 0
    if is_missing(asked.data):
        return 0
    trained = asked.trained or Path(tempfile.mkdtemp())

    def keep(about: dict[str, Any]) -> None:
        stored["about"] = about
        write_tables(asked.results, stored)

    with harness.one_thread():
        for name in asked.sets:
            known = stored["sets"].get(name, {"MSE": {}})["MSE"]
            is_done = "Anchor" in known and (asked.without_network or "SAMoVAR" in known)
            if is_done and not asked.again:
                continue
            try:
                entry = measure(SETS[name], asked.data, trained, not asked.without_network)
            except FileNotFoundError as error:
                print(f"{name}: not here ({error.filename})")
                continue
            about = harness.provenance(VERSIONS)
            stored["sets"][name] = {**entry, "date": about["date"], "commit": about["commit"]}
            keep(about)
            print(name, {row: round(value, 4) for row, value in entry["MSE"].items()}, flush=True)
        simulated = stored.setdefault("simulated", {})
        for number, design in product(range(PROCESSES), DESIGNS if asked.simulated else ()):
            key = _key(design, number)
            if key not in simulated or asked.again:
                simulated[key] = simulate(design, number, trained)
                keep(harness.provenance(VERSIONS))
                ratio = simulated[key]["Anchor"] / simulated[key][TRUE_ORDER]
                print(f"{key}: {ratio:.3f}", flush=True)
    return 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    raise SystemExit(main())
