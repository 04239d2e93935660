"""Windows are gathered by index and split in time without a look ahead."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from samovar_forecast.exceptions import DataError
from samovar_forecast.learning.windows import SeriesTensors, WindowSet


def series(n_time: int, first: float = 0.0, **others: torch.Tensor) -> SeriesTensors:
    """Two series that count the time steps, so that every value tells where it comes from."""
    steps = torch.arange(n_time, dtype=torch.float64) + first
    return SeriesTensors(torch.stack([steps, 1000 + steps], dim=-1), **others)


def test_a_batch_holds_each_window_and_what_follows_it() -> None:
    windows = WindowSet.from_series([series(10)], context_length=4, patch_length=2)
    assert len(windows) == 5
    batch = windows.batch(torch.tensor([4, 0]))
    assert batch.target[..., 0].tolist() == [[4, 5, 6, 7], [0, 1, 2, 3]]
    assert batch.future[..., 1].tolist() == [[1008, 1009], [1004, 1005]]
    assert batch.past_covariates is batch.future_covariates is batch.static_covariates is None


def test_an_array_in_a_file_is_read_window_by_window_and_never_copied(tmp_path) -> None:
    values = np.memmap(tmp_path / "series.bin", np.float32, "w+", shape=(1000, 3))
    values[:] = np.arange(3000.0).reshape(1000, 3)
    values.flush()
    opened = np.memmap(tmp_path / "series.bin", np.float32, "c", shape=(1000, 3))
    windows = WindowSet.from_series([SeriesTensors(torch.from_numpy(opened))], 4, 2)
    train, validation = windows.split_in_time(0.2)
    for part in (windows, train, validation):
        assert part.table.data_ptr() == opened.ctypes.data
    batch = windows.batch(torch.tensor([900]))
    assert batch.target[0, 0].tolist() == [2700, 2701, 2702]
    assert batch.future[0, -1].tolist() == [2715, 2716, 2717]


def test_windows_never_cross_from_one_instance_into_the_next() -> None:
    windows = WindowSet.from_series([series(7), series(3), series(8, first=100)], 4, 2)
    assert len(windows) == 2 + 0 + 3
    whole = torch.cat(windows.batch(torch.arange(len(windows)))[::4], dim=1)[..., 0]
    assert torch.equal(whole.diff(dim=1), torch.ones(5, 5, dtype=torch.float64))
    assert windows.instance.tolist() == [0, 0, 2, 2, 2]


def test_covariates_come_with_their_windows() -> None:
    past = torch.arange(9.0)[:, None]
    future = torch.arange(9.0)[:, None] * 10
    static = torch.tensor([[7.0], [8.0]])
    one = SeriesTensors(torch.zeros(9, 2), past, future, static)
    batch = WindowSet.from_series([one], 4, 2).batch(torch.tensor([1]))
    assert batch.past_covariates[0, :, 0].tolist() == [1, 2, 3, 4]
    assert batch.future_covariates[0, :, 0].tolist() == [10, 20, 30, 40, 50, 60]
    assert torch.equal(batch.static_covariates[0], static)


def test_no_step_that_validation_forecasts_is_seen_in_training() -> None:
    sets = WindowSet.from_series([series(60), series(40, first=500)], 8, 3)
    train, validation = sets.split_in_time(0.25)
    assert validation is not None
    seen = torch.cat(train.batch(torch.arange(len(train)))[::4], dim=1)[..., 0].unique()
    judged = validation.batch(torch.arange(len(validation))).future[..., 0].unique()
    assert not set(seen.tolist()) & set(judged.tolist())
    assert judged.tolist() == [*range(45, 60), *range(530, 540)]


def test_an_instance_too_short_for_both_is_trained_on() -> None:
    train, validation = WindowSet.from_series([series(8)], 4, 3).split_in_time(0.25)
    assert len(train) == 2
    assert validation is None


def test_a_share_of_zero_reserves_nothing() -> None:
    windows = WindowSet.from_series([series(30)], 4, 3)
    train, validation = windows.split_in_time(0.0)
    assert len(train) == len(windows)
    assert validation is None


@pytest.mark.parametrize("fraction", [0.1, 0.5])
def test_the_split_of_many_instances_is_that_of_each_in_turn(fraction: float) -> None:
    lengths = torch.randint(4, 40, (60,), generator=torch.Generator().manual_seed(0)).tolist()
    many = [series(length, first=2000 * number) for number, length in enumerate(lengths)]
    train, validation = WindowSet.from_series(many, 6, 3).split_in_time(fraction)
    assert validation is not None
    starts: dict[str, list[int]] = {"train": [], "validation": []}
    first: list[int | None] = []
    row = 0
    for length in lengths:
        own = range(max(0, length - 8))
        border = length - max(3, round(fraction * length))
        training = [start for start in own if start + 9 <= border]
        judged = [start for start in own if start + 6 >= border] if training else []
        starts["train"] += [row + start for start in training or own]
        starts["validation"] += [row + start for start in judged]
        first.append(judged[0] + 6 if judged else None)
        row += length
    assert train.starts.tolist() == starts["train"]
    assert validation.starts.tolist() == starts["validation"]
    assert validation.first_forecast_rows() == first


def test_too_few_observations_say_how_many_are_needed() -> None:
    with pytest.raises(DataError, match=r"found:? 5.*wanted:? at least 6"):
        WindowSet.from_series([series(5), series(3)], context_length=4, patch_length=2)
