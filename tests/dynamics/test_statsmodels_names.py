"""Every name of statsmodels' VAR results is here, or says what does the thing."""

import re

import numpy as np
import pytest
from statsmodels.tsa.vector_ar.irf import IRAnalysis
from statsmodels.tsa.vector_ar.var_model import FEVD, VAR, VARResults

from samovar_forecast import DynamicVAR
from samovar_forecast.dynamics.decompositions import VarianceDecomposition
from samovar_forecast.dynamics.origin_process import OriginProcess
from samovar_forecast.dynamics.responses import ImpulseResponses
from samovar_forecast.dynamics.statsmodels_names import ANSWERED_BY, OF_RESPONSES, OF_SHARES

FITTED = VAR(np.random.default_rng(0).normal(size=(60, 2))).fit(1)
ASKED = ("params", "endog", "endog_lagged", "nobs", "n_totobs", "trend", "exog", "model", "k_exog")
NAMES = sorted({name for name in dir(VARResults) if not name.startswith("_")} | {*ASKED})


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_here_or_answered(name):
    assert hasattr(DynamicVAR, name) or name in ANSWERED_BY


@pytest.mark.parametrize("name", sorted(ANSWERED_BY))
def test_an_answer_names_what_exists(name):
    assert not hasattr(DynamicVAR, name), "what is here needs no answer"
    answer = ANSWERED_BY[name]
    for called in re.findall(r"to_statsmodels\(\)\.(\w+)", answer):
        assert hasattr(OriginProcess, called)
    here = re.sub(r"to_statsmodels\(\)\.\w+", "", answer)
    for called in re.findall(r"(?<![\w.])(\w+)\(", here):
        assert hasattr(DynamicVAR, called) or called == "read_var"


def test_the_answer_is_the_error():
    reading = object.__new__(DynamicVAR)
    with pytest.raises(AttributeError, match="has no 'irf_resim', as statsmodels has; bands are"):
        reading.irf_resim()


@pytest.mark.parametrize(
    ("theirs", "ours", "answers"),
    [
        (FITTED.irf(3), ImpulseResponses, OF_RESPONSES),
        (FITTED.fevd(3), VarianceDecomposition, OF_SHARES),
    ],
)
def test_each_name_of_responses_and_shares_is_here_or_answered(theirs, ours, answers):
    assert isinstance(theirs, (IRAnalysis, FEVD))
    names = {name for name in dir(type(theirs)) if not name.startswith("_")}
    wanted = names | {"cum_effects", "orth_irfs", "lr_effects"} if "G" in names else names
    for name in wanted:
        assert hasattr(ours, name) or name in answers
    result = object.__new__(ours)
    for name in answers:
        with pytest.raises(AttributeError, match=f"has no '{name}', as statsmodels has; "):
            getattr(result, name)
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        _ = result.other
