"""What stands in for operations that ONNX lacks gives the same values."""

from __future__ import annotations

import pytest
import torch

from samovar_forecast.network import exportable


@pytest.fixture
def exporting(monkeypatch):
    """Return a function that computes as in an export."""

    def compute(function, *given):
        with monkeypatch.context() as patch:
            patch.setattr(exportable, "is_exporting", lambda: True)
            return function(*given)

    return compute


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("length", [1, 2, 7, 64])
def test_running_extremes_are_the_same_to_the_bit(exporting, length):
    x = drawn(2, 3, length)
    whole = (10 * x).round().to(torch.long)
    for function in (exportable.running_max, exportable.running_min):
        for values in (x, whole):
            assert torch.equal(exporting(function, values), function(values))


def test_positive_definite_systems_have_the_same_solution(exporting):
    factor = drawn(4, 1, 6, 6)
    matrix, right = factor @ factor.mT + 1e-4 * torch.eye(6), drawn(1, 3, 6, 2)
    found = exporting(exportable.solve_positive, matrix, right)
    torch.testing.assert_close(
        found, exportable.solve_positive(matrix, right), rtol=1e-8, atol=1e-8
    )
    torch.testing.assert_close(matrix @ found, right.expand_as(found), rtol=1e-8, atol=1e-8)
