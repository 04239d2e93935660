"""The schedule stops at its end, and a resumed training follows its own, longer cycle."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("darts", reason="darts is not installed")

from samovar_forecast.adapters.darts.schedule import OneCycle


def cycle(total_steps: int) -> OneCycle:
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])
    return OneCycle(optimizer, max_lr=1.0, total_steps=total_steps)


def advance(schedule: OneCycle, n_steps: int) -> float:
    for _ in range(n_steps):
        schedule.optimizer.step()
        schedule.step()
    return float(schedule.get_last_lr()[0])


def test_past_its_end_the_rate_stays_at_its_last_value():
    assert advance(cycle(10), 30) == advance(cycle(10), 9)


def test_a_restored_schedule_keeps_its_own_length():
    short, long = cycle(10), cycle(20)
    advance(short, 5)
    long.load_state_dict(short.state_dict())
    assert long.total_steps == 20
    assert long.last_epoch == short.last_epoch
