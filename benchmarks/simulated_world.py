"""``python -m benchmarks.simulated_world``: draws of the simulated world beside real series.

One page of small pictures to look at: what the pretraining sees on the left, real series on the
right. No number comes out of it; what looks unlike is mended in the world.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.command import add_data_option, folder_of_series
from benchmarks.records import BenchmarkError
from samovar_forecast.exceptions import require

PICTURE = Path(__file__).parent / "results" / "simulated_world.png"
PANELS = (
    "fred_md.csv.gz",
    "fred_qd.csv.gz",
    "us_macro_statsmodels.csv.gz",
    "gvar_eer.csv.gz",
    "us_yields.csv.gz",
    "canada.csv.gz",
    "nasdaq_macro.csv.gz",
    "tourism_small.csv.gz",
    "electricity_weekly.csv.gz",
    "covid_deaths_us.csv.gz",
    "gefcom2014_price.csv.gz",
    "ilinet_weekly.csv.gz",
    "wiki_daily_hier.csv.gz",
)
LONG_TABLES = ("m3_panel.csv.gz", "tourism_comp_panel.csv.gz", "m4_hourly_panel.csv.gz")
ROWS, COLUMNS = 10, 5
"""Pictures of each kind."""
LONGEST = 320


def real_series(folder: Path, random: np.random.Generator) -> list[tuple[str, np.ndarray]]:
    """Return real series, named, a few of every file, each at most the length of a draw."""
    found = []
    for name in PANELS:
        table = pd.read_csv(folder / "extra" / name).select_dtypes("number")
        for column in random.choice(table.columns, min(2, len(table.columns)), replace=False):
            found.append((f"{name.split('.')[0]} {column}", table[column].dropna().to_numpy()))
    for name in LONG_TABLES:
        table = pd.read_csv(folder / "extra" / name)
        for identity in random.choice(table["unique_id"].unique(), 8, replace=False):
            values = table.loc[table["unique_id"] == identity, "value"]
            found.append((f"{name.split('_')[0]} {identity}", values.to_numpy()))
    order = random.permutation(len(found))[: ROWS * COLUMNS]
    return [(found[k][0], found[k][1][-LONGEST:]) for k in order]


def simulated_series(seed: int) -> list[tuple[str, np.ndarray]]:
    """Return draws of the world, named by their family and the period told."""
    from samovar_forecast.pretraining.draws import Draws
    from samovar_forecast.pretraining.world import FAMILIES, draw_panels

    names, found = list(FAMILIES), []
    draws = Draws(seed)
    for length in (120, LONGEST):
        panels = draw_panels(draws, ROWS * COLUMNS // 2, length, 3)
        for values, season, family in zip(*panels, strict=True):
            found.append((f"{names[int(family)]} {int(season)}", values[:, 0].numpy()))
    return found


def draw_page(folder: Path, path: Path, seed: int) -> None:
    """Write the page."""
    pyplot = require("matplotlib.pyplot", "the page of draws", "plots")
    kinds = simulated_series(seed), real_series(folder, np.random.default_rng(seed))
    figure, axes = pyplot.subplots(ROWS, 2 * COLUMNS, figsize=(24, 20))
    for kind, series in enumerate(kinds):
        for place, (name, values) in enumerate(series):
            axis = axes[place // COLUMNS, kind * COLUMNS + place % COLUMNS]
            axis.plot(values, linewidth=0.7, color=("tab:blue", "tab:green")[kind])
            axis.set_title(name, fontsize=8)
            axis.set_xticks([])
            axis.set_yticks([])
    figure.suptitle("Simulated series, left, beside real ones, right")
    figure.tight_layout()
    figure.savefig(path, dpi=60)
    pyplot.close(figure)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_data_option(parser)
    parser.add_argument("--out", type=Path, default=PICTURE)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    try:
        data = folder_of_series(asked.data)
    except BenchmarkError as error:
        parser.error(str(error))
    draw_page(data, asked.out, asked.seed)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
