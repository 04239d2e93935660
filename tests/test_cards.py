"""The cards on the pages of the hosts say what the classes say of themselves."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def rows_of(page: str, head: str) -> dict[str, str]:
    """Return the rows of the table below a head, first cell to the others."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8").split(f"## {head}\n")[1]
    rows = re.findall(r"^\| (.*?) \| (.*) \|$", text, flags=re.MULTILINE)
    return {first.replace("`", ""): others.replace("`", "") for first, others in rows}


def test_the_card_of_the_forecaster_holds_its_tags_and_the_packages_that_it_needs():
    pytest.importorskip("sktime", reason="sktime is not installed")
    from samovar_forecast import SAMoVARForecaster

    tags = SAMoVARForecaster.get_class_tags()
    for names, told in rows_of("sktime.md", "Estimator card").items():
        for name in names.split(", "):
            if name in ("class", "tag") or set(name) <= set("-"):
                continue
            value = tags[name]
            if isinstance(value, bool):
                assert told.startswith("yes" if value else "no"), name
            else:
                wanted = ", ".join(value) if isinstance(value, list) else value
                assert told.partition(":")[0] == wanted, name
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for package in tags["python_dependencies"]:
        assert f'"{package}"' in project
    assert f'requires-python = "{tags["python_version"]}"' in project
    assert len(SAMoVARForecaster.get_test_params()) == 5


@pytest.mark.skipif(find_spec("darts") is None, reason="darts is not installed")
@pytest.mark.parametrize("name", ["SAMoVARModel", "SAMoVARZeroShotModel"])
def test_the_card_of_a_model_of_darts_holds_what_it_supports(name):
    pytest.importorskip("huggingface_hub", reason="darts' foundation models import it")
    import samovar_forecast

    model = getattr(samovar_forecast, name)(input_chunk_length=8, output_chunk_length=4)
    series, covariates, *_ = rows_of("darts.md", "Model card")[name].split(" | ")
    assert series == f"yes, {'yes' if model.supports_multivariate else 'no'}"
    kinds = ("past", "future", "static")
    supported = [getattr(model, f"supports_{kind}_covariates") for kind in kinds]
    assert covariates == ", ".join("yes" if it else "no" for it in supported)
