import pytest
import torch

from samovar_forecast.network.held import as_given, computing, holding, is_held


def test_what_is_held_keeps_its_value_and_loses_its_derivative():
    x = torch.tensor(3.0, requires_grad=True)
    with holding("level", "memory"):
        assert is_held("level")
        assert not is_held("scale")
        held, flowing = as_given(x * 2, "level"), as_given(x * 2, "scale")
        with computing("memory"):
            silent = x * 5
        with computing("scale"):
            loud = x * 5
    assert not is_held("level")
    assert held == flowing
    assert silent == loud
    assert [value.requires_grad for value in (held, flowing, silent, loud)] == [
        False,
        True,
        False,
        True,
    ]


def test_holding_ends_with_its_block_whatever_happens():
    with pytest.raises(RuntimeError), holding("scale"):
        raise RuntimeError
    assert not is_held("scale")
