"""The options that commands share, and the reading of the user's file by them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from samovar_forecast.cli.parser import whole
from samovar_forecast.exceptions import ConfigurationError

if TYPE_CHECKING:
    import pandas as pd

    from samovar_forecast.frames.sources import Dataset
    from samovar_forecast.frames.text_table import Reading


def add_reading(command: argparse.ArgumentParser) -> None:
    """Add how the user's file is read."""
    add = command.add_argument_group(
        "how FILE is read, where the file itself does not tell"
    ).add_argument
    add("--time", metavar="NAME", help="column that holds the time (default: the first)")
    add(
        "--id",
        action="append",
        default=[],
        metavar="NAME",
        help="column that names the series, where series stand below one another; may be repeated",
    )
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
    add("--separator", type=_separator, metavar="C", help="character between columns, or 'tab'")
    add("--decimal", choices=(".", ","), help="mark before decimals")
    add("--dates", choices=("day-first", "month-first"), help="how to read 3/4/2016")
    add("--header", choices=("yes", "no"), help="whether the first line holds names")
    add("--encoding", metavar="NAME", help="encoding of the text, for example latin-1")


def add_common(command: argparse.ArgumentParser, origins: int) -> None:
    """Add what the commands that compare share."""
    add = command.add_argument
    add(
        "--origins",
        type=whole(1),
        default=origins,
        metavar="K",
        help=f"forecast origins (default: {origins})",
    )
    add(
        "--season",
        type=whole(1),
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
    add(
        "--jobs",
        type=_jobs,
        default=1,
        metavar="N",
        help="processes that share models and origins, -1 for all processors (default: 1)",
    )
    add("--seed", type=int, default=0, metavar="N", help="seed of the networks (default: 0)")
    add("--quiet", action="store_true", help="no progress bar")


def add_units(command: argparse.ArgumentParser) -> None:
    """Add the units of the series."""
    command.add_argument(
        "--unit",
        action="append",
        default=[],
        metavar="[SERIES=]UNIT",
        help="unit that the figures show, of all series or of a single one; may be repeated",
    )


def units_of(arguments: argparse.Namespace, data: Dataset) -> dict[str, str]:
    """Return the units of the series, those of the command line before those that are known.

    Raises
    ------
    ConfigurationError
        If a series that gets a unit is not there.
    """
    names, units = list(map(str, data.y.columns)), dict(data.units)
    for text in arguments.unit:
        name, _, unit = text.rpartition("=")
        if name and name not in names:
            raise ConfigurationError(
                "no such series to give a unit to",
                found=repr(name),
                wanted=f"some of {names}",
            )
        units |= dict.fromkeys([name] if name else names, unit)
    return units


def _refit(text: str) -> str | int:
    if text in ("first", "every"):
        return text
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r}: give 'first', 'every' or a number of origins")


def _jobs(text: str) -> int:
    try:
        n_jobs = int(text)
    except ValueError:
        n_jobs = 0
    if n_jobs == 0:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number of processes, or -1 for all")
    return n_jobs


def _separator(text: str) -> str:
    text = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(text) != 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give a single character, or 'tab'")
    return text


def own_data(arguments: argparse.Namespace, *, keep_gaps: bool = False) -> Dataset:
    """Return the series of the user's file."""
    from samovar_forecast.frames.sources import read_file

    return read_file(
        arguments.data,
        time=arguments.time,
        keys=arguments.id,
        leave_out=arguments.leave_out,
        number_rows=arguments.number_rows,
        keep_gaps=keep_gaps,
        reading=_reading(arguments),
    )


def own_covariates(
    arguments: argparse.Namespace, y: pd.DataFrame
) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """Return the covariates at the rows of the series and at the rows ahead, if there are any.

    Raises
    ------
    DataError
        If the file lacks a value that is ahead, or most rows of the series.
    """
    if arguments.future is None:
        return None, None
    from samovar_forecast.frames.sources import read_covariates

    return read_covariates(
        arguments.future,
        y,
        arguments.horizon,
        number_rows=arguments.number_rows,
        reading=_reading(arguments),
    )


def _reading(arguments: argparse.Namespace) -> Reading:
    from samovar_forecast.frames.text_table import Reading

    return Reading(
        separator=arguments.separator,
        decimal=arguments.decimal,
        encoding=arguments.encoding,
        header=None if arguments.header is None else arguments.header == "yes",
        day_first=None if arguments.dates is None else arguments.dates == "day-first",
    )


def is_samovar(name: str) -> bool:
    """Return whether a row of a comparison is SAMoVAR, or a part of it."""
    return name.startswith("SAMoVAR")
