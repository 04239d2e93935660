"""After the training a bar says what the fit does, where the trainer shows a bar."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("darts", reason="darts is not installed")

from tests.builders.darts import QUIET, THIRD_PARTY, tiny, waves

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]


@pytest.mark.parametrize("is_shown", [True, False])
def test_the_stages_after_the_training_are_named_in_their_order(is_shown, capsys):
    trainer = {**QUIET, "enable_progress_bar": is_shown}
    tiny(linear=True, pl_trainer_kwargs=trainer).fit(waves())
    told = capsys.readouterr().err
    named = re.findall(r"linear forecast: \w+|forecasts of the validation", told)
    expected = [
        "linear forecast: estimation",
        "linear forecast: share",
        "forecasts of the validation",
    ]
    assert list(dict.fromkeys(named)) == (expected if is_shown else [])
