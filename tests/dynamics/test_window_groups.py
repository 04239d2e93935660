"""Windows that are read from one pass over a longer window, and passes that are made together."""

from __future__ import annotations

import numpy as np

from samovar_forecast.dynamics.window_groups import batches, shared_windows
from samovar_forecast.network.zero_shot_config import ZeroShotConfig

CONFIG = ZeroShotConfig()


def beginnings(lengths: list[int], n_rows: int = 60) -> np.ndarray:
    """Return windows of the first rows of a history, at the end of missing rows."""
    history = np.random.default_rng(0).normal(size=(n_rows, 3))
    windows = np.full((len(lengths), n_rows, 3), np.nan)
    for window, length in zip(windows, lengths, strict=True):
        window[n_rows - length :] = history[:length]
    return windows


def test_windows_share_a_longer_one_only_as_its_beginning_in_whole_patches() -> None:
    lengths = [21, 32, 44, 60, 57, 44]
    windows = beginnings(lengths)
    windows[1, -3, 0] += 1.0  # of another history
    assert shared_windows(windows, np.array(lengths), CONFIG) == [[0, 4], [1], [2, 3], [5]]


def test_windows_of_several_histories_share_the_longest_of_their_own() -> None:
    lengths = [60, 44, 32]
    both = np.concatenate([beginnings(lengths), beginnings(lengths)])
    both[3:, -1] += 1.0  # ends that are not the beginning of a longer window
    twice = np.array(2 * lengths)
    assert shared_windows(both, twice, CONFIG) == [[2, 1, 0], [3], [4], [5]]
    others = beginnings(lengths)
    others[np.arange(3), 60 - twice[:3]] += 1.0  # the first row of another history
    both = np.concatenate([beginnings(lengths), others])
    assert shared_windows(both, twice, CONFIG) == [[2, 1, 0], [5, 4, 3]]


def test_a_batch_holds_windows_of_as_many_patches_and_says_where_each_ends() -> None:
    lengths = np.array([21, 44, 60, 57, 9])
    groups = shared_windows(beginnings(list(lengths)), lengths, CONFIG)
    assert groups == [[1, 2], [4, 0, 3]]
    (batch,) = batches(groups, lengths, CONFIG, 1000)
    assert sorted(batch.longest) == [2, 3]
    assert lengths[batch.windows].tolist() == [9, 21, 44, 57, 60]
    for window, of, position in zip(batch.windows, batch.of, batch.positions, strict=True):
        longest = lengths[batch.longest[of]]
        in_front = -longest % CONFIG.fine_patch_length
        assert lengths[window] == (position + 1) * CONFIG.fine_patch_length - in_front
    assert [len(batch.longest) for batch in batches(groups, lengths, CONFIG, 15)] == [1, 1]
    (fine, coarse) = batches([[0], [1]], np.array([160, 161]), CONFIG, 1000)
    assert (fine.positions[0], coarse.positions[0]) == (39, 20)
