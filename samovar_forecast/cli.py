"""`samovar-forecast`: the main job from a terminal."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from samovar_forecast.exceptions import ConfigurationError, SAMoVARError, require

if TYPE_CHECKING:
    import pandas as pd

    from samovar_forecast.comparison import Comparison
    from samovar_forecast.frames.sources import Dataset

BAD_INPUT = 2
INTERRUPTED = 130
WIDEST = 100
LAGS_DRAWN = 4
PANELS_DRAWN = 12


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 2 for bad input, 130 if interrupted.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; by default the arguments of the process.
    """
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except SAMoVARError as error:
        _complain(str(error))
        return BAD_INPUT
    except OSError as error:
        _complain(f"{error.filename or 'a file'}: {error.strerror or error}")
        return BAD_INPUT
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="samovar-forecast",
        description="Forecast several time series at once with SAMoVAR, beside classical models.",
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_demo(commands)
    _add_compare(commands)
    return parser


def _add_demo(commands: Any) -> None:
    demo = commands.add_parser(
        "demo",
        help="compare SAMoVAR with a VAR, AR and naive forecasts, on US macro data or your own",
        description="Compare SAMoVAR with a VAR, AR and the naive forecast from the same rolling "
        "origins; print the leaderboard and write figures. Without --data, the data are US "
        "quarterly macro series that statsmodels brings: nothing is downloaded.",
    )
    demo.set_defaults(run=_demo)
    add = demo.add_argument
    add("--data", type=Path, metavar="FILE", help="CSV file: time, then a column a series")
    add("--horizon", type=int, default=8, metavar="H", help="steps ahead (default: 8)")
    _add_common(add, origins=10)
    add(
        "--output",
        type=Path,
        default=Path("samovar_demo"),
        metavar="DIR",
        help="folder for the figures (default: ./samovar_demo)",
    )
    add("--figures", choices=("png", "pdf", "svg"), default="png", help="format of the figures")


def _add_compare(commands: Any) -> None:
    compare = commands.add_parser(
        "compare",
        help="compare models on a CSV of your own, and write the report as one HTML page",
        description="Compare SAMoVAR with VAR, ridge VAR, AR and naive forecasts, and with others "
        "by name, from the same rolling origins of a CSV; print the leaderboard and write a "
        "report that opens without a network.",
    )
    compare.set_defaults(run=_compare)
    add = compare.add_argument
    add("data", type=Path, metavar="FILE", help="CSV file: time, then a column a series")
    add("--horizon", type=int, required=True, metavar="H", help="steps ahead")
    add("--report", type=Path, metavar="FILE", help="HTML file to write")
    _add_common(add, origins=24)
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
    add("--forecasts", type=Path, metavar="FILE", help="CSV file to write every forecast to")
    add("--title", metavar="TEXT", help="title of the report (default: the name of the file)")


def _add_common(add: Callable[..., Any], origins: int) -> None:
    """Add what the commands share."""
    add("--time", metavar="NAME", help="column that holds the time (default: the first)")
    add(
        "--leave-out",
        action="append",
        default=[],
        metavar="NAME",
        help="column that is neither time nor a series, may be repeated",
    )
    add(
        "--number-rows",
        action="store_true",
        help="count the rows of FILE instead of reading the time",
    )
    add(
        "--origins",
        type=int,
        default=origins,
        metavar="K",
        help=f"forecast origins (default: {origins})",
    )
    add(
        "--season",
        type=int,
        metavar="S",
        help="steps in a season, 1 for none (default: from the dates)",
    )
    add(
        "--refit",
        type=_refit,
        default=4,
        metavar="WHEN",
        help="where SAMoVAR and networks are fitted: 'first', 'every' or every so many origins "
        "(default: 4; the classical models are fitted at every origin)",
    )
    add("--refit-all", action="store_true", help="apply --refit to the classical models too")
    add("--seed", type=int, default=0, metavar="N", help="seed of the networks (default: 0)")
    add("--quiet", action="store_true", help="no progress bar")


def _refit(text: str) -> str | int:
    if text in ("first", "every"):
        return text
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r}: give 'first', 'every' or a number of origins")


def _demo(arguments: argparse.Namespace) -> None:
    require("matplotlib", feature="samovar-forecast demo", extra="demo")
    require("statsmodels", feature="samovar-forecast demo", extra="demo")
    require("sktime", feature="samovar-forecast demo", extra="demo")
    os.environ.setdefault("MPLBACKEND", "Agg")  # figures go to files, never to a window
    from samovar_forecast import comparison as room
    from samovar_forecast.frames.sources import us_macro_data

    data = us_macro_data() if arguments.data is None else _own_data(arguments)
    season = data.season if arguments.season is None else arguments.season
    arguments.output.mkdir(parents=True, exist_ok=True)
    forecasters = room.standard_forecasters(
        season, arguments.seed, verbose=False if arguments.quiet else None
    )
    _say(*data.description, _models_in_words(season))
    comparison = room.compare(
        data.y,
        arguments.horizon,
        forecasters,
        n_origins=arguments.origins,
        season=season,
        refit=arguments.refit
        if arguments.refit_all
        else {name: arguments.refit for name in forecasters if _is_samovar(name)},
        progress=not arguments.quiet,
    )
    print()
    print(room.summary(comparison, _width()))
    _say(*_choices_in_words(comparison))
    for path, content in _write_results(comparison, data, arguments.output, arguments.figures):
        _say(f"{path}: {content}")


def _compare(arguments: argparse.Namespace) -> None:
    require("statsmodels", feature="samovar-forecast compare", extra="demo")
    require("sktime", feature="samovar-forecast compare", extra="demo")
    if arguments.report is not None:
        for package in ("jinja2", "matplotlib"):
            require(package, feature="samovar-forecast compare --report", extra="report")
    os.environ.setdefault("MPLBACKEND", "Agg")  # figures go to files, never to a window
    from samovar_forecast import comparison as room

    data = _own_data(arguments)
    season = data.season if arguments.season is None else arguments.season
    for file in (arguments.report, arguments.forecasts):
        if file is not None:
            if file.is_dir():
                raise ConfigurationError(
                    f"{file} is a folder", wanted="the name of a file", remedy="add one to it"
                )
            file.parent.mkdir(parents=True, exist_ok=True)
    verbose = False if arguments.quiet else None
    models = room.standard_forecasters(season, arguments.seed, verbose=verbose)
    if arguments.without_samovar:
        models = {name: model for name, model in models.items() if not _is_samovar(name)}
    task = room.Task(arguments.horizon, season, 2 * len(data.y) // 3, arguments.seed)
    also = room.from_catalogue(arguments.also, task)
    models = {**models, **also}
    _say(*data.description)
    networks = [name for name in models if _is_samovar(name) or name in also]
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
        progress=not arguments.quiet,
    )
    print()
    print(room.summary(found, _width()))
    for finding in room.findings(found):
        _say(f"{finding.topic}: {finding.text}")
    if arguments.forecasts is not None:
        found.forecasts.to_csv(arguments.forecasts, index=False)
        _say(f"{arguments.forecasts}: every forecast of every model, beside what came")
    if arguments.report is not None:
        from samovar_forecast.report import write_report

        title = arguments.title or f"Forecasts of {arguments.data.name}, {arguments.horizon} ahead"
        write_report(found, arguments.report, title=title, about=data.description, units=data.units)
        _say(f"{arguments.report}: the report, one page that opens without a network")


def _own_data(arguments: argparse.Namespace) -> Dataset:
    from samovar_forecast.frames.sources import read_csv

    return read_csv(
        arguments.data,
        time=arguments.time,
        leave_out=arguments.leave_out,
        number_rows=arguments.number_rows,
    )


def _is_samovar(name: str) -> bool:
    return name.startswith("SAMoVAR")


def _models_in_words(season: int) -> str:
    seasonal = f", and the value {season} steps before (seasonal naive)" if season > 1 else ""
    return (
        "Models: SAMoVAR with its defaults, and its network without the linear anchor; "
        "statsmodels' VAR and AR (one for each series), their order by AIC among those that the "
        "rows identify; a ridge VAR, its order and penalty by leave-one-out; exponential "
        f"smoothing and Theta in closed form; the last value (naive){seasonal}."
    )


def _choices_in_words(comparison: Comparison) -> list[str]:
    """Return what the fitted models chose for themselves, as far as they were fitted."""
    samovar, var = (comparison.fitted.get(name) for name in ("SAMoVAR", "VAR"))
    choices = []
    if samovar is not None:
        choices.append(
            f"SAMoVAR chose patches of {samovar.patch_length_} steps and a context of "
            f"{samovar.context_length_}"
        )
    if var is not None and var.results_ is not None:
        choices.append(f"the VAR chose order {var.results_.k_ar}")
    return [f"At the last fit, {', '.join(choices)}."] if choices else []


def _write_results(
    comparison: Comparison, data: Dataset, folder: Path, suffix: str
) -> list[tuple[Path, str]]:
    """Write the figures and the forecasts, and return each file with what it shows."""
    from samovar_forecast import plots

    written = []
    shown = list(data.y.columns[:PANELS_DRAWN])
    which_series = f", first {len(shown)} series" if len(shown) < data.y.shape[1] else ""
    errors = comparison.scores("origin")["MSE"].groupby("origin").median()
    if len(errors):
        typical = int(comparison.origins.get_loc(errors.sort_values().index[len(errors) // 2]))
        for name, origin, which in (
            ("typical", typical, "the origin of median error"),
            ("last", len(comparison.origins) - 1, "the last origin"),
        ):
            axes = plots.plot_forecasts(comparison, origin, series=shown, units=data.units)
            path = plots.save_figure(axes, folder / f"forecasts_{name}.{suffix}")
            written.append((path, f"forecasts, history and truth at {which}{which_series}"))
        axis = plots.plot_errors_by_step(comparison)
        path = plots.save_figure(axis, folder / f"errors_by_step.{suffix}")
        written.append((path, "mean squared error against the step ahead"))
    var = comparison.fitted.get("VAR")
    if var is not None and var.results_ is not None and var.results_.k_ar:
        names = data.y.columns[var.varying_]
        axes = _draw_lag_matrices(
            var.results_.coefs,
            comparison.y[names],
            f"VAR({var.results_.k_ar}) as fitted last, on {var.results_.n_totobs} rows",
        )
        path = plots.save_figure(axes, folder / f"var_lag_matrices.{suffix}")
        written.append((path, "what the VAR learnt: the effect of each series on each, by lag"))
    samovar = comparison.fitted.get("SAMoVAR")
    if samovar is not None and hasattr(samovar, "explain"):
        dynamic = samovar.explain()
        axes = _draw_lag_matrices(
            dynamic.coefs,
            comparison.y,
            f"SAMoVAR at {dynamic.index[-1]}: local lag matrices of the next step",
        )
        path = plots.save_figure(axes, folder / f"samovar_lag_matrices.{suffix}")
        written.append((path, "what SAMoVAR does at the last origin, read as a VAR"))
    path = folder / "forecasts.csv"
    comparison.forecasts.to_csv(path, index=False)
    written.append((path, "every forecast of every model, beside what came"))
    return written


def _draw_lag_matrices(coefs: np.ndarray, y: pd.DataFrame, title: str) -> np.ndarray:
    """Draw lag matrices of the series of a frame, in deviations of the series."""
    from samovar_forecast import plots

    deviation = y.std().to_numpy()
    return plots.plot_lag_matrices(
        coefs * deviation / np.where(deviation == 0, 1.0, deviation)[:, None],
        [str(name) for name in y],
        title=title,
        unit="response in its standard deviations,\nto one standard deviation of the impulse",
        max_lags=LAGS_DRAWN,
    )


def _width() -> int:
    return min(WIDEST, max(40, shutil.get_terminal_size((WIDEST, 24)).columns))


def _say(*paragraphs: str) -> None:
    for paragraph in paragraphs:
        print(textwrap.fill(paragraph, _width(), subsequent_indent="  ", break_long_words=False))


def _complain(message: str) -> None:
    print(textwrap.fill(f"samovar-forecast: {message}", _width()), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
