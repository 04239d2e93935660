"""The products that a training step needs: as many operations as counted by hand."""

from __future__ import annotations

import pytest
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import core, core_products


@pytest.mark.parametrize("n_patches", [4, 64])  # the parallel form, and the chunked form
def test_the_products_of_a_step_are_counted(n_patches):
    case = core.Case(3, 2 * n_patches, 2, 2, 8, 2, 2, n_steps=1, n_single=1)
    take_all = core_products.products_of_step(case)
    with FlopCounterMode(display=False) as counter:
        take_all()
    sequences, tokens, width, patch, head = 6, 2 * n_patches, 8, 2, 4
    dense = 3 * n_patches * width * patch + tokens * (3 * 8 * width**2 + 6 * width**2)
    mix = 2 * 2 * 2 * 3 * 3 * tokens  # multiply and add, a product and a gradient, two windows
    rows = 2 * tokens + n_patches  # of queries, in three layers
    if n_patches == 4:
        attention = 6 * rows * tokens * head
    else:
        n_chunks = tokens // core_products.CHUNK_LENGTH
        attention = 6 * rows * core_products.CHUNK_LENGTH * head + 3 * rows * head**2
        attention += 3 * 3 * tokens * head**2
        assert n_chunks * core_products.CHUNK_LENGTH == tokens
    expected = 2 * sequences * (3 * dense + 2 * attention) + mix
    assert counter.get_total_flops() == expected
