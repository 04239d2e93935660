"""`samovar-forecast forecast --shard i/n`: a shard of a Parquet file into a folder."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from samovar_forecast.cli.terminal import say
from samovar_forecast.exceptions import ConfigurationError

if TYPE_CHECKING:
    from samovar_forecast.sharding.shard import Shard

WITHOUT_EFFECT = (
    *("plot", "report", "future", "season", "title", "time", "id", "leave_out", "number_rows"),
    *("separator", "decimal", "dates", "header", "encoding"),
)
"""Options of a forecast that a shard does not know."""


def shard_of(text: str) -> Shard:
    """Return the shard that is named ``i/n``."""
    from samovar_forecast.sharding.shard import Shard

    number, _, of = text.partition("/")
    try:
        return Shard(int(number), int(of))
    except ValueError:
        wanted = "give i/n with i from 1 to n, such as 1/4"
        raise argparse.ArgumentTypeError(f"{text!r}: {wanted}") from None


def run_shard(arguments: argparse.Namespace) -> None:
    """Forecast a shard, and say which parts there are.

    Raises
    ------
    ConfigurationError
        If no folder is named, or an option is given that a shard does not know.
    """
    for name in WITHOUT_EFFECT:
        if getattr(arguments, name):
            raise ConfigurationError(
                f"--{name.replace('_', '-')} has no effect on a shard", remedy="leave it out"
            )
    if arguments.output is None:
        raise ConfigurationError("a shard is written to a folder", remedy="name one by --output")
    if arguments.output.is_file():
        raise ConfigurationError(f"{arguments.output} is a file", wanted="a folder")
    from samovar_forecast.sharding.shard import forecast_shard

    def tell(name: str, n_series: int, is_new: bool) -> None:
        print(f"{name}: {n_series:,} series{'' if is_new else ', as before'}", flush=True)

    manifest = forecast_shard(
        arguments.data,
        arguments.output,
        arguments.horizon,
        arguments.shard,
        interval=arguments.interval,
        freq=arguments.freq,
        tell=tell,
    )
    n_series = sum(part["series"] for part in manifest["parts"].values())
    say(f"{arguments.output / arguments.shard.manifest}: {n_series:,} series, finished")
