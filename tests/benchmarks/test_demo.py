"""The leaderboard in README.md is the recorded one, and says where it comes from."""

from __future__ import annotations

import json

from benchmarks import demo


def test_the_readme_holds_the_recorded_leaderboard():
    readme = (demo.ROOT / "README.md").read_text(encoding="utf-8")
    entry = json.loads(demo.RESULTS.read_text(encoding="utf-8"))
    assert demo.section(entry) in readme


def test_the_record_names_every_model_with_its_errors():
    entry = json.loads(demo.RESULTS.read_text(encoding="utf-8"))
    text = "\n".join(entry["printed"])
    for model in ("SAMoVAR", "SAMoVAR, no anchor", "VAR", "Ridge VAR", "AR", "Naive"):
        assert any(line.startswith(model + " ") for line in entry["printed"]), model
    assert "10 origins" in text
    assert entry["commit"]
