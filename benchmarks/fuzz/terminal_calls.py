"""The command line in this process: nasty files, and options that may not work."""

from __future__ import annotations

import contextlib
import gzip
import io
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.fuzz.artifacts import damaged
from benchmarks.fuzz.frames import nasty_frame
from benchmarks.fuzz.rule import BROKEN, WrongAnswer, check_finite, ending_of
from samovar_forecast.cli import BAD_INPUT, main

NUMBERS = ["1", "3", "0", "-1", "2.5", "x", "", "1e3", "99999999999999999999"]

OPTIONS: dict[str, list[str]] = {
    "--horizon": ["1", "3", *NUMBERS],
    "--origins": ["2", *NUMBERS],
    "--season": ["1", "12", *NUMBERS],
    "--seed": ["0", *NUMBERS],
    "--interval": ["80", "95%", "0", "100", "x", "nan", "-5"],
    "--time": ["time", "nowhere", "", "a"],
    "--id": ["shop", "nowhere", ""],
    "--leave-out": ["a", "nowhere", ""],
    "--separator": [",", ";", "tab", "xx", "", "a"],
    "--decimal": [".", ",", "x"],
    "--dates": ["day-first", "month-first", "x"],
    "--header": ["yes", "no", "x"],
    "--encoding": ["utf-8", "latin-1", "utf-16", "x", "rot13"],
    "--title": ["", "<script>", "a" * 1000],
    "--unit": ["EUR", "a=EUR", "nowhere=m", "=", ""],
    "--future": ["nowhere.csv", "", ".", "own"],
    "--input": ["nowhere.csv", "", ".", "own"],
    "--shard": ["1/2", "2/2", "3/2", "0/1", "x", ""],
    "--freq": ["D", "MS", "x", ""],
}
OF_COMPARE: dict[str, list[str]] = {
    "--stride": ["1", *NUMBERS],
    "--window": ["expanding", "sliding", "x"],
    "--refit": ["first", "every", "2", "x", "0"],
    "--jobs": ["1", "0", "x"],
    "--also": ["nobody", ""],
}
NOT_OF_COMPARE = ("--interval", "--future", "--input", "--shard", "--freq")
SWITCHES = ["--number-rows", "--nonsense"]
SWITCHES_OF_COMPARE = ["--refit-all"]
TABLES = [*["out.csv"] * 12, "out.json", "out.csv.gz", "out.x", "", ".", "deep/out.csv", "own"]
FIGURES = ["a.png", "a.x", ".", "own"]
PAGES = ["a.html", "."]
FILES = {
    "forecast": {"--output": TABLES, "--plot": FIGURES, "--report": PAGES},
    "compare": {"--forecasts": TABLES, "--resume": ["origins", "own"], "--report": PAGES},
}
"""Options that name a file to write; "own" is the file of the user, and "." a folder."""


def content_of(draw: random.Random) -> bytes:
    """Return the bytes of a file: a table as people write it, damaged, packed, or no table."""
    kind = draw.choice(
        ["table"] * 6 + ["nasty", "long", "damaged", "noise", "empty", "words", "gz"]
    )
    n_time = draw.choice([30, 30, 12, 2, 1, 0])
    rng = np.random.default_rng(draw.randrange(2**32))
    y = pd.DataFrame(rng.normal(size=(n_time, 2)).cumsum(axis=0), columns=["a", "b"])
    dates = pd.date_range("2020-01-01", periods=n_time, freq=draw.choice(["D", "MS", "h"]))
    y.index = draw.choice([pd.RangeIndex(n_time), dates.strftime("%Y-%m-%d %H:%M"), dates[::-1]])
    if kind == "nasty":
        y = nasty_frame(draw)
    if kind == "long":
        y = pd.concat({"one": y, "two": y}, names=["shop", "time"]).reset_index()
        return y.to_csv(index=False).encode()
    cells = draw.choice(["", "NA", "?", "=1+1", "1e400", "1,5", "<b>", "\u221e", "1_000"])
    if len(y) > 3 and draw.random() < 0.3 and kind != "nasty":
        y = y.astype(object)
        y.iloc[2, 0] = cells
    text = y.to_csv(
        sep=draw.choice([",", ",", ";", "\t", "|"]),
        index_label=draw.choice(["time", "", "t,t"]),
        lineterminator=draw.choice(["\n", "\r\n"]),
    )
    whole = text.encode(draw.choice(["utf-8", "utf-8-sig", "utf-16", "utf-8"]))
    return {
        "damaged": lambda: damaged(whole, draw) if whole else b"",
        "noise": lambda: draw.randbytes(draw.choice([1, 500])),
        "empty": lambda: draw.choice([b"", b"\n", b"\xef\xbb\xbf", b"PAR1", b"\0" * 40]),
        "words": lambda: b"dear all,\nplease find below\nthe figures\n",
        "gz": lambda: gzip.compress(whole, mtime=0)[: draw.choice([20, 10**9])],
    }.get(kind, lambda: whole)()


def words_of(draw: random.Random, file: Path, folder: Path) -> list[str]:
    """Return the arguments of the command."""
    command = draw.choice(["forecast", "forecast", "compare"])
    choices = dict(OPTIONS)
    if command == "compare":
        choices = {**choices, **OF_COMPARE}
        choices = {name: values for name, values in choices.items() if name not in NOT_OF_COMPARE}
    words = [command, str(file), "--horizon", "2", "--origins", draw.choice(["0", "1", "2"])]
    if command == "compare":
        words += ["--without-samovar", "--quiet"]
    for name, values in choices.items():
        if draw.random() < 0.05:
            value = draw.choice(values)
            words += [name, str(file) if value == "own" else value]
    switches = SWITCHES if command == "forecast" else SWITCHES + SWITCHES_OF_COMPARE
    words += [switch for switch in switches if draw.random() < 0.03]
    for name, files in FILES[command].items():
        if draw.random() < (0.5 if files is TABLES else 0.03):
            chosen = draw.choice(files)
            place = str(file) if chosen == "own" else str(folder / chosen) if chosen else ""
            words += [name, place]
    return draw.choice([*[words] * 20, words[:1], [], words[1:], ["--version"], ["--help"]])


def terminal_case(folder: Path) -> Callable[[int], str]:
    """Return how a command ends: done with finite numbers, or refused by a sentence."""

    def run(seed: int) -> str:
        draw = random.Random(seed)
        content, file = (
            content_of(draw),
            folder / draw.choice(["own.csv", "own.csv", "own", "own.gz"]),
        )
        file.write_bytes(content)
        words = words_of(draw, file, folder)
        table, told, complaints = folder / "out.csv", io.StringIO(), io.StringIO()
        if table.is_dir():  # of a shard
            shutil.rmtree(table)
        table.unlink(missing_ok=True)
        codes: list[object] = []

        def call() -> None:
            with contextlib.redirect_stdout(told), contextlib.redirect_stderr(complaints):
                try:
                    codes.append(main(words))
                except SystemExit as left:  # of argparse
                    codes.append(left.code)

        ending = ending_of(call, words)
        if ending == "finite":
            ending = _judged(codes[0], told.getvalue(), complaints.getvalue(), table)
        if file.read_bytes() != content:
            ending = f"{BROKEN}: the file of the user changed"
        return ending if not ending.startswith(BROKEN) else f"{ending} by {words}"

    return run


def _judged(code: object, told: str, complaints: str, table: Path) -> str:
    """Return how a command ended, by its exit code, its words and its table."""
    if code == BAD_INPUT:
        is_sentence = complaints.strip() and "Traceback" not in complaints
        return "refused: exit code 2" if is_sentence else f"{BROKEN}: nothing is said"
    if code not in (0, None):
        return f"{BROKEN}: exit code {code}"
    if not told.strip():
        return f"{BROKEN}: nothing is told"
    if table.is_file():
        numbers = pd.read_csv(table).select_dtypes("number")
        try:
            check_finite(numbers, "the table")
        except WrongAnswer as wrong:
            return f"{BROKEN}: {wrong}"
    return "finite"
