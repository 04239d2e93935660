"""The parser of the commands: what is mistyped gets a sentence, with the name that was meant."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from samovar_forecast.cli.terminal import complain

NEEDS_HORIZON = (
    "--horizon is missing: how many steps ahead to forecast, for example --horizon 12 for a year "
    "of months"
)
CHOICE = re.compile(r"argument (.+?): invalid choice: '(.*)' \(choose from (.*)\)")
"""How argparse refuses a choice."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are a short usage and a sentence.

    Attributes
    ----------
    needed : dict of str to str
        For an option that must be given, the sentence where the option is missing. A mistyped
        option is told first.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.needed: dict[str, str] = {}

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Return what was given; anything unknown is an error of this command."""
        found, extras = super().parse_known_args(args, namespace)
        if extras:
            options = [word.partition("=")[0] for word in extras if word.startswith("-")]
            word = (options or extras)[0]
            self.error(f"unrecognized argument {word}{_meant(word, self._option_string_actions)}")
        for option, sentence in self.needed.items():
            if getattr(found, option) is None:
                self.error(sentence)
        return found, extras

    def error(self, message: str) -> NoReturn:
        """Print the usage and the sentence, and exit with code 2."""
        refused = CHOICE.fullmatch(message)
        if refused is not None:
            name, given, choices = refused.groups()
            meant = _meant(given, re.findall(r"[\w-]+", choices))
            message = f"{name}; found: {given}; wanted: one of {choices}{meant}"
        self.print_usage(sys.stderr)
        complain(re.sub(r"^argument ([^:]+): ", r"\1; ", message))
        self.exit(2)


def whole(least: int) -> Callable[[str], int]:
    """Return the type of an option that is an integer."""

    def read(text: str) -> int:
        try:
            return int(text)
        except ValueError:
            wanted = f"found: {text}; wanted: an integer of at least {least}"
            raise argparse.ArgumentTypeError(wanted) from None

    return read


def _meant(word: str, known: Any) -> str:
    """Return the question after the name that was meant, empty if no name is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
