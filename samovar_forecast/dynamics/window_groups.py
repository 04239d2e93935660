"""Which windows of histories are read from one pass over a longer window, and which together.

The network reads a window patch by patch, and knows at each position the rows up to there alone.
So a window that is the beginning of a longer window, and ends with one of its patches, is
read on the way. Longer windows with equally many patches of one length are read in one batch.

Letters: B windows, L rows of a window, K channels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from samovar_forecast.network.zero_shot_config import ZeroShotConfig


class Batch(NamedTuple):
    """Windows that are read together."""

    longest: list[int]
    """Windows that are read from their beginning to their end."""
    windows: np.ndarray
    """Windows that are the beginnings of these, the longest themselves among them; by length."""
    of: np.ndarray
    """For each of ``windows``, the place in ``longest`` of the window that holds it."""
    positions: np.ndarray
    """For each of ``windows``, the patch of the longest window with which it ends."""


def shared_windows(
    values: np.ndarray, lengths: np.ndarray, config: ZeroShotConfig
) -> list[list[int]]:
    """Return groups of windows that are the beginnings of the last of their group.

    A window of a group ends with a patch of the longest window, and its patches have the same
    length. Windows of several histories make groups of their own; of windows that are the same, one
    alone is in a group.

    Parameters
    ----------
    values : array of shape (B, L, K)
        Windows that begin with missing rows where they are shorter.
    lengths : int array of shape (B,)
        Rows of each.
    config : ZeroShotConfig
    """
    alike: dict[tuple[int, int], list[int]] = {}
    for number in np.lexsort((-np.arange(len(lengths)), lengths)).tolist():
        patch_length = config.patch_length_of(int(lengths[number]))
        alike.setdefault((patch_length, int(lengths[number]) % patch_length), []).append(number)
    groups: list[list[int]] = []
    for members in alike.values():
        by_start: dict[bytes, list[dict[int, int]]] = {}
        n_start = int(lengths[members[0]])
        for number in reversed(members):
            rows = values[number, values.shape[1] - int(lengths[number]) :]
            histories = by_start.setdefault(rows[:n_start].tobytes(), [])
            for together in histories:
                longest = values[next(iter(together.values()))]
                own = longest[len(longest) - max(together) :][: len(rows)]
                is_new = len(rows) > 0 and len(rows) not in together
                if is_new and np.array_equal(own, rows, equal_nan=True):
                    together[len(rows)] = number
                    break
            else:
                histories.append({len(rows): number})
        found = (together for histories in by_start.values() for together in histories)
        groups += [[together[length] for length in sorted(together)] for together in found]
    return sorted(groups)


def batches(
    groups: Sequence[Sequence[int]], lengths: np.ndarray, config: ZeroShotConfig, n_patches: int
) -> Iterator[Batch]:
    """Yield groups of windows in batches.

    Parameters
    ----------
    groups : sequence of sequences of int
        From :func:`shared_windows`.
    lengths : int array of shape (B,)
    config : ZeroShotConfig
    n_patches : int
        Patches that a batch has together at most, unless a single window has more.
    """
    by_shape: dict[tuple[int, int], list[Sequence[int]]] = {}
    for group in sorted(groups, key=lambda group: int(lengths[group[-1]])):
        length = int(lengths[group[-1]])
        patch_length = config.patch_length_of(length)
        by_shape.setdefault((patch_length, max(1, -(-length // patch_length))), []).append(group)
    for (patch_length, n_own), alike in by_shape.items():
        size = max(1, n_patches // n_own)
        for start in range(0, len(alike), size):
            some = alike[start : start + size]
            windows = np.concatenate([np.array(group) for group in some])
            of = np.repeat(np.arange(len(some)), [len(group) for group in some])
            order = np.argsort(lengths[windows], kind="stable")
            windows, of = windows[order], of[order]
            positions = np.maximum(-(-lengths[windows] // patch_length), 1) - 1
            yield Batch([int(group[-1]) for group in some], windows, of, positions)
