"""Every name of statsmodels' VAR results is here, or says what does the thing."""

import re

import pytest
from statsmodels.tsa.vector_ar.var_model import VARProcess, VARResults

from samovar_forecast import DynamicVAR
from samovar_forecast.dynamics.statsmodels_names import ANSWERED_BY

NAMES = sorted(name for name in dir(VARResults) if not name.startswith("_"))


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_here_or_answered(name):
    assert hasattr(DynamicVAR, name) or name in ANSWERED_BY


@pytest.mark.parametrize("name", sorted(ANSWERED_BY))
def test_an_answer_names_what_exists(name):
    assert not hasattr(DynamicVAR, name), "what is here needs no answer"
    answer = ANSWERED_BY[name]
    for called in re.findall(r"to_statsmodels\(\)\.(\w+)", answer):
        assert hasattr(VARProcess, called) or called == "roots"
    here = re.sub(r"to_statsmodels\(\)\.\w+", "", answer)
    for called in re.findall(r"(?<![\w.])(\w+)\(", here):
        assert hasattr(DynamicVAR, called) or called == "read_var"


def test_the_answer_is_the_error():
    reading = object.__new__(DynamicVAR)
    with pytest.raises(AttributeError, match="has no 'irf_resim', as statsmodels has; bands are"):
        reading.irf_resim()
