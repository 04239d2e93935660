"""The pages on sktime's side of the package: every block runs as printed, in order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("sktime", reason="sktime is not installed")

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("page", ["uncertainty", "missing_values", "global_learning"])
def test_every_block_of_the_page_runs_in_order(page, capsys):
    text = (DOCS / f"{page}.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert blocks
    names: dict = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)
    assert "nan" not in capsys.readouterr().out.lower()
