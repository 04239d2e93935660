"""One command line for every benchmark: measure, store, and write the sections of the pages."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.pages import write_sections
from benchmarks.pictures import Picture, write_pictures
from benchmarks.records import RESULTS, BenchmarkError, Records

DATA_VARIABLE = "SAMOVAR_BENCHMARK_DATA"

Measure = Callable[[Records, argparse.Namespace], Any]


@dataclass(frozen=True)
class Benchmark:
    """A benchmark: its command, its file of records, its sections on the pages.

    Attributes
    ----------
    name : str
        Of the module, and of the file of records.
    about : str
        Docstring of the module; the command's help shows it.
    measure : callable
        Measures what the command line asks for and the records lack.
    sections : callable
        Markdown by marker, made of the records.
    options : callable
        Adds the options of this benchmark to a parser.
    pictures : callable
        Pictures by name, made of the records; a section shows them.
    """

    name: str
    about: str
    measure: Measure
    sections: Callable[[Records], dict[str, str]]
    options: Callable[[argparse.ArgumentParser], Any] = lambda parser: None
    pictures: Callable[[Records], dict[str, Picture]] = lambda records: {}

    @property
    def path(self) -> Path:
        """The file of the records."""
        return RESULTS / f"{self.name}.json"

    def stored_sections(self) -> dict[str, str]:
        """Return the sections of the records that are kept with the code."""
        return self.sections(Records(self.path))

    def stored_pictures(self) -> dict[str, Picture]:
        """Return the pictures of the records that are kept with the code."""
        return self.pictures(Records(self.path))

    def write_pages(self) -> None:
        """Write the sections and the pictures of the records that are kept with the code."""
        write_sections(self.stored_sections())
        write_pictures(self.stored_pictures())

    def main(self, arguments: list[str] | None = None) -> int:
        """Measure what is asked for; print the sections, and write them into the pages.

        The pages are left alone where the records are kept elsewhere.
        """
        program = f"python -m benchmarks.{self.name}"
        parser = argparse.ArgumentParser(prog=program, description=self.about.splitlines()[0])
        parser.add_argument(
            "--results",
            type=Path,
            default=self.path,
            help="file of the records (default: %(default)s)",
        )
        self.options(parser)
        asked = parser.parse_args(arguments)
        records = Records(asked.results.absolute())
        try:
            self.measure(records, asked)
        except BenchmarkError as error:
            parser.exit(1, f"{self.name}: {error}\n")
        if not records.entries:
            return 0
        print("\n\n".join(self.sections(records).values()))
        if asked.results == self.path:
            self.write_pages()
        return 0


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """Give a parser the option `--data`; a variable of the environment is its default."""
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get(DATA_VARIABLE),
        help=f"folder of the real series; by default the variable {DATA_VARIABLE}",
    )


def folder_of_series(data: Path | None) -> Path:
    """Return the folder that `--data` names.

    Raises
    ------
    BenchmarkError
        If there is none.
    """
    if data is None or not data.is_dir():
        raise BenchmarkError(
            f"no data: give --data FOLDER, which holds core/ and extra/, or set {DATA_VARIABLE}; "
            f"found {data}"
        )
    return data


def settled_at(commit: str) -> Measure:
    """Return the measurement of a settled question: none, for its code is in the history."""

    def measure(records: Records, asked: argparse.Namespace) -> None:
        raise BenchmarkError(f"this question is settled; `git checkout {commit}` measures it again")

    return measure
