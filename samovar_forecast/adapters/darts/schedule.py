"""The schedule of the learning rate that the trained model has by default."""

from __future__ import annotations

from typing import Any

from torch.optim.lr_scheduler import OneCycleLR


class OneCycle(OneCycleLR):
    """One-cycle schedule that takes its length from the trainer and stops at the end of the cycle.

    A training that is resumed with more epochs follows the longer cycle.
    """

    def step(self, epoch: int | None = None) -> None:
        """Advance by one step; past the end the rate stays at its last value."""
        if self.last_epoch + 1 < self.total_steps:
            super().step(epoch)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the position, not the length, of the cycle."""
        length = ("total_steps", "_schedule_phases")
        super().load_state_dict({k: v for k, v in state_dict.items() if k not in length})
