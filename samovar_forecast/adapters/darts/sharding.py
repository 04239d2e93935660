"""Every forecast of a prediction that several processes share.

Under Lightning's distributed strategies each process forecasts every W-th series and darts hands
back only its own share. Here the shares are exchanged and put back in order, so that each of the
W processes returns all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor, distributed

from samovar_forecast.adapters.darts.host import TorchDataModule
from samovar_forecast.exceptions import SAMoVARError


class _Share(NamedTuple):
    """Forecasts of a process, in its own order."""

    values: Tensor  # n_samples n_forecasts horizon C
    schemas: list[Any]
    times: list[Any]


class ShardedTrainer:
    """A trainer's ``predict``, with the forecasts of all its processes.

    Parameters
    ----------
    trainer : pytorch_lightning.Trainer
    """

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer

    def predict(self, model: LightningModule, datamodule: TorchDataModule) -> Any:
        """Return the batches of forecasts, as the trainer of a single process does.

        Raises
        ------
        SAMoVARError
            If forecasts of other processes cannot be had: then only a part would be returned.
        """
        n_wanted = len(datamodule.predict_dataset)
        if n_wanted < self.trainer.world_size:  # too few to share: each process forecasts them all
            return self._alone().predict(model=model, datamodule=datamodule)
        batches = self.trainer.predict(model=model, datamodule=datamodule)
        if self.trainer.world_size == 1:
            return batches
        if batches is None or not distributed.is_initialized():
            raise SAMoVARError(
                f"forecasts from {self.trainer.world_size} processes that "
                f"{type(self.trainer.strategy).__name__} started cannot be collected, "
                "most of them would be lost",
                found="a strategy whose processes end with the prediction",
                wanted=f"all {n_wanted} forecasts",
                remedy="predict in one process (load the model with pl_trainer_kwargs="
                "{'accelerator': 'cpu', 'devices': 1}), or use strategy='ddp' in a script",
            )
        own = _Share(
            torch.cat([values for values, _, _ in batches], dim=1).cpu(),
            [schema for _, schemas, _ in batches for schema in schemas],
            [time for _, _, times in batches for time in times],
        )
        if len(own.times) == n_wanted:  # the loader was not shared out
            return batches
        shares: list[Any] = [None] * self.trainer.world_size
        distributed.all_gather_object(shares, own)
        return [_in_order(shares, n_wanted)]

    def _alone(self) -> Trainer:
        """Return a trainer of this process and its device only."""
        place = self.trainer.strategy.root_device
        return Trainer(
            accelerator="gpu" if place.type == "cuda" else place.type,
            devices=1 if place.index is None else [place.index],
            precision=self.trainer.precision,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )


def _in_order(shares: Sequence[_Share], n_wanted: int) -> tuple[Tensor, list[Any], list[Any]]:
    """Interleave the shares: forecast i is number i // W of process i % W."""
    n_found = sum(len(share.times) for share in shares)
    if n_found != n_wanted:
        raise SAMoVARError(
            "the processes did not forecast each series once",
            found=f"{n_found} forecasts",
            wanted=n_wanted,
            remedy="predict in one process, or leave the sampler of the loader to Lightning",
        )
    places = [divmod(i, len(shares)) for i in range(n_wanted)]
    values = torch.stack([shares[rank].values[:, k] for k, rank in places], dim=1)
    schemas = [shares[rank].schemas[k] for k, rank in places]
    times = [shares[rank].times[k] for k, rank in places]
    return values, schemas, times
