"""A bar that says what a fit does after the training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytorch_lightning as pl
from tqdm.auto import tqdm

from samovar_forecast.process import is_worker


@contextmanager
def stages(trainer: pl.Trainer, n_stages: int) -> Iterator[Callable[[str], None]]:
    """Inside the block, show a bar if the trainer shows its own.

    Yields
    ------
    callable
        Called with the name of each stage, when the stage begins.
    """
    is_shown = trainer.progress_bar_callback is not None and trainer.is_global_zero
    is_shown = is_shown and not is_worker()
    with tqdm(total=n_stages, disable=not is_shown, leave=False, unit="stage") as bar:
        begun = 0

        def tell(name: str) -> None:
            nonlocal begun
            bar.set_description(name, refresh=False)
            bar.update(begun - bar.n)
            bar.refresh()
            begun += 1

        yield tell
