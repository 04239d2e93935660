"""The error family and the missing-package message, as a user meets them."""

from __future__ import annotations

import copy
import pickle

import pytest

import samovar_forecast
from samovar_forecast.exceptions import (
    ConfigurationError,
    DataError,
    MissingPackageError,
    NotFittedError,
    SAMoVARError,
    require,
)

FAMILY = [ConfigurationError, DataError, MissingPackageError, NotFittedError]


def test_a_message_says_what_is_wrong_what_was_found_what_was_wanted_and_what_to_do():
    error = DataError(
        "column 'load' has gaps, first after 2016-07-04 05:00",
        found=3,
        wanted="a value at every hour",
        remedy="fill them or pass a frequency",
    )
    assert str(error) == (
        "column 'load' has gaps, first after 2016-07-04 05:00; found: 3; "
        "wanted: a value at every hour; fill them or pass a frequency"
    )


def test_a_part_that_is_not_given_leaves_no_trace_in_the_message():
    assert str(DataError("the frame is empty")) == "the frame is empty"
    assert str(DataError("the frame is empty", remedy="give it rows")) == (
        "the frame is empty; give it rows"
    )


def test_zero_and_an_empty_text_are_findings_and_not_silence():
    assert str(ConfigurationError("horizon", found=0)) == "horizon; found: 0"
    assert str(ConfigurationError("predictor", found="")) == "predictor; found: "


@pytest.mark.parametrize("kind", FAMILY)
def test_one_except_catches_the_whole_family(kind):
    with pytest.raises(SAMoVARError, match="column 'load'"):
        raise kind("column 'load'")


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (ConfigurationError, ValueError),
        (DataError, ValueError),
        (MissingPackageError, ImportError),
        (NotFittedError, RuntimeError),
    ],
)
def test_an_error_is_also_the_builtin_that_a_caller_would_expect(kind, builtin):
    assert issubclass(kind, builtin)


@pytest.mark.parametrize("kind", FAMILY)
@pytest.mark.parametrize("carry", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_an_error_comes_back_whole_from_a_worker_process(kind, carry):
    error = kind("series 3", found="NaN", wanted="numbers", remedy="fill it")
    back = carry(error)
    assert type(back) is kind
    assert str(back) == str(error)
    assert (back.problem, back.found, back.wanted, back.remedy) == (
        "series 3",
        "NaN",
        "numbers",
        "fill it",
    )


def test_require_hands_back_the_module_that_was_asked_for():
    module = require("json.decoder", feature="reading", extra="all")
    assert module.__name__ == "json.decoder"


@pytest.mark.parametrize("module", ["matplotlib", "matplotlib.pyplot"])
def test_a_missing_package_is_named_with_the_feature_and_the_command_that_brings_it(
    uninstall, module
):
    uninstall("matplotlib")
    with pytest.raises(MissingPackageError) as caught:
        require(module, feature="drawing a forecast", extra="plots")
    assert str(caught.value) == (
        "drawing a forecast needs the package 'matplotlib', which is not installed; "
        "install it with: pip install 'samovar_forecast[plots]'"
    )


def test_a_package_that_is_installed_but_broken_keeps_its_own_error(tmp_path, monkeypatch):
    (tmp_path / "half_a_package.py").write_text("import something_that_is_nowhere\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="something_that_is_nowhere") as caught:
        require("half_a_package", feature="anything", extra="all")
    assert not isinstance(caught.value, MissingPackageError)


def test_a_submodule_that_an_installed_package_lacks_is_not_called_a_missing_package():
    with pytest.raises(ModuleNotFoundError, match=r"json\.poems") as caught:
        require("json.poems", feature="reading", extra="all")
    assert not isinstance(caught.value, MissingPackageError)


def test_the_forecaster_without_sktime_says_how_to_get_sktime(uninstall, monkeypatch):
    monkeypatch.delitem(vars(samovar_forecast), "SAMoVARForecaster", raising=False)
    uninstall("sktime")
    with pytest.raises(MissingPackageError) as caught:
        from samovar_forecast import SAMoVARForecaster  # noqa: F401
    assert "SAMoVARForecaster needs the package 'sktime'" in str(caught.value)
    assert "pip install 'samovar_forecast[sktime]'" in str(caught.value)
