"""docs/dynamic_var.md: every block runs as printed, in order."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "dynamic_var.md"


@pytest.mark.slow
def test_every_block_of_the_page_runs_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    names: dict = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    plt.close("all")
    printed = capsys.readouterr().out
    assert "unit root per series by construction" in printed
    assert "passing of time" in printed
    parts = names["parts"]
    assert np.allclose(parts.total(), parts.forecast)
