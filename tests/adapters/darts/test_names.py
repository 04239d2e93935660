"""Arguments of the sktime forecaster are answered by their names in darts."""

from __future__ import annotations

import inspect

import pytest

pytest.importorskip("darts", reason="darts is not installed")

from samovar_forecast import SAMoVARModel
from samovar_forecast.adapters.darts.names import NAMES_HERE
from samovar_forecast.exceptions import ConfigurationError
from tests.builders.darts import tiny


@pytest.mark.parametrize(("theirs", "here"), NAMES_HERE.items())
def test_a_name_of_the_other_host_is_answered_by_the_name_here(theirs, here):
    with pytest.raises(ConfigurationError) as refused:
        tiny(**{theirs: 3})
    assert here in str(refused.value)


def test_every_argument_of_the_sktime_forecaster_is_known_here_or_answered():
    pytest.importorskip("sktime", reason="sktime is not installed")
    from samovar_forecast import SAMoVARForecaster

    theirs = set(inspect.signature(SAMoVARForecaster.__init__).parameters) - {"self"}
    shared = {"batch_size", "random_state"}  # of every torch model of darts
    ours = set(inspect.signature(SAMoVARModel.__init__).parameters) | shared
    assert theirs - ours - set(NAMES_HERE) == set()
