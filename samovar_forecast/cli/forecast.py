"""`samovar-forecast forecast`: what comes next in the user's own series."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from samovar_forecast.cli.files import check_outputs, table_format, write_table
from samovar_forecast.cli.options import (
    add_reading,
    add_units,
    own_covariates,
    own_data,
    units_of,
)
from samovar_forecast.cli.outlook import N_ORIGINS, Outlook, look_ahead
from samovar_forecast.cli.outlook_words import decimals_of, in_words, time_texts
from samovar_forecast.cli.parser import NEEDS_HORIZON, whole
from samovar_forecast.cli.shards import run_shard, shard_of
from samovar_forecast.cli.terminal import say, width
from samovar_forecast.exceptions import ConfigurationError, require
from samovar_forecast.frames.digits import shown

if TYPE_CHECKING:
    import pandas as pd

    from samovar_forecast.frames.sources import Dataset

FIGURES = (".png", ".pdf", ".svg")
SERIES_DRAWN = 12
SERIES_PRINTED = 12
STEPS_PRINTED = 40
LEAST_INTERVAL = 0.01
"""A smaller share than this is a share where percent were wanted."""
LONGEST_HORIZON = 1000
STEPS_A_ROW = 10
"""A horizon beyond both, so many steps or so many for each row, is taken for a mistake."""

EXAMPLES = """examples:
  samovar-forecast forecast sales.csv --horizon 12
  samovar-forecast forecast sales.csv --horizon 12 --interval 95 -o next.csv --plot next.png
  samovar-forecast forecast shops.csv --id shop --time week --horizon 8 -o next.json
  samovar-forecast forecast load.csv --horizon 24 --future weather.csv --report next.html
  samovar-forecast forecast --input million.parquet --output folder --shard 1/8 --horizon 12

weather.csv holds the time and a column for each covariate, at the rows of load.csv and at those
that are forecast.
"""


def add_forecast(commands: Any) -> None:
    """Add the command `forecast`."""
    forecast = commands.add_parser(
        "forecast",
        usage="%(prog)s FILE --horizon H [options]",
        help="what comes next in a CSV of your own: numbers, intervals, a figure, a paragraph",
        description="Forecast the series of a file with intervals, and say how the same forecaster "
        "did at the last origins beside naive and VAR. Missing cells and missing times may stay.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    forecast.set_defaults(run=_forecast)
    forecast.needed["horizon"] = NEEDS_HORIZON
    add = forecast.add_argument
    add("data", type=Path, nargs="?", metavar="FILE", help="CSV or Parquet file of series")
    add("--input", type=Path, metavar="FILE", help="the same, as an option")
    add("--horizon", type=whole(1), metavar="H", help="steps ahead; must be given")
    add(
        "--interval",
        type=_percent,
        default=0.8,
        metavar="P",
        help="percent of the values that the interval is to hold (default: 80)",
    )
    add(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="table to write: .csv, .csv.gz, .json or .parquet; with --shard a folder",
    )
    add(
        "--shard",
        type=shard_of,
        metavar="i/n",
        help="forecast this part of the row groups of a Parquet file of series below one another, "
        "with the columns unique_id, ds and y, into a folder",
    )
    add("--freq", metavar="F", help="with --shard: distance of the dates, as pandas writes it")
    add("--plot", type=Path, metavar="FILE", help="figure to write: .png, .pdf or .svg")
    add("--report", type=Path, metavar="FILE", help="HTML page to write: words, figure, table")
    add(
        "--future",
        type=Path,
        metavar="FILE",
        help="file of covariates that are known ahead, at the rows of FILE and at those forecast",
    )
    add(
        "--origins",
        type=whole(0),
        default=N_ORIGINS,
        metavar="K",
        help=f"earlier origins to try the forecaster at, 0 for none (default: {N_ORIGINS})",
    )
    add("--season", type=whole(1), metavar="S", help="steps in a season (default: from the dates)")
    add("--seed", type=int, default=0, metavar="N", help="seed of networks (default: 0)")
    add("--title", metavar="TEXT", help="title of figure and report (default: the file's name)")
    add_units(forecast)
    add_reading(forecast)


def _percent(text: str) -> float:
    try:
        share = float(text.rstrip("%")) / 100
    except ValueError:
        share = 0.0
    if 0 < share < LEAST_INTERVAL:
        raise argparse.ArgumentTypeError(
            f"found: {text}; wanted: percent, at least 1; did you mean {10000 * share:g}?"
        )
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"found: {text}; give a percentage between 0 and 100")
    return share


def _forecast(arguments: argparse.Namespace) -> None:
    if (arguments.data is None) == (arguments.input is None):
        raise ConfigurationError("a file of series is wanted", wanted="FILE or --input FILE")
    arguments.data = arguments.data or arguments.input
    for name, least in (("horizon", 1), ("origins", 0), ("season", 1)):
        given = getattr(arguments, name)
        if given is not None and given < least:
            wanted = f"an integer of at least {least}"
            raise ConfigurationError(f"--{name}", found=given, wanted=wanted)
    if arguments.shard is not None:
        run_shard(arguments)
        return
    if arguments.freq is not None:
        raise ConfigurationError("--freq has an effect with --shard alone", remedy="leave it out")
    check_outputs(
        [arguments.output, arguments.plot, arguments.report], [arguments.data, arguments.future]
    )
    if arguments.output is not None:
        table_format(arguments.output)
    if arguments.plot is not None and arguments.plot.suffix.lower() not in FIGURES:
        raise ConfigurationError(
            f"{arguments.plot} names no format of a figure",
            found=repr(arguments.plot.suffix),
            wanted=f"a name that ends in {', '.join(FIGURES)}",
        )
    data = own_data(arguments, keep_gaps=True)
    data = data._replace(units=units_of(arguments, data))
    farthest = max(LONGEST_HORIZON, STEPS_A_ROW * len(data.y))
    if arguments.horizon > farthest:
        raise ConfigurationError(
            f"--horizon reaches too far beyond the {len(data.y)} rows of {arguments.data}",
            found=arguments.horizon,
            wanted=f"at most {farthest} steps, or more rows",
        )
    X, X_ahead = own_covariates(arguments, data.y)
    require("sktime", feature="samovar-forecast forecast", extra="demo")
    require("statsmodels", feature="samovar-forecast forecast", extra="demo")
    if arguments.plot is not None or arguments.report is not None:
        require("matplotlib", feature="samovar-forecast forecast --plot", extra="demo")
    if arguments.report is not None:
        require("jinja2", feature="samovar-forecast forecast --report", extra="report")
    os.environ.setdefault("MPLBACKEND", "Agg")  # figures go to files, never to a window
    say(*data.description)
    outlook = look_ahead(
        lambda: _forecaster(arguments.seed, arguments.season),
        data.y,
        arguments.horizon,
        coverage=arguments.interval,
        season=data.season if arguments.season is None else arguments.season,
        X=X,
        X_ahead=X_ahead,
        n_origins=arguments.origins,
    )
    print()
    print(printed(outlook, arguments.output))
    print()
    say(*(f"{head}: {text}" for head, text in in_words(outlook, data.guesses)))
    _write(arguments, data, outlook)


def _forecaster(seed: int, season: int | None) -> Any:
    from samovar_forecast import SAMoVARForecaster

    return SAMoVARForecaster(random_state=seed, season=season, verbose=False)


def _write(arguments: argparse.Namespace, data: Dataset, outlook: Outlook) -> None:
    """Write the table, the figure and the page that were asked for."""
    title = arguments.title or f"{arguments.data.name}, {arguments.horizon} steps ahead"
    drawn = list(outlook.forecast.columns[:SERIES_DRAWN])
    n_left = outlook.forecast.shape[1] - len(drawn)
    left = f", the first {len(drawn)} series" if n_left else ""
    if arguments.output is not None:
        write_table(long_table(outlook), arguments.output)
        say(f"{arguments.output}: the forecast, a row for each time and series")
    if arguments.plot is not None:
        from samovar_forecast import plots

        axes = plots.plot_fan(
            outlook.y,
            outlook.forecast,
            outlook.intervals,
            series=drawn,
            units=data.units,
            label="SAMoVAR",
            title=title,
        )
        plots.save_figure(axes, arguments.plot)
        say(f"{arguments.plot}: history and forecast with intervals{left}")
    if arguments.report is not None:
        from samovar_forecast.report import write_forecast_report

        write_forecast_report(
            outlook.y,
            outlook.forecast,
            outlook.intervals,
            arguments.report,
            title=title,
            about=data.description,
            passages=in_words(outlook, data.guesses),
            series=drawn,
            units=data.units,
        )
        say(f"{arguments.report}: words, figure and table on a page that opens without a network")


def long_table(outlook: Outlook) -> pd.DataFrame:
    """Return the forecast as a row for each time and series, with its interval."""
    import pandas as pd  # after the arguments, which need no pandas

    forecast, percent = outlook.forecast, f"{100 * outlook.coverage:g}"
    low, high = (
        np.stack([outlook.intervals[name, outlook.coverage, side] for name in forecast], axis=1)
        for side in ("lower", "upper")
    )
    return pd.DataFrame(
        {
            "time": forecast.index.repeat(forecast.shape[1]),
            "series": list(map(str, forecast.columns)) * len(forecast),
            "forecast": forecast.to_numpy().ravel(),
            f"lower_{percent}": low.ravel(),
            f"upper_{percent}": high.ravel(),
        }
    )


def printed(outlook: Outlook, table: Path | None = None) -> str:
    """Return the forecast as text: times below one another, as many series as fit side by side.

    Parameters
    ----------
    outlook : Outlook
    table : Path, optional
        The file that holds all of the forecast.
    """
    forecast = outlook.forecast.iloc[:STEPS_PRINTED, :SERIES_PRINTED]
    times = ["", "", *time_texts(forecast.index)]
    first = max(map(len, times))
    blocks = [_block(outlook, name, len(forecast)) for name in forecast]
    groups: list[list[list[str]]] = [[]]
    for block in blocks:
        used = first + sum(3 + len(other[0]) for other in groups[-1])
        if groups[-1] and used + 3 + len(block[0]) > width():
            groups.append([])
        groups[-1].append(block)
    parts = [
        "\n".join(
            "   ".join([time.ljust(first), *cells]).rstrip()
            for time, *cells in zip(times, *group, strict=True)
        )
        for group in groups
    ]
    n_series, n_steps = outlook.forecast.shape[1], len(outlook.forecast)
    cut = [
        f"the first {n_shown} of {n_all} {what}"
        for n_shown, n_all, what in (
            (forecast.shape[1], n_series, "series"),
            (len(forecast), n_steps, "steps"),
        )
        if n_shown < n_all
    ]
    if cut:
        parts.append(f"({', '.join(cut)}; all of it {f'in {table}' if table else 'with -o FILE'})")
    return "\n\n".join(parts)


def _block(outlook: Outlook, name: str, n_steps: int) -> list[str]:
    """Return the lines of a series: its name, the heads, and its numbers."""
    digits, coverage = decimals_of(outlook, name), outlook.coverage
    columns = [outlook.forecast[name]]
    columns += [outlook.intervals[name, coverage, side] for side in ("lower", "upper")]
    heads = ["forecast", f"low {100 * coverage:g}%", f"high {100 * coverage:g}%"]
    cells = [
        [head, *(shown(value, digits) for value in column.iloc[:n_steps])]
        for head, column in zip(heads, columns, strict=True)
    ]
    sizes = [max(map(len, column)) for column in cells]
    lines = [
        "  ".join(cell.rjust(size) for cell, size in zip(row, sizes, strict=True))
        for row in zip(*cells, strict=True)
    ]
    room = max(len(lines[0]), 8)
    return [str(name)[:room].center(room), *(line.rjust(room) for line in lines)]
