"""`samovar-forecast`: the main job from a terminal."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Sequence

from samovar_forecast import __version__
from samovar_forecast.cli.compare import add_compare
from samovar_forecast.cli.demo import add_demo
from samovar_forecast.cli.forecast import add_forecast
from samovar_forecast.cli.parser import Parser
from samovar_forecast.cli.terminal import complain
from samovar_forecast.exceptions import SAMoVARError

BAD_INPUT = 2
INTERRUPTED = 130
EPILOG = """examples:
  samovar-forecast forecast sales.csv --horizon 12 --plot next.png
  samovar-forecast compare sales.csv --horizon 12 --report report.html
  samovar-forecast demo

exit codes: 0 done, 2 a wrong option, file or missing package (a sentence on standard error says
which), 130 interrupted, 1 a fault of the program (with its traceback).
"""


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
        complain(str(error))
        return BAD_INPUT
    except OSError as error:
        complain(f"{error.filename or 'a file'}: {error.strerror or error}")
        return BAD_INPUT
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="samovar-forecast",
        description="Forecast several time series at once with SAMoVAR, beside classical models.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    version = f"samovar-forecast {__version__}, Python {platform.python_version()}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(required=True, metavar="command")
    add_forecast(commands)
    add_demo(commands)
    add_compare(commands)
    return parser
