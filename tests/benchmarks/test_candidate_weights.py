"""The choice of weights: its table, and a network in place of that of the package."""

from __future__ import annotations

import torch

from benchmarks import candidate_weights as candidates
from benchmarks.records import Records
from samovar_forecast import load_pretrained
from samovar_forecast.learning.pretrained_member import PretrainedMember
from tests.builders.records import STAMP


def test_the_table_is_in_the_order_of_the_training():
    records = Records(None)
    for minutes, value in ((600.02, 0.85), (133.1, 0.75)):
        numbers = dict.fromkeys(candidates.COLUMNS, value)
        records.keep(f"sha256 {minutes}", {**STAMP, "CPU minutes": minutes, **numbers})
    rows = candidates.sections(records)["candidate weights"].splitlines()[2:4]
    cells = [[cell.strip() for cell in row.strip("| ").split("|")] for row in rows]
    assert cells == [["133", *["0.750"] * 7], ["600", *["0.850"] * 7]]


def test_the_default_asks_the_network_that_is_to_be_judged():
    other = load_pretrained().network.with_prior(3.0)
    with candidates.in_place_of_the_package(other):
        assert PretrainedMember.load(1, None).network is other
    shipped = PretrainedMember.load(1, None).network
    assert shipped is not other
    assert torch.equal(shipped.head.weight, other.head.weight)
