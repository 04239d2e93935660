import torch

from samovar_forecast.pretraining.batches import Sizes, batches


def test_batches_are_the_same_from_any_start():
    from_zero = batches(0, 0, 64, 8, torch.device("cpu"), Sizes(values=4 * 256))
    later = batches(0, 9, 64, 8, torch.device("cpu"), Sizes(values=4 * 256))
    for _ in range(9):
        next(from_zero)
    first, second = next(from_zero), next(later)
    assert torch.equal(first.values.nan_to_num(), second.values.nan_to_num())
    assert torch.equal(first.positions, second.positions)
    assert first.with_others == second.with_others
