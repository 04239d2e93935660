import torch

from samovar_forecast.network.zero_shot import ZeroShotConfig, ZeroShotNetwork
from samovar_forecast.pretraining.batches import Sizes, batches
from samovar_forecast.pretraining.objective import pretraining_loss


def test_the_loss_of_a_perfect_forecast_is_0_and_missing_steps_do_not_count():
    network = ZeroShotNetwork(ZeroShotConfig(width=16, n_layers=1))
    batch = next(batches(0, 0, 64, 8, torch.device("cpu"), Sizes(values=4 * 256)))
    out = network(batch.values, batch.season, future=batch.future)
    assert pretraining_loss(out, network.config.quantiles) > 0.1
    exact = out._replace(
        quantiles=out.actual.nan_to_num().clamp(-30, 30)[..., None].expand(out.quantiles.shape)
    )
    assert pretraining_loss(exact, network.config.quantiles) == 0
    gone = out._replace(actual=torch.full_like(out.actual, torch.nan))
    assert pretraining_loss(gone, network.config.quantiles) == 0
