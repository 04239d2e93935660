"""Which shapes of the network for any panel are refused, and how long its patches are."""

import pytest

from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.network.zero_shot_config import ZeroShotConfig


def test_a_configuration_that_cannot_work_is_refused():
    with pytest.raises(ConfigurationError, match="heads must divide"):
        ZeroShotConfig(width=62)
    with pytest.raises(ConfigurationError, match="median"):
        ZeroShotConfig(quantiles=(0.1, 0.9))


def test_short_windows_are_cut_into_fine_patches():
    config = ZeroShotConfig()
    assert config.patch_length_of(config.fine_up_to) == config.fine_patch_length
    assert config.patch_length_of(config.fine_up_to + 1) == config.patch_length
