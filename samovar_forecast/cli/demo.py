"""`samovar-forecast demo`: leaderboard and figures of a first comparison."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from samovar_forecast.cli.files import check_outputs, write_table
from samovar_forecast.cli.options import (
    add_common,
    add_reading,
    add_units,
    is_samovar,
    own_data,
    units_of,
)
from samovar_forecast.cli.parser import whole
from samovar_forecast.cli.terminal import say, width
from samovar_forecast.exceptions import require

if TYPE_CHECKING:
    from samovar_forecast.comparison import Comparison
    from samovar_forecast.frames.sources import Dataset

EXAMPLES = """examples:
  samovar-forecast demo
  samovar-forecast demo --data sales.csv --horizon 12 --output figures --figures pdf
"""
LAGS_DRAWN = 4
PANELS_DRAWN = 12
FORECASTS = "forecasts.csv"


def add_demo(commands: Any) -> None:
    """Add the command `demo`."""
    demo = commands.add_parser(
        "demo",
        usage="%(prog)s [options]",
        help="compare SAMoVAR with a VAR, AR and naive forecasts, on US macro data or your own",
        description="Compare SAMoVAR with a VAR, AR and the naive forecast from the same rolling "
        "origins; print the leaderboard and write figures. Without --data, the data are US "
        "quarterly macro series that statsmodels brings: nothing is downloaded.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    demo.set_defaults(run=_demo)
    add = demo.add_argument
    add("--data", type=Path, metavar="FILE", help="CSV or Parquet file of series")
    add("--horizon", type=whole(1), default=8, metavar="H", help="steps ahead (default: 8)")
    add_common(demo, origins=10)
    add(
        "--output",
        type=Path,
        default=Path("samovar_demo"),
        metavar="DIR",
        help="folder for the figures (default: ./samovar_demo)",
    )
    add("--figures", choices=("png", "pdf", "svg"), default="png", help="format of the figures")
    add_units(demo)
    add_reading(demo)


def _demo(arguments: argparse.Namespace) -> None:
    arguments.output.mkdir(parents=True, exist_ok=True)
    check_outputs([arguments.output / FORECASTS], [arguments.data])
    own = None if arguments.data is None else own_data(arguments)  # before the hosts are imported
    require("matplotlib", feature="samovar-forecast demo", extra="demo")
    require("statsmodels", feature="samovar-forecast demo", extra="demo")
    require("sktime", feature="samovar-forecast demo", extra="demo")
    os.environ.setdefault("MPLBACKEND", "Agg")  # figures go to files, never to a window
    from samovar_forecast import comparison as room
    from samovar_forecast.frames.sources import us_macro_data

    data = us_macro_data() if own is None else own
    data = data._replace(units=units_of(arguments, data))
    season = data.season if arguments.season is None else arguments.season
    forecasters = room.standard_forecasters(
        season, arguments.seed, verbose=False if arguments.quiet or arguments.jobs != 1 else None
    )
    say(*data.description, _models_in_words(season))
    comparison = room.compare(
        data.y,
        arguments.horizon,
        forecasters,
        n_origins=arguments.origins,
        season=season,
        refit=arguments.refit
        if arguments.refit_all
        else {name: arguments.refit for name in forecasters if is_samovar(name)},
        n_jobs=arguments.jobs,
        progress=not arguments.quiet,
    )
    print()
    print(room.summary(comparison, width()))
    say(*_choices_in_words(comparison))
    for path, content in _write_results(comparison, data, arguments.output, arguments.figures):
        say(f"{path}: {content}")


def _models_in_words(season: int) -> str:
    seasonal = f", and the value {season} steps before (seasonal naive)" if season > 1 else ""
    return (
        "Models: SAMoVAR with its defaults, its pretrained network alone (zero-shot) and its "
        "linear members alone; statsmodels' VAR and AR (one for each series), their order by AIC "
        "among those that the rows identify; the VAR of the last half of the rows; a VAR with "
        "time-varying parameters; a ridge VAR, its order and penalty by leave-one-out; exponential "
        f"smoothing and Theta in closed form; the last value (naive){seasonal}."
    )


def _choices_in_words(comparison: Comparison) -> list[str]:
    """Return what the fitted models chose for themselves, as far as they were fitted."""
    samovar, var = (comparison.fitted.get(name) for name in ("SAMoVAR", "VAR"))
    choices = []
    if samovar is not None:
        shares = samovar.shares_.groupby("member", sort=False).mean().mean(axis=1)
        parts = " and ".join(f"{share:.0%} {name}" for name, share in shares.items())
        choices.append(f"SAMoVAR averaged its members by {parts}")
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
    written += _write_lag_matrices(comparison, folder, suffix)
    path = folder / FORECASTS
    write_table(comparison.forecasts, path)
    written.append((path, "every forecast of every model, beside what came"))
    return written


def _write_lag_matrices(
    comparison: Comparison, folder: Path, suffix: str
) -> list[tuple[Path, str]]:
    """Draw what the VAR and SAMoVAR learnt, in deviations of the series and on one scale."""
    from samovar_forecast import plots

    learnt = []
    var, samovar = (comparison.fitted.get(name) for name in ("VAR", "SAMoVAR"))
    if var is not None and var.results_ is not None and var.results_.k_ar:
        learnt.append(
            (
                "var_lag_matrices",
                "what the VAR learnt: the effect of each series on each, by lag",
                f"VAR({var.results_.k_ar}) as fitted last, on {var.results_.n_totobs} rows",
                list(comparison.y.columns[var.varying_]),
                var.results_.coefs,
            )
        )
    if samovar is not None and hasattr(samovar, "explain"):
        dynamic = samovar.explain()
        learnt.append(
            (
                "samovar_lag_matrices",
                "what SAMoVAR does at the last origin, read as a VAR",
                f"SAMoVAR at {dynamic.index[-1]}: local lag matrices of the next step",
                list(comparison.y.columns),
                dynamic.coefs,
            )
        )
    scaled = []
    for *_, names, coefs in learnt:
        deviation = comparison.y[names].std().to_numpy()
        scaled.append(coefs * deviation / np.where(deviation == 0, 1.0, deviation)[:, None])
    limit = max((np.abs(matrices[:LAGS_DRAWN]).max() for matrices in scaled), default=0.0) or 1.0
    written = []
    for (file, content, title, names, _), matrices in zip(learnt, scaled, strict=True):
        axes = plots.plot_lag_matrices(
            matrices,
            [str(name) for name in names],
            title=title,
            unit="response in its standard deviations,\nto one standard deviation of the impulse",
            max_lags=LAGS_DRAWN,
            limit=limit,
        )
        written.append((plots.save_figure(axes, folder / f"{file}.{suffix}"), content))
    return written
