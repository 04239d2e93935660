"""``python -m benchmarks.econometric``: the econometric panel, every model by its defaults.

Small and middle-sized multivariate sets of macroeconomics, money, rates, volatility, tourism,
energy, health and traffic: rolling origins, a horizon that is natural to the frequency, and no
setting chosen for a set. The members of our forecast stand beside the forecast itself. Then
simulated vector autoregressions, where least squares with the true order is the model to come close
to.
"""

from __future__ import annotations

import argparse
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.tsa.api import VAR

from benchmarks.command import Benchmark, add_data_option, folder_of_series
from benchmarks.pages import markdown_table
from benchmarks.records import Entry, Records, provenance
from samovar_forecast import SAMoVARForecaster, compare
from samovar_forecast.comparison.classical import GuardedVAR
from samovar_forecast.frames.panel import Panel
from samovar_forecast.linear.simulate import largest_root, simulate_var
from samovar_forecast.process import one_thread

N_ORIGINS = 8

LINEAR, PRETRAINED, DEFAULT = "SAMoVAR, linear member", "SAMoVAR, pretrained member", "SAMoVAR"
OURS = {
    LINEAR: {"pretrained": False},
    PRETRAINED: {"linear": False},
    DEFAULT: {},
}
"""Our rows, and the arguments of each."""

VERSIONS = ("torch", "numpy", "pandas", "sktime", "statsmodels")
ROWS = ("Naive", "Seasonal naive", "AR", "VAR", "Ridge VAR", *OURS)
LINEAR_RIVALS = ("VAR", "Ridge VAR")
DEVELOPMENT = "l"
"""Choices look at sets whose names begin with a letter up to this one; the others are reported."""


# --- the sets -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Set:
    """A data set: what it is, how far ahead is asked, and how it is read."""

    title: str
    horizon: int
    read: Callable[[Path], pd.DataFrame]


def table(folder: Path, name: str, freq: str | None = None) -> pd.DataFrame:
    """Read a file; with a frequency its rows are dated anew from the first, a row a step."""
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


def fred(folder: Path, file: str, freq: str, columns: list[str]) -> pd.DataFrame:
    """Columns of FRED-MD or -QD by their transformation codes, 1985 to 2019."""
    codes = pd.read_csv(folder / "fred_tcodes.csv.gz", index_col=0)[file]
    frame = table(folder, file, freq)
    frame = pd.DataFrame({name: _CODES[codes[name]](frame[name]) for name in columns})
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


def measure_set(chosen: Set, folder: Path) -> Entry:
    """Compare all models on a set; MSE in deviations of the first training window."""
    y = chosen.read(folder)
    y.columns = [str(name) for name in y.columns]
    season = season_of(y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # models say what they think of short samples
        found = compare(
            y, chosen.horizon, our_rows(), n_origins=N_ORIGINS, refit="every", progress=False
        )
    scores, effort = found.scores(), found.effort()
    return {
        "rows": len(y),
        "series": y.shape[1],
        "season": season,
        "horizon": chosen.horizon,
        "first_window": found.n_first,
        "stride": found.stride,
        "MSE": by_row(scores["MSE"]),
        "MASE": by_row(scores["MASE"]),
        "seconds": by_row(effort["fit_seconds"]),
        "notes": {name: note for name, note in effort["note"].items() if "failed" in note},
    }


def our_rows() -> dict[str, SAMoVARForecaster]:
    """Return our forecast and each of its members alone."""
    return {name: SAMoVARForecaster(**arguments) for name, arguments in OURS.items()}


def by_row(values: pd.Series) -> dict[str, float]:
    """Return a number a row, as JSON has it."""
    return {str(name): float(value) for name, value in values.items()}


def season_of(y: pd.DataFrame) -> int:
    return Panel.from_frame(y).grid.season


# --- simulated processes --------------------------------------------------------------------------

TRUE_ORDER = "OLS, true order"
SIMULATED_HORIZON, SIMULATED_ORIGINS, SIMULATED_STRIDE = 8, 50, 8
PROCESSES = 3
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


def simulate(design: tuple[int, int, int], number: int) -> dict[str, float]:
    """Fit all models once on the first rows of a process; return their MSE after these rows."""
    order, n_series, n_rows = design
    random = np.random.default_rng([*design, number])
    n_obs = n_rows + SIMULATED_HORIZON + (SIMULATED_ORIGINS - 1) * SIMULATED_STRIDE
    y = simulate_var(random_process(order, n_series, random), n_obs, random_state=random)
    rows: dict[str, Any] = {TRUE_ORDER: TrueOrderVAR(order), **our_rows()}
    with warnings.catch_warnings():
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
    return by_row(found.scores()["MSE"])


# --- tables ---------------------------------------------------------------------------------------


def sets_of(records: Records) -> dict[str, Entry]:
    """Return the measured sets, in the order of the table."""
    return {name: records.entries[name] for name in SETS if name in records.entries}


def verdicts(entries: dict[str, Entry]) -> list[list[str]]:
    """For each row: geometric mean of its MSE over the better linear rival's, and how often."""
    lines = []
    for name in ROWS:
        ratios, naive, is_seen = [], [], []
        for title, entry in entries.items():
            mse = entry["MSE"]
            rivals = [mse[rival] for rival in LINEAR_RIVALS if rival in mse]
            if name in mse and rivals:
                ratios.append(mse[name] / min(rivals))
                naive.append(mse[name] < mse["Naive"])
                is_seen.append(title[0] <= DEVELOPMENT)
        if not ratios:
            lines.append([name, "not run", "", "", "", "", "", ""])
            continue
        some, seen = np.array(ratios), np.array(is_seen)
        lines.append(
            [
                name,
                f"{len(some)}",
                *(geometric_mean(part) for part in (some, some[seen], some[~seen])),
                f"{(some <= 1.02).mean():.0%}",
                f"{(some < 1).mean():.0%}",
                f"{np.mean(naive):.0%}",
            ]
        )
    return lines


def geometric_mean(ratios: np.ndarray) -> str:
    return f"{np.exp(np.log(ratios).mean()):.3f}" if len(ratios) else ""


def verdict_table(entries: dict[str, Entry]) -> str:
    """Return every row against the better of VAR and ridge VAR."""
    header = [
        *("model", "sets", "geometric mean ratio", "development, a to l", "report only, m to z"),
        *("at most 1.02", "better", "beats naive"),
    ]
    return markdown_table(header, verdicts(entries))


def error_table(entries: dict[str, Entry]) -> str:
    """Return the MSE of every row on every set."""
    lines = []
    for name, chosen in SETS.items():
        entry = entries.get(name)
        if entry is None:
            lines.append([name, "", "", *["not run"] * len(ROWS)])
            continue
        mse = entry["MSE"]
        numbers = [f"{mse[row]:.4g}" if row in mse else why_missing(entry, row) for row in ROWS]
        size = f"{entry['rows']} x {entry['series']}"
        lines.append([f"{name}: {chosen.title}", size, str(entry["horizon"]), *numbers])
    return markdown_table(["set", "size", "steps", *ROWS], lines)


def why_missing(entry: Entry, row: str) -> str:
    """Say why a row has no error on a set."""
    if row in entry["notes"]:
        return "failed"
    return "no season" if row == "Seasonal naive" else "not run"


def simulated_table(records: Records) -> str:
    """Return errors on simulated processes over the errors of the true order."""
    names = ("VAR", "Ridge VAR", "AR", *OURS)
    lines = []
    everything: dict[str, list[float]] = {name: [] for name in names}
    for design in DESIGNS:
        keys = [name_of(design, number) for number in range(PROCESSES)]
        runs = [records.entries.get(key, {}) for key in keys]
        runs = [run for run in runs if DEFAULT in run]  # all rows on the same processes
        cells = [f"{len(runs)}"]
        for name in names:
            ratios = [run[name] / run[TRUE_ORDER] for run in runs if name in run]
            everything[name] += ratios
            cells.append(_mean_and_worst(ratios))
        lines.append([*map(str, design), *cells])
    lines.append(["all", "", "", "", *(_mean_and_worst(ratios) for ratios in everything.values())])
    return markdown_table(["order", "series", "rows", "processes", *names], lines)


def name_of(design: tuple[int, int, int], number: int) -> str:
    """Return the name of the entry of a simulated process."""
    return "VAR({}), {} series, {} rows, process {}".format(*design, number)


def _mean_and_worst(ratios: list[float]) -> str:
    if not ratios:
        return "not run"
    return f"{np.exp(np.log(ratios).mean()):.3f} ({max(ratios):.3f})"


def sections(records: Records) -> dict[str, str]:
    """Return the verdict, the errors on all sets, and the errors on simulated processes."""
    entries, about = sets_of(records), records.entries["about"]
    where = (
        f"Commit {about['commit']}, {about['date']}, {about['hardware']['cpu']}, one thread.\n\n"
    )
    return {
        "econometric": verdict_table(entries),
        "econometric sets": where + error_table(entries),
        "simulated": simulated_table(records),
    }


# --- the command ----------------------------------------------------------------------------------


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Measure the sets and processes that are asked for and not there."""
    folder = folder_of_series(asked.data) / "extra"
    with one_thread():
        for name in asked.sets:
            known = records.entries.get(name, {"MSE": {}})["MSE"]
            if DEFAULT in known and not asked.again:
                continue
            try:
                entry = measure_set(SETS[name], folder)
            except FileNotFoundError as error:
                print(f"{name}: not here ({error.filename})")
                continue
            about = provenance(VERSIONS)
            records.keep(name, {**entry, "date": about["date"], "commit": about["commit"]})
            records.keep("about", about)
            print(name, {row: round(value, 4) for row, value in entry["MSE"].items()}, flush=True)
        for number, design in product(range(PROCESSES), DESIGNS if asked.simulated else ()):
            key = name_of(design, number)
            if key not in records.entries or asked.again:
                errors = simulate(design, number)
                records.keep(key, errors)
                records.keep("about", provenance(VERSIONS))
                print(f"{key}: {errors[DEFAULT] / errors[TRUE_ORDER]:.3f}", flush=True)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this benchmark."""
    add_data_option(parser)
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument(
        "--simulated",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="also the simulated processes",
    )
    parser.add_argument("--again", action="store_true", help="also what is finished")


BENCHMARK = Benchmark("econometric", __doc__, measure, sections, add_options)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
