"""``python -m benchmarks.competitions``: M3, tourism and M4 by the competitions' own metrics.

Every series is forecast from its own past alone, but by contestants that learn from a panel: these
see the series of a part together. A run goes on part by part where it was cut off.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.command import Benchmark, add_data_option, folder_of_series
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

PART = 200
"""Series that are measured, and stored, at once."""

NAMES = ("Naive", "Drift", "Seasonal naive", "Linear members")


@dataclass(frozen=True)
class Group:
    """The series of a competition that have one sampling frequency.

    Attributes
    ----------
    file : str
    period : str or None
        Value of the column "period", where the file holds several groups.
    freq : str or None
        Of the index, in pandas' words; None for rows that are only counted.
    season : int
        Steps in a season, for the forecasters and in the scale of MASE.
    metrics : tuple of str
        What the competition looked at.
    published : dict
        By model, the metrics in this order; None where none was published.
    """

    file: str
    period: str | None
    freq: str | None
    season: int
    metrics: tuple[str, str]
    published: Mapping[str, tuple[float | None, float | None]]


# MASE of M3 and tourism: Godahewa et al. 2021 (arXiv:2105.06643), mean MASE. sMAPE of M3:
# Makridakis and Hibon 2000, International Journal of Forecasting 16:451-476. MAPE of tourism:
# Athanasopoulos et al. 2011, 27:822-844, and for the winner of its contest on the web Oreshkin et
# al. 2020 (arXiv:1905.10437). M4: Makridakis, Spiliotis and Assimakopoulos 2020, 36:54-74.
GROUPS = {
    "M3 yearly": Group(
        *("m3_panel", "YEARLY", "Y", 1, ("MASE", "sMAPE")),
        {
            "Theta": (2.774, 16.90),
            "ETS": (2.860, None),
            "ARIMA": (3.417, None),
            "ForecastPro": (None, 17.14),
        },
    ),
    "M3 quarterly": Group(
        *("m3_panel", "QUARTERLY", "Q", 4, ("MASE", "sMAPE")),
        {
            "Theta": (1.117, 8.96),
            "ETS": (1.170, None),
            "ARIMA": (1.240, None),
            "ForecastPro": (None, 9.77),
        },
    ),
    "M3 monthly": Group(
        *("m3_panel", "MONTHLY", "M", 12, ("MASE", "sMAPE")),
        {
            "Theta": (0.864, 13.85),
            "ETS": (0.865, None),
            "ARIMA": (0.873, None),
            "ForecastPro": (None, 13.86),
        },
    ),
    "M3 other": Group(
        *("m3_panel", "OTHER", None, 1, ("MASE", "sMAPE")),
        {
            "Theta": (2.271, 4.41),
            "ETS": (1.814, None),
            "ARIMA": (1.831, None),
            "ForecastPro": (None, 4.60),
        },
    ),
    "tourism yearly": Group(
        *("tourism_comp_panel", "YEARLY", "Y", 1, ("MASE", "MAPE")),
        {
            "Theta": (3.015, 23.45),
            "ETS": (3.395, 27.68),
            "ARIMA": (3.775, 28.03),
            "winner": (None, 22.73),
        },
    ),
    "tourism quarterly": Group(
        *("tourism_comp_panel", "QUARTERLY", "Q", 4, ("MASE", "MAPE")),
        {
            "Theta": (1.661, 16.15),
            "ETS": (1.592, 16.05),
            "ARIMA": (1.782, 16.23),
            "winner": (None, 15.14),
        },
    ),
    "tourism monthly": Group(
        *("tourism_comp_panel", "MONTHLY", "M", 12, ("MASE", "MAPE")),
        {
            "Theta": (1.649, 22.11),
            "ETS": (1.526, 21.15),
            "ARIMA": (1.589, 21.13),
            "winner": (None, 20.19),
        },
    ),
    "M4 weekly": Group(
        *("m4_weekly_panel", None, "W", 1, ("MASE", "sMAPE")),
        {
            "Theta": (2.637, 9.093),
            "ETS": (2.527, 8.727),
            "ARIMA": (2.556, 8.653),
            "winner": (2.356, 7.817),
        },
    ),
    "M4 hourly": Group(
        *("m4_hourly_panel", None, "h", 24, ("MASE", "sMAPE")),
        {
            "Theta": (2.455, 18.138),
            "ETS": (1.824, 17.307),
            "ARIMA": (0.943, 13.980),
            "winner": (0.893, 9.328),
        },
    ),
}
PUBLISHED = ("Theta", "ETS", "ARIMA", "ForecastPro", "winner")


class Series:
    """One series of a competition: what was known, and what followed."""

    def __init__(self, past: np.ndarray, future: np.ndarray) -> None:
        self.past, self.future = past, future

    def sample(self, freq: str | None) -> Sample:
        """Return the past as a frame; its dates are made up, but for their distance."""
        index: pd.Index = pd.RangeIndex(len(self.past))
        if freq is not None:
            index = pd.period_range("1900-01", periods=len(self.past), freq=freq)
        return Sample(pd.DataFrame({"y": self.past}, index))

    def errors(self, forecast: np.ndarray, season: int) -> dict[str, float]:
        """Return MASE, sMAPE and MAPE of a forecast (h,), and its error over the naive one's.

        MASE is NaN for a series that did not move, as is MAPE where a value of the future is zero.
        """
        distance = np.abs(self.future - forecast)
        lag = season if len(self.past) > season else 1
        scale = np.abs(self.past[lag:] - self.past[:-lag]).mean()
        both = np.abs(self.future) + np.abs(forecast)
        naive = np.abs(self.future - self.past[-1]).mean()
        with np.errstate(divide="ignore", invalid="ignore"):
            smape = np.where(both > 0, 200 * distance / both, 0.0).mean()
            mape = (100 * distance / np.abs(self.future)).mean()
            mase = distance.mean() / scale
            ratio = distance.mean() / naive
        found = {"MASE": mase, "sMAPE": smape, "MAPE": mape, "over naive": ratio}
        return {name: float(one) if np.isfinite(one) else np.nan for name, one in found.items()}


def read_group(folder: Path, group: Group) -> list[Series]:
    """Return the series of a group in the order of the file."""
    table = pd.read_csv(folder / "extra" / f"{group.file}.csv.gz")
    if group.period is not None:
        table = table[table["period"] == group.period]
    found = []
    for _, rows in table.groupby("unique_id", sort=False):
        is_past = (rows["split"] == "train").to_numpy()
        values = rows["value"].to_numpy(dtype=float)
        found.append(Series(values[is_past], values[~is_past]))
    return found


def measure_part(series: list[Series], group: Group, contestant: Contestant) -> dict[str, Any]:
    """Return the mean metrics of a contestant over some series."""
    horizon, began = len(series[0].future), process_time()
    samples = [one.sample(group.freq) for one in series]
    forecasts = []
    for some in [samples] if contestant.together else [[sample] for sample in samples]:
        contestant.fit(some, horizon, group.season)
        forecasts += contestant.forecast(some, spread=False)
    spent = process_time() - began
    errors = pd.DataFrame(
        [
            one.errors(forecast.points[:, 0], group.season)
            for one, forecast in zip(series, forecasts, strict=True)
        ]
    )
    means = {name: float(f"{errors[name].mean():.6g}") for name in ("MASE", "sMAPE", "MAPE")}
    worst = float(f"{errors['over naive'].max():.4g}")
    return {"series": len(series), **means, "worst": worst, "cpu seconds": round(spent, 1)}


# --- sections -------------------------------------------------------------------------------------


def group_means(parts: Mapping[str, Mapping[str, Any]], group: str) -> dict[str, float] | None:
    """Return the means over a group, weighted by the series of its parts; None where none is."""
    some = [part for name, part in parts.items() if name.startswith(f"{group}, part ")]
    if not some or {part["parts"] for part in some} != {len(some)}:
        return None
    sizes = np.array([part["series"] for part in some])
    means = {
        metric: float(np.average([part[metric] for part in some], weights=sizes))
        for metric in ("MASE", "sMAPE", "MAPE")
    }
    seconds = sum(part["cpu seconds"] for part in some)
    worst = max(part["worst"] for part in some)
    return {**means, "series": int(sizes.sum()), "cpu seconds": seconds, "worst": worst}


def table(records: Records, which: int) -> str:
    """Return one metric of each group, by its place in `Group.metrics`, of all models."""
    head = ["model", "figures"]
    head += [f"{name}, {group.metrics[which]}" for name, group in GROUPS.items()]
    rows = [[f"**{name}**", "here", *_own(records, which, name)] for name in by_contestant(records)]
    rows += [[name, "published", *cells] for name, cells in _published(which).items()]
    return markdown_table(head, rows)


def _own(records: Records, which: int, name: str) -> list[str]:
    """Return the cells of a contestant."""
    parts = by_contestant(records).get(name, {})
    cells = []
    for key, group in GROUPS.items():
        means = group_means(parts, key)
        cells.append("not run" if means is None else _cell(means[group.metrics[which]]))
    return cells


def _published(which: int) -> dict[str, list[str]]:
    """Return the cells of the published rows that have the metric for any group."""
    figures = {
        name: [group.published.get(name, (None, None))[which] for group in GROUPS.values()]
        for name in PUBLISHED
    }
    return {
        name: [_cell(figure) for figure in some]
        for name, some in figures.items()
        if any(figure is not None for figure in some)
    }


HEADLINE = "SAMoVAR"
"""The default, on the front page beside the published rows."""


def headline(records: Records) -> str:
    """Return the MASE of the default and of the published rows, for the front page."""
    rows = [[f"**{HEADLINE}**", *_own(records, 0, HEADLINE)]]
    rows += [[name, *cells] for name, cells in _published(0).items()]
    return markdown_table(["MASE", *GROUPS], rows)


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if value < 10 else f"{value:.2f}" if value < 1e4 else f"{value:.1e}"


def effort_table(records: Records) -> str:
    """Return CPU seconds of each group, and the largest error of a series over the naive one's."""
    rows = []
    for name, parts in by_contestant(records).items():
        found = [group_means(parts, key) for key in GROUPS]
        cells = [
            "" if means is None else f"{means['cpu seconds']:.0f} s, {means['worst']:.3g}"
            for means in found
        ]
        rows.append([name, *cells])
    return markdown_table(["CPU seconds, worst series", *GROUPS], rows)


def sections(records: Records) -> dict[str, str]:
    """Return the sections of the page by marker."""
    cpu = records.entries["about"]["hardware"]["cpu"]
    entries = by_contestant(records)
    where = f"Rows marked *here*: {told_commits(entries)}, {cpu}, one thread."
    ours = f"Row {HEADLINE}: {told_commits({HEADLINE: entries.get(HEADLINE, {})})}, {cpu}."
    return {
        "competitions headline": f"{headline(records)}\n\n{ours}",
        "competitions MASE": f"{table(records, 0)}\n\n{where}",
        "competitions percentages": table(records, 1),
        "competitions effort": effort_table(records),
    }


# --- the command ----------------------------------------------------------------------------------


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Measure the parts that are asked for and not there."""
    data = folder_of_series(asked.data)

    def run(group: Group, series: list[Series], n_parts: int, contestant: Contestant) -> dict:
        return {**measure_part(series, group, contestant), "parts": n_parts}

    with one_thread():
        for name in asked.groups:
            series = read_group(data, GROUPS[name])
            parts = [series[first : first + PART] for first in range(0, len(series), PART)]
            cases = {
                f"{name}, part {number + 1}": partial(run, GROUPS[name], part, len(parts))
                for number, part in enumerate(parts)
            }
            measure_contestants(records, asked, cases)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this benchmark."""
    add_data_option(parser)
    parser.add_argument("--groups", nargs="+", choices=list(GROUPS), default=list(GROUPS))
    add_contestant_options(parser, NAMES)


BENCHMARK = Benchmark("competitions", __doc__, measure, sections, add_options)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
