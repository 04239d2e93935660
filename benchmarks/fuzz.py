"""``python -m benchmarks.fuzz --n 2000 --artefacts 2000``: nasty frames, and damaged artifacts.

A case is drawn from its seed, so any case can be run again: ``--first SEED --n 1``. The rule of a
frame: the forecast is finite on the right index, or an error of ours or the host's says what is
wrong; the user's frame, the random states, the warning filters and torch's defaults are as before.
The rule of an artifact: the forecaster of before bit for bit, or ``ArtifactError``.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.command import Benchmark
from benchmarks.harness import one_thread
from benchmarks.pages import markdown_table
from benchmarks.records import Records, provenance
from samovar_forecast import SAMoVARForecaster
from samovar_forecast.exceptions import ArtifactError, SAMoVARError

SIZES = (1.0, 1e-300, 1e-12, 1e9, 1e140, 1e160, 1e307)
BROKEN = "broken"


def nasty_frame(draw: random.Random) -> pd.DataFrame:
    """Return a frame with some of the things that frames of users hold."""
    n_time, n_series = draw.choice([1, 2, 3, 7, 20, 45, 45, 45]), draw.choice([1, 1, 2, 3])
    rng = np.random.default_rng(draw.randrange(2**32))
    kind = draw.choice(["walk", "noise", "constant", "counts", "jump", "zeros"])
    noise = rng.normal(size=(n_time, n_series))
    values = {
        "walk": noise.cumsum(axis=0),
        "noise": noise,
        "constant": np.full_like(noise, 3.7),
        "counts": np.floor(np.abs(3 * noise)),
        "jump": noise + 1e6 * (np.arange(n_time)[:, None] > n_time / 2),
        "zeros": np.zeros_like(noise),
    }[kind] * draw.choice(SIZES if draw.random() < 0.3 else SIZES[:1])
    if draw.random() < 0.25:
        values[rng.random(values.shape) < draw.choice([0.05, 0.05, 0.5, 1.0])] = np.nan
    if draw.random() < 0.05:
        values.flat[draw.randrange(values.size)] = draw.choice([np.inf, -np.inf])
    index: pd.Index = draw.choice(
        [
            lambda: pd.RangeIndex(n_time),
            lambda: pd.RangeIndex(5, 5 + n_time),
            lambda: pd.date_range("2024-03-20", periods=n_time, freq="h", tz="Europe/Paris"),
            lambda: pd.date_range("2024-01-31", periods=n_time, freq="ME"),
            lambda: pd.period_range("2020Q1", periods=n_time, freq="Q"),
            lambda: pd.timedelta_range("0h", periods=n_time, freq="15min"),
            *[lambda: pd.RangeIndex(n_time)] * 6,
            lambda: pd.DatetimeIndex(sorted(rng.integers(0, 2**60, n_time))),
            lambda: pd.Index(rng.permutation(n_time)),
        ]
    )()
    usual = [list("abc"), [0, 1, 2], ["=1", "", "<b>"]]
    names = draw.choice([*usual, *usual, [True, False, "x"], ["a", "a", "b"], ["x", 1, None]])
    frame = pd.DataFrame(values, index, names[:n_series])
    if draw.random() < 0.1:
        frame = frame.astype(draw.choice(["float32", "object", "Float64"]))
    return frame


def nasty_arguments(draw: random.Random) -> dict[str, Any]:
    """Return arguments of the constructor, most of them left out."""
    choices: dict[str, list[Any]] = {
        "linear": [True, False, None, "no", np.True_],
        "n_layers": [1, 0, 10**12, 2.5],
        "batch_size": [16, np.int64(8), "x"],
        "validation_fraction": [0.0, 0.2, 1.0, "x", np.float32(0.3)],
        "quantiles": [None, (0.1, 0.9), [], [0.9, 0.1], "x"],
        "past_covariates": [None, [], "x", 5],
        "checkpoint": [None, None, 5, "nowhere.zip"],
        "random_state": [0, None, np.int64(3), "x"],
    }
    chosen = [name for name in choices if draw.random() < 0.06]
    return {
        "pretrained": draw.random() < 0.2,
        **{name: draw.choice(choices[name]) for name in chosen},
    }


def surroundings() -> dict[str, Any]:
    """Return the state of the process that no call may change, by name."""
    return {
        "the state of random": random.getstate(),
        "the state of numpy": np.random.get_state()[1].tolist(),  # noqa: NPY002 - it is looked at
        "the state of torch": torch.random.get_rng_state().tolist(),
        "the warning filters": list(warnings.filters),
        "the default type": torch.get_default_dtype(),
        "the gradient switch": torch.is_grad_enabled(),
    }


def run_frame(seed: int) -> str:
    """Return how a case ends: finite, refused by an error of a name, or broken."""
    draw = random.Random(seed)
    y, arguments = nasty_frame(draw), nasty_arguments(draw)
    steps, alpha = draw.choice([[1], [1, 2, 3], [7]]), draw.choice([[0.1, 0.9], [0.5]])
    if draw.random() < 0.2:
        steps = draw.choice([[-1, 1], [], [0], [10**9], "x", [1.5]])
    if draw.random() < 0.1:
        alpha = draw.choice([[], [2.0], "x"])
    before, around = y.copy(deep=True), surroundings()
    try:
        forecaster = SAMoVARForecaster(**arguments).fit(y, fh=steps)
        point = forecaster.predict()
        levels = forecaster.predict_quantiles(alpha=alpha)
        ending = "finite"
        if not (
            np.isfinite(point.to_numpy(float)).all() and np.isfinite(levels.to_numpy(float)).all()
        ):
            ending = f"{BROKEN}: not finite"
        elif len(point) != len(forecaster.fh) or not point.index.equals(levels.index):
            ending = f"{BROKEN}: index"
    except SAMoVARError as error:
        ending = f"refused: {type(error).__name__}"
    except (TypeError, ValueError, NotImplementedError) as error:
        module = "" if error.__traceback__ is None else _raised_in(error)
        is_ours = "/samovar_forecast/" in module
        ending = f"{BROKEN}: {type(error).__name__}: {error}" if is_ours else "refused: by the host"
    except Exception as error:  # noqa: BLE001 - what the search is for
        ending = f"{BROKEN}: {type(error).__name__}: {error}"
    changed = [name for name, state in surroundings().items() if state != around[name]]
    if not y.equals(before):
        changed.append("the frame")
    if changed:
        ending = f"{BROKEN}: {', '.join(changed)} changed"
    return ending


def _raised_in(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else trace.tb_frame.f_code.co_filename


def damaged(whole: bytes, draw: random.Random) -> bytes:
    """Return a file with bits flipped, cut, lengthened, or parts of it swapped."""
    content = bytearray(whole)
    kind = draw.choice(["flip", "flip", "cut", "more", "swap", "zero"])
    at, other = sorted(draw.randrange(len(content)) for _ in range(2))
    if kind == "flip":
        for _ in range(draw.choice([1, 1, 8])):
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    elif kind == "cut":
        del content[at : other if draw.random() < 0.5 else len(content)]
    elif kind == "more":
        content[at:at] = draw.randbytes(draw.choice([1, 100]))
    elif kind == "swap":
        size = draw.choice([1, 50])
        content[at : at + size], content[other : other + size] = (
            content[other : other + size],
            content[at : at + size],
        )
    else:
        content[at : at + 64] = bytes(len(content[at : at + 64]))
    return bytes(content)


def artifact_case(folder: Path) -> Callable[[int], str]:
    """Return how a damaged artifact ends: as before, refused, or broken."""
    y = pd.DataFrame(
        np.random.default_rng(0).normal(size=(30, 2)).cumsum(axis=0), columns=["a", "b"]
    )
    forecaster = SAMoVARForecaster(pretrained=False).fit(y, fh=[1, 2])
    forecaster.save_artifact(folder / "whole.zip")
    whole, expected = (folder / "whole.zip").read_bytes(), forecaster.predict()

    def run(seed: int) -> str:
        (folder / "damaged.zip").write_bytes(damaged(whole, random.Random(seed)))
        try:
            found = SAMoVARForecaster.load_artifact(folder / "damaged.zip").predict()
        except ArtifactError:
            return "refused: ArtifactError"
        except Exception as error:  # noqa: BLE001 - what the search is for
            return f"{BROKEN}: {type(error).__name__}: {error}"
        return "as before" if found.equals(expected) else f"{BROKEN}: another forecast"

    return run


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Run the cases and keep how they ended, with the seeds of those that broke the rule."""
    with one_thread(), tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run_frame(0)  # imports what is imported late
        for name, n_cases, run in (
            ("frames", asked.n, run_frame),
            ("artifacts", asked.artefacts, artifact_case(Path(folder))),
        ):
            began, endings, seeds = time.process_time(), Counter[str](), []
            for seed in range(asked.first, asked.first + n_cases):
                ending = run(seed)
                if "the warning filters" in ending:  # sktime adds some once, by a late import
                    ending = run(seed)
                endings[ending.partition(": ")[0] if BROKEN in ending else ending] += 1
                if ending.startswith(BROKEN):
                    seeds.append(seed)
                    print(f"{name}, seed {seed}: {ending}", flush=True)
            if n_cases:
                spent = time.process_time() - began
                counts = dict(sorted(endings.items()))
                entry = {"first": asked.first, "cases": n_cases, "endings": counts, "broken": seeds}
                records.keep(name, {**provenance(), **entry, "seconds": round(spent, 1)})


def sections(records: Records) -> dict[str, str]:
    """Return the table of endings."""
    rows = [
        [
            name,
            f"{entry['cases']:,}",
            ", ".join(f"{ending} {count:,}" for ending, count in entry["endings"].items()),
            str(entry["endings"].get(BROKEN, 0)),
            entry["commit"],
        ]
        for name, entry in records.entries.items()
    ]
    header = ["cases", "number", "endings", "against the rule", "commit"]
    return {"fuzz": markdown_table(header, rows)}


def options(parser: argparse.ArgumentParser) -> None:
    """Add the numbers of cases."""
    parser.add_argument("--n", type=int, default=2000, help="frames")
    parser.add_argument("--artefacts", type=int, default=2000, help="damaged artifacts")
    parser.add_argument("--first", type=int, default=0, help="seed of the first case")


BENCHMARK = Benchmark("fuzz", __doc__, measure, sections, options)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
