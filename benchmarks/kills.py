"""``python -m benchmarks.kills``: processes killed at random moments, and what the next one finds.

The work is done in a forked child, which SIGKILL ends at a moment drawn from a seed; then the same
work is asked for again, and killed again, until a child ends by itself. The rule: the answer is, to
the bit, that of a child that nobody killed.

- `training`: a fit with ``checkpoint_dir``; the answer is weights, history and forecast.
- `comparing`: ``compare`` with ``resume``; the answer is the table of all forecasts and scores.
- `saving`: two forecasters are saved in turns to one place; the answer is what loads there. After a
  kill it has to be the one forecaster or the other.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import random
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.command import Benchmark
from benchmarks.pages import markdown_table
from benchmarks.records import BenchmarkError, Records, provenance
from benchmarks.soak import series
from samovar_forecast import SAMoVARForecaster
from samovar_forecast.comparison import GuardedVAR, RepeatSeason, compare
from samovar_forecast.learning.checkpoints import newest_checkpoint
from samovar_forecast.learning.training import CHECKPOINT_NAME
from samovar_forecast.process import one_thread

MOST_KILLS_OF_A_RUN = 3
EPOCHS = 20
SAVES = 5


class Work(NamedTuple):
    """What is killed.

    Attributes
    ----------
    run : callable
        Does the work in a folder, from what an earlier child left there, and returns the answer.
    n_kept : callable
        Counts what a killed child left in a folder: epochs, origins, artifacts.
    answer : str
        Of a child that nobody killed.
    seconds : float
        How long a child needs that nobody kills; the moments of the kills are drawn up to there.
    """

    run: Callable[[Path], str]
    n_kept: Callable[[Path], int]
    answer: str
    seconds: float


def digest(*parts: Any) -> str:
    """Return a word for the bits of frames, arrays and plain values."""
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, pd.DataFrame):
            part = part.to_csv(float_format="%.17g")
        found.update(part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode())
    return found.hexdigest()


def in_child(run: Callable[[], str], seconds: float | None = None) -> str | None:
    """Return what a function returns in a forked process; None if the process was killed first.

    Parameters
    ----------
    run : callable
    seconds : float, optional
        When the process is killed; by default never.

    Raises
    ------
    BenchmarkError
        If the function fails; with what it said.
    """
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)

    def work() -> None:
        try:
            theirs.send((True, run()))
        except Exception as error:  # noqa: BLE001 - told to the parent
            theirs.send((False, f"{type(error).__name__}: {error}"))

    child = context.Process(target=work)
    child.start()
    theirs.close()
    with ours:
        try:
            if not ours.poll(seconds):
                child.kill()
            is_done, answer = ours.recv()
        except EOFError:
            return None
        finally:
            child.join()
    if not is_done:
        raise BenchmarkError(f"a child failed: {answer}")
    return answer


# --- what is killed -------------------------------------------------------------------------------


def training() -> Work:
    """Return a training with checkpoints."""
    y = series()

    def run(folder: Path) -> str:
        forecaster = SAMoVARForecaster(
            linear=False,
            pretrained=False,
            train=True,
            max_epochs=EPOCHS,
            d_model=8,
            n_layers=1,
            random_state=0,
            checkpoint_dir=folder,
        ).fit(y, fh=[1, 2, 3])
        weights = [value.numpy() for value in forecaster.network_.state_dict().values()]
        return digest(forecaster.predict(), forecaster.history_, *weights)

    def n_epochs(folder: Path) -> int:
        found = newest_checkpoint(folder / f"{CHECKPOINT_NAME}.ckpt")
        return 0 if found is None else int(found[1]["epoch"]) + 1

    return _timed(run, n_epochs)


def comparing() -> Work:
    """Return a comparison with stored origins."""
    y = series()

    def run(folder: Path) -> str:
        models = {
            "linear": SAMoVARForecaster(pretrained=False),
            "VAR": GuardedVAR(),
            "naive": RepeatSeason(),
        }
        options: dict[str, Any] = {"classical": False, "n_origins": 6, "progress": False}
        found = compare(y, 3, models, resume=folder, **options)
        return digest(found.forecasts, found.quantiles, found.scores())

    return _timed(run, lambda folder: len(list(folder.glob("*.json"))))


def saving(form: str) -> Work:
    """Return the saving of two forecasters in turns to one place.

    Parameters
    ----------
    form : {"a.zip", "a"}
        The name of the artifact: a zip file or a folder.
    """
    both = [SAMoVARForecaster(pretrained=False).fit(series() * size, fh=[1, 2]) for size in (1, 2)]
    words = [digest(forecaster.predict()) for forecaster in both]

    def loaded(folder: Path) -> str:
        return digest(SAMoVARForecaster.load_artifact(folder / form).predict())

    def run(folder: Path) -> str:
        for _ in range(SAVES):
            for forecaster in both:
                forecaster.save_artifact(folder / form)
        return loaded(folder)

    def n_artifacts(folder: Path) -> int:
        """Count artifacts; what loads there has to be one of the two forecasters."""
        if not any(folder.glob("a.zip")) and not any(folder.glob("a/artifact.json")):
            return 0
        if loaded(folder) not in words:
            raise BenchmarkError(f"{form} holds neither of the forecasters")
        return 1

    return _timed(run, n_artifacts)


def _timed(run: Callable[[Path], str], n_kept: Callable[[Path], int]) -> Work:
    """Return work with the answer and the seconds of a child that nobody killed."""
    with tempfile.TemporaryDirectory() as name:
        expected = run(Path(name))  # here, so that no child imports what is imported late
    with tempfile.TemporaryDirectory() as name:
        began = time.perf_counter()
        answer = in_child(lambda: run(Path(name)))
        seconds = time.perf_counter() - began
    if answer != expected:
        raise BenchmarkError("two runs that nobody killed give other answers")
    return Work(run, n_kept, expected, seconds)


WORK: dict[str, Callable[[], Work]] = {
    "training": training,
    "comparing": comparing,
    "saving a zip file": lambda: saving("a.zip"),
    "saving a folder": lambda: saving("a"),
}


# --- the kills ------------------------------------------------------------------------------------


class Ended(NamedTuple):
    """How work ended that was killed on the way.

    Attributes
    ----------
    kept : list of int
        What lay in the folder after each kill.
    broken : str or None
        What was against the rule.
    """

    kept: list[int]
    broken: str | None


def killed_and_resumed(work: Work, n_kills: int, draw: random.Random) -> Ended:
    """Do work in an empty folder, killed up to so many times; then let it end by itself."""
    kept: list[int] = []
    answer = None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            while answer is None:
                seconds = draw.uniform(0, work.seconds) if len(kept) < n_kills else None
                answer = in_child(lambda: work.run(folder), seconds)
                if answer is None:
                    kept.append(-1)
                    kept[-1] = work.n_kept(folder)
        except Exception as error:  # noqa: BLE001 - what the search is for
            return Ended(kept, f"{type(error).__name__}: {error}")
    is_same = answer == work.answer
    return Ended(kept, None if is_same else f"another answer after {len(kept)} kills")


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Kill each work as often as asked for, and keep what was left and how the work ended.

    Raises
    ------
    BenchmarkError
        If a piece of work ends against the rule; its figures are kept.
    """
    found_broken = []
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in asked.work:
            began, work, draw = time.perf_counter(), WORK[name](), random.Random(asked.seed)
            ended: list[Ended] = []
            while (n_left := asked.n - sum(len(one.kept) for one in ended)) > 0:
                ended.append(killed_and_resumed(work, min(n_left, MOST_KILLS_OF_A_RUN), draw))
                if ended[-1].broken:
                    break
            broken = [one.broken for one in ended if one.broken]
            kept = [number for one in ended for number in one.kept]
            spent = round(time.perf_counter() - began, 1)
            entry = {"seed": asked.seed, "runs": len(ended), "kept": kept, "broken": broken}
            records.keep(name, {**provenance(), **entry, "seconds on the wall": spent})
            print(f"{name}: {len(kept)} kills, {broken or 'resumed bit for bit'}", flush=True)
            found_broken += [f"{name}: {what}" for what in broken]
    if found_broken:
        raise BenchmarkError("; ".join(found_broken))


def sections(records: Records) -> dict[str, str]:
    """Return the table of the kills."""
    rows = []
    for name, entry in records.entries.items():
        left = sorted(number for number in entry["kept"] if number)
        rows.append(
            [
                name,
                str(len(entry["kept"])),
                str(len(left)),
                f"{left[0]} to {left[-1]}" if left else "none",
                str(entry["runs"]),
                "; ".join(entry["broken"]) or "nothing",
                entry["commit"],
            ]
        )
    header = ["killed while", "kills", "something was there", "epochs, origins or artifacts"]
    header += ["ended by themselves", "against the rule", "commit"]
    return {"kills": markdown_table(header, rows)}


def options(parser: argparse.ArgumentParser) -> None:
    """Add what is killed, how often, and the seed of the moments."""
    parser.add_argument("--n", type=int, default=40, help="kills of each work")
    parser.add_argument("--work", nargs="+", choices=WORK, default=list(WORK))
    parser.add_argument("--seed", type=int, default=0)


BENCHMARK = Benchmark("kills", __doc__, measure, sections, options)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
