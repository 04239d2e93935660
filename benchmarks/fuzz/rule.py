"""The rule of a case: a good answer, or an error of ours or of the host; all else is as before."""

from __future__ import annotations

import contextlib
import random
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pandas as pd
import torch

import samovar_forecast
from samovar_forecast.exceptions import SAMoVARError

BROKEN = "broken"
OURS = str(Path(samovar_forecast.__file__).parent)
HOSTS = ("sktime", "skpro", "skbase", "darts", "pytorch_lightning")
ERRORS_THAT_TELL = (TypeError, ValueError, NotImplementedError, AssertionError)
"""By which a host says what it cannot use; any other of its errors is a fault that went through."""
FILTERS_OF_DARTS = ("many workers", "infer the `batch_size`", "have no `val_dataloader`")
"""Warnings of Lightning that a constructor of darts hides for good, without ``show_warnings``."""
SECONDS_OF_A_CASE = 60.0
"""CPU seconds after which a case is given up."""


class WrongAnswer(Exception):
    """An answer that was given, and is against the rule."""


class TookTooLong(BaseException):
    """A case that did not end in its time; no error that a model's failure could be."""


def ending_of(call: Callable[[], Any], *watched: Any, may_change: Sequence[str] = ()) -> str:
    """Return how a call ends.

    Parameters
    ----------
    call : callable
        Raises `WrongAnswer` where an answer is against the rule.
    *watched
        Frames, series and arguments of the user, which the call may not change.
    may_change : sequence of str
        Names of `surroundings` that a host changes in such a call, as it promises.

    Returns
    -------
    str
        ``"finite"``; ``"refused: "`` with the class of our error, or ``"refused: by the host"``;
        else ``"broken: "`` with what happened.
    """
    before, around = [picture(thing) for thing in watched], surroundings()
    try:
        with limited(SECONDS_OF_A_CASE):
            call()
        ending = "finite"
    except WrongAnswer as wrong:
        ending = f"{BROKEN}: {wrong}"
    except SAMoVARError as error:
        ending = f"refused: {type(error).__name__}"
    except (Exception, TookTooLong) as error:  # noqa: BLE001 - what the search is for
        is_told = isinstance(error, ERRORS_THAT_TELL) and str(error).strip()
        is_refused = is_told and raised_by_the_host(error)
        name = type(error).__name__
        ending = "refused: by the host" if is_refused else f"{BROKEN}: {name}: {error}"
    changed = [
        name
        for name, state in surroundings().items()
        if state != around[name] and name not in may_change
    ]
    changed += [
        f"the {type(thing).__name__} of the user"
        for thing, of_thing in zip(watched, before, strict=True)
        if picture(thing) != of_thing
    ]
    return f"{BROKEN}: {', '.join(changed)} changed" if changed else ending


def raised_by_the_host(error: BaseException) -> bool:
    """Return whether the innermost code of ours or of a host on the way to an error is a host's.

    An error of numpy, pandas or torch is the error of who called them.
    """
    is_hosts, trace = False, error.__traceback__
    while trace is not None:
        place = trace.tb_frame.f_code.co_filename
        if place.startswith(OURS):
            is_hosts = False
        elif any(f"/site-packages/{host}/" in place for host in HOSTS):
            is_hosts = True
        trace = trace.tb_next
    return is_hosts


def picture(thing: Any) -> Any:
    """Return what tells whether a thing was changed: values, index and names, or its words."""
    if isinstance(thing, (pd.DataFrame, pd.Series)):
        frame = thing.to_frame() if isinstance(thing, pd.Series) else thing
        axes = [(repr(axis), repr(axis.tolist())) for axis in (frame.index, frame.columns)]
        return (axes, list(frame.dtypes), repr(frame.to_numpy(object).tolist()))
    if hasattr(thing, "all_values"):  # a series of darts
        return (thing.all_values().tobytes(), repr(thing.time_index), list(thing.components))
    return repr(thing)


def surroundings() -> dict[str, Any]:
    """Return the state of the process that no call may change, by name."""
    return {
        "the state of random": random.getstate(),
        "the state of numpy": np.random.get_state()[1].tolist(),  # noqa: NPY002 - it is looked at
        "the state of torch": torch.random.get_rng_state().numpy().tobytes(),
        "the warning filters": [line for line in warnings.filters if not is_of_darts(line)],
        "the default type": torch.get_default_dtype(),
        "the default device": torch.get_default_device(),
        "the gradient switch": torch.is_grad_enabled(),
        "the number of threads": torch.get_num_threads(),
        "the errors of numpy": np.geterr(),
        "the handler of Ctrl-C": signal.getsignal(signal.SIGINT),
        "the folder": Path.cwd(),
    }


def is_of_darts(line: tuple[Any, ...]) -> bool:
    """Return whether a warning filter is one that a constructor of darts sets."""
    pattern = getattr(line[1], "pattern", "")
    return any(words in pattern for words in FILTERS_OF_DARTS)


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `TookTooLong` in the block after so many seconds of CPU; in the main thread alone."""

    def give_up(signum: int, frame: FrameType | None) -> None:
        raise TookTooLong(f"after {seconds:g} seconds of CPU")

    before = signal.signal(signal.SIGPROF, give_up)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def check_finite(frame: pd.DataFrame | np.ndarray, what: str) -> None:
    """Raise `WrongAnswer` if a number is not finite, or there is none."""
    values = frame.to_numpy(float) if isinstance(frame, pd.DataFrame) else np.asarray(frame, float)
    if not values.size:
        raise WrongAnswer(f"{what} is empty")
    if not np.isfinite(values).all():
        raise WrongAnswer(f"{what} is not finite")
