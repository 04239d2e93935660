"""The options that commands share, and the reading of the user's file by them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from samovar_forecast.frames.sources import Dataset, read_csv


def add_common(add: Callable[..., Any], origins: int) -> None:
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


def own_data(arguments: argparse.Namespace) -> Dataset:
    """Return the series of the user's file."""
    return read_csv(
        arguments.data,
        time=arguments.time,
        leave_out=arguments.leave_out,
        number_rows=arguments.number_rows,
    )


def is_samovar(name: str) -> bool:
    """Return whether a row of a comparison is SAMoVAR, or a part of it."""
    return name.startswith("SAMoVAR")
