"""``python -m benchmarks.candidate_weights --weights FOLDER``: weights on development data.

A folder holds ``weights.safetensors`` and ``card.json``, as the training writes them. Asked are the
simulated validation set, the econometric sets a to l, every fourth series of the competitions, and
processes with known dynamics; no set that is for reports alone. The weights of the package are
chosen by this table.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd

from benchmarks.command import Benchmark, add_data_option, folder_of_series
from benchmarks.competitions import GROUPS
from benchmarks.contestants import CONTESTANTS
from benchmarks.econometric import DEFAULT, N_ORIGINS
from benchmarks.known_processes import DRAWS
from benchmarks.pages import markdown_table
from benchmarks.pretraining_study import competitions, panel, panel_of_network
from benchmarks.records import Entry, Records, provenance, stamp
from benchmarks.zero_shot import DESIGNS, process, recovery
from benchmarks.zero_shot_network import ZeroShot
from samovar_forecast import SAMoVARForecaster, compare, load_pretrained
from samovar_forecast.learning import pretrained_member
from samovar_forecast.network.pretrained import Pretrained
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.pretraining.validation import validate
from samovar_forecast.process import one_thread

VERSIONS = ("torch", "numpy", "statsmodels")
COLUMNS = (
    *("loss", "panel", "panel, default", "competitions", "competitions, default"),
    *("VAR(2)", "responses"),
)


@contextmanager
def in_place_of_the_package(network: ZeroShotNetwork) -> Iterator[None]:
    """Let the default forecast with other weights than those of the package."""
    with patch.object(pretrained_member, "_shipped_network", lambda: network):
        yield


def default_error(y: pd.DataFrame, about: Entry, horizon: int) -> float:
    """Return the mean squared error of the default on the origins of the econometric record."""
    y = y.set_axis([str(name) for name in y.columns], axis=1)
    ours = {DEFAULT: SAMoVARForecaster()}
    how = {"n_origins": N_ORIGINS, "refit": "every", "classical": False, "progress": False}
    return float(compare(y, horizon, ours, **how).scores().loc[DEFAULT, "MSE"])


def judge_weights(pretrained: Pretrained, folder: Path) -> dict[str, Any]:
    """Return what the development data say, by column of the table.

    Returns
    -------
    dict
        Besides the numbers of the training: ``VAR(2)``, squared error over that of least squares
        with the true order, 400 rows; ``responses``, root mean square error of the responses to
        a shock, mean over nine designs and three steps.
    """
    network, card = pretrained.network, pretrained.card
    known = process(network, DRAWS["VAR(2)"])
    found = {
        "loss": validate(network.with_prior(0.0))["loss"],
        "panel": panel_of_network(network, folder),
        "competitions": competitions(ZeroShot(network), GROUPS, folder),
        "VAR(2)": known["network"] / known["least squares"],
        "responses": np.mean([recovery(network, design)["pretrained"] for design in DESIGNS]),
    }
    with in_place_of_the_package(network):
        found["panel, default"] = panel(default_error, folder)
        found["competitions, default"] = competitions(CONTESTANTS["SAMoVAR"](), GROUPS, folder)
    return {
        **{"steps": card["steps"], "CPU minutes": card["cpu_minutes"]},
        **{name: round(float(found[name]), 4) for name in COLUMNS},
    }


# --- the section ----------------------------------------------------------------------------------


def sections(records: Records) -> dict[str, str]:
    """Return the table, by minutes of training."""
    found = sorted(records.entries.values(), key=lambda entry: entry["CPU minutes"])
    rows = [
        [f"{entry['CPU minutes']:.0f}", *(f"{entry[name]:.3f}" for name in COLUMNS)]
        for entry in found
    ]
    table = markdown_table(["CPU minutes", *COLUMNS], rows)
    spent = sum(entry["cpu seconds"] for entry in found)
    return {"candidate weights": f"{table}\n\n{stamp(found, spent)}"}


# --- the command ----------------------------------------------------------------------------------


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Judge the weights of each folder that is not stored yet."""
    data = folder_of_series(asked.data)
    with one_thread():
        for folder in asked.weights:
            pretrained = load_pretrained(folder)
            name = f"sha256 {pretrained.card['sha256']}"
            if name in records.entries and not asked.again:
                continue
            began = time.process_time()
            found = judge_weights(pretrained, data)
            spent = {"cpu seconds": round(time.process_time() - began, 1)}
            records.keep(name, {**provenance(VERSIONS), **found, **spent})
            print(name, found, flush=True)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this benchmark."""
    add_data_option(parser)
    parser.add_argument("--weights", nargs="*", type=Path, default=[None], metavar="FOLDER")
    parser.add_argument("--again", action="store_true", help="also what is in the records")


BENCHMARK = Benchmark("candidate_weights", __doc__, measure, sections, add_options)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
