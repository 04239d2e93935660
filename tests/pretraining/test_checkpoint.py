import pytest

from samovar_forecast import exceptions
from samovar_forecast.network.zero_shot import ZeroShotConfig
from samovar_forecast.pretraining.checkpoint import load_checkpoint, save_checkpoint
from samovar_forecast.pretraining.training import Pretraining, Recipe

SMALL = Recipe(network=ZeroShotConfig(width=16, n_layers=1))


def test_a_checkpoint_is_whole_or_not_at_all(tmp_path):
    path = tmp_path / "run.safetensors"
    save_checkpoint(Pretraining(SMALL), path)
    assert [file.name for file in tmp_path.iterdir()] == ["run.safetensors"]
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(exceptions.ConfigurationError, match="cannot be read"):
        load_checkpoint(path)
    with pytest.raises(exceptions.ConfigurationError, match="cannot be read"):
        load_checkpoint(tmp_path / "nothing")
