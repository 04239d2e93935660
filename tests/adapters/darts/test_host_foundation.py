"""What the zero-shot model borrows from darts' foundation models is there, and is listed."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("darts", reason="darts is not installed")
pytest.importorskip("huggingface_hub", reason="darts' foundation models import huggingface_hub")

from samovar_forecast import SAMoVARZeroShotModel
from samovar_forecast.adapters.darts import host, host_foundation
from samovar_forecast.adapters.darts.base import SAMoVARTorchModel

LISTED = host_foundation.HOOKS[host_foundation.FoundationModel]


@pytest.mark.parametrize("name", LISTED)
def test_every_hook_is_one_of_darts_and_is_overridden(name):
    bases = [base for base in host_foundation.FoundationModel.__mro__ if name in vars(base)]
    assert bases[0].__module__.startswith("darts.")
    assert name in vars(SAMoVARZeroShotModel)


def test_no_method_of_darts_is_overridden_that_is_not_listed():
    of_darts = {name for base in host_foundation.FoundationModel.__mro__ for name in vars(base)}
    common = set(host.HOOKS[host.MixedCovariatesTorchModel]) & set(vars(SAMoVARTorchModel))
    overridden = {name for name in vars(SAMoVARZeroShotModel) if name in of_darts}
    named_by_python = {"__module__", "__doc__", "__abstractmethods__", "_abc_impl"}
    named_by_python |= {"__firstlineno__", "__static_attributes__"}  # from Python 3.13 on
    assert overridden - set(LISTED) - common - named_by_python == set()


@pytest.mark.slow  # a process of its own
def test_without_the_package_of_darts_foundation_models_the_trained_model_works_still():
    code = (
        "import sys; sys.modules['huggingface_hub'] = None\n"
        "import samovar_forecast; samovar_forecast.SAMoVARModel(4, 2)\n"
        "try:\n    samovar_forecast.SAMoVARZeroShotModel\n"
        "except ImportError as missing:\n    print(missing)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True, timeout=120
    ).stdout
    assert "huggingface_hub" in told
    assert "pip install" in told
