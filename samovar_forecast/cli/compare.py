"""`samovar-forecast compare`: models on the user's own series, and the report."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samovar_forecast.cli.files import check_outputs, table_format, write_table
from samovar_forecast.cli.options import (
    add_common,
    add_reading,
    add_units,
    is_samovar,
    own_data,
    units_of,
)
from samovar_forecast.cli.outlook import Outlook, look_ahead
from samovar_forecast.cli.outlook_words import in_words
from samovar_forecast.cli.parser import NEEDS_HORIZON, whole
from samovar_forecast.cli.terminal import say, width
from samovar_forecast.exceptions import require

if TYPE_CHECKING:
    from samovar_forecast.comparison import Comparison

EXAMPLES = """examples:
  samovar-forecast compare sales.csv --horizon 12
  samovar-forecast compare sales.csv --horizon 12 --report report.html --unit EUR
  samovar-forecast compare load.csv --horizon 24 --origins 50 --also AutoETS --also NLinear
  samovar-forecast compare load.csv --horizon 24 --jobs 4 --resume done --forecasts all.csv
"""


def add_compare(commands: Any) -> None:
    """Add the command `compare`."""
    compare = commands.add_parser(
        "compare",
        usage="%(prog)s FILE --horizon H [options]",
        help="compare models on a CSV of your own, and write the report as one HTML page",
        description="Compare SAMoVAR with VAR, ridge VAR, AR and naive forecasts, and with others "
        "by name, from the same rolling origins of a CSV; print the leaderboard and write a "
        "report that opens without a network.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    compare.set_defaults(run=_compare)
    compare.needed["horizon"] = NEEDS_HORIZON
    add = compare.add_argument
    add("data", type=Path, metavar="FILE", help="CSV or Parquet file of series")
    add("--horizon", type=whole(1), metavar="H", help="steps ahead; must be given")
    add("--report", type=Path, metavar="FILE", help="HTML file to write")
    add_common(compare, origins=24)
    add("--stride", type=int, metavar="N", help="steps between origins (default: from the data)")
    add(
        "--window",
        choices=("expanding", "sliding"),
        default="expanding",
        help="whether training windows keep their first row, or their length",
    )
    add(
        "--also",
        action="append",
        default=[],
        metavar="NAME",
        help="one more model, may be repeated: 'installed' for all at hand, or AutoETS, "
        "AutoARIMA, NLinear, DLinear, TiDE, TSMixer, NHiTS, TFT, iTransformer, PatchTST, "
        "Informer, Autoformer, Chronos2 (trained weights, downloaded)",
    )
    add(
        "--without-samovar",
        action="store_true",
        help="only the classical models, and those of --also",
    )
    add(
        "--resume",
        type=Path,
        metavar="DIR",
        help="folder of stored origins: what is there is not computed again",
    )
    add(
        "--forecasts",
        type=Path,
        metavar="FILE",
        help="CSV, JSON or Parquet file to write every forecast to",
    )
    add("--title", metavar="TEXT", help="title of the report (default: the name of the file)")
    add_units(compare)
    add_reading(compare)


def _compare(arguments: argparse.Namespace) -> None:
    check_outputs([arguments.report, arguments.forecasts], [arguments.data])
    if arguments.forecasts is not None:
        table_format(arguments.forecasts)
    data = own_data(arguments)  # a wrong file costs no import of the hosts
    units = units_of(arguments, data)
    require("statsmodels", feature="samovar-forecast compare", extra="demo")
    require("sktime", feature="samovar-forecast compare", extra="demo")
    if arguments.report is not None:
        for package in ("jinja2", "matplotlib"):
            require(package, feature="samovar-forecast compare --report", extra="report")
    os.environ.setdefault("MPLBACKEND", "Agg")  # figures go to files, never to a window
    from samovar_forecast import comparison as room
    from samovar_forecast.comparison.arguments import named_forecasters

    season = data.season if arguments.season is None else arguments.season
    verbose = False if arguments.quiet or arguments.jobs != 1 else None  # bars would mix
    models = room.standard_forecasters(season, arguments.seed, verbose=verbose)
    if arguments.without_samovar:
        models = {name: model for name, model in models.items() if not is_samovar(name)}
    task = room.Task(arguments.horizon, season, 2 * len(data.y) // 3, arguments.seed)
    also = room.from_catalogue(arguments.also, task)
    models = named_forecasters({**models, **also})
    say(*data.description)
    networks = [name for name in models if is_samovar(name) or name in also]
    found = room.compare(
        data.y,
        arguments.horizon,
        models,
        n_origins=arguments.origins,
        stride=arguments.stride,
        window=arguments.window,
        season=season,
        refit=arguments.refit if arguments.refit_all else dict.fromkeys(networks, arguments.refit),
        resume=arguments.resume,
        n_jobs=arguments.jobs,
        progress=not arguments.quiet,
    )
    print()
    print(room.summary(found, width()))
    for finding in room.findings(found):
        say(f"{finding.topic}: {finding.text}")
    if arguments.forecasts is not None:
        write_table(found.forecasts, arguments.forecasts)
        say(f"{arguments.forecasts}: every forecast of every model, beside what came")
    name, outlook = _next(found, models, season)
    if outlook is not None:
        say(f"What comes next, by {name}: {in_words(outlook)[0].text}")
    if arguments.report is not None:
        from samovar_forecast.report import write_report
        from samovar_forecast.report.ahead import Ahead

        title = arguments.title or f"Forecasts of {arguments.data.name}, {arguments.horizon} ahead"
        write_report(
            found,
            arguments.report,
            title=title,
            about=data.description,
            units=units,
            ahead=None if outlook is None else Ahead(outlook.forecast, outlook.intervals, name),
        )
        say(f"{arguments.report}: the report, one page that opens without a network")


def _next(found: Comparison, models: dict[str, Any], season: int) -> tuple[str, Outlook | None]:
    """Return what comes after the last row, by the model of least error that has intervals.

    Where a model fails on all rows, the next one is asked: the comparison is done, and stays.
    """
    ranked = found.scores()["MSE"].sort_values(kind="stable").index
    without = set(found.forecasts["model"][found.quantiles.isna().any(axis=1)])
    for name in (str(name) for name in ranked if name not in without):
        make, horizon = models[name].clone, found.horizon
        try:
            outlook = look_ahead(make, found.y, horizon, coverage=0.8, season=season, n_origins=0)
        except Exception as error:  # noqa: BLE001 - whatever breaks a model costs no report
            say(f"What comes next is not told by {name}, which failed: {error}")
        else:
            return name, outlook
    return "", None
