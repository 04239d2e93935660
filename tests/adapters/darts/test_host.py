"""What is borrowed from inside darts is there, is listed, and is called as darts calls it."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

pytest.importorskip("darts", reason="darts is not installed")

from samovar_forecast.adapters.darts import host, model, module, windows
from tests.builders.darts import THIRD_PARTY, tiny, waves

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]

OURS = {
    host.MixedCovariatesTorchModel: model.SAMoVARModel,
    host.PLForecastingModule: module.SAMoVARModule,
    host.SequentialTorchTrainingDataset: windows.SlicedTrainingDataset,
    host.MonteCarloDropout: module._MonteCarloDropout,
}
FOLDER = Path(host.__file__).parent
SOURCES = {
    path.name: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.py"))
}


def is_of_darts(owner: type) -> bool:
    return owner.__module__.partition(".")[0] == "darts"


def listed(table: dict[type, tuple[str, ...]]) -> list[tuple[type, str]]:
    return [(owner, name) for owner, names in table.items() for name in names]


@pytest.mark.parametrize(("owner", "name"), listed(host.HOOKS) + listed(host.METHODS))
def test_every_hook_and_method_is_one_of_darts(owner, name):
    defined = [base for base in owner.__mro__ if name in vars(base)]
    assert defined, f"{owner.__name__} of darts has no {name}: it was renamed or dropped"
    assert is_of_darts(defined[0])


@pytest.mark.parametrize(("owner", "name"), listed(host.HOOKS))
def test_every_hook_is_overridden_and_takes_what_darts_hands_over(owner, name):
    ours, theirs = inspect.getattr_static(OURS[owner], name), inspect.getattr_static(owner, name)
    assert ours is not theirs
    assert isinstance(ours, property) == isinstance(theirs, property)
    if isinstance(ours, property):
        return
    if isinstance(ours, classmethod):
        ours, theirs = ours.__func__, theirs.__func__
    taken = inspect.signature(ours).parameters
    handed = list(inspect.signature(theirs).parameters)
    if name in ("forward", "__getitem__"):  # called by place: the name of the argument is ours
        assert len(taken) == len(handed)
    elif not any(part.kind is part.VAR_KEYWORD for part in taken.values()):
        assert list(taken)[: len(handed)] == handed


@pytest.mark.parametrize("owner", OURS)
def test_no_method_of_darts_is_overridden_that_is_not_listed(owner):
    bases = [base for base in owner.__mro__ if is_of_darts(base)]
    overridden = {
        name
        for ours in OURS[owner].__mro__
        if not is_of_darts(ours) and ours.__module__.startswith("samovar_forecast.")
        for name in vars(ours)
        if not (name.startswith("__") and name != "__getitem__")
        and any(name in vars(base) for base in bases)
    }
    unlisted = overridden - set(host.HOOKS[owner]) - {"_abc_impl"}
    assert unlisted == set()


@pytest.fixture(scope="module")
def borrowed() -> dict[type, object]:
    """Return an instance of each class whose attributes are listed."""
    fitted = tiny(use_reversible_instance_norm=True, normalization="none").fit(waves(40))
    chunks = {"input_chunk_length": 12, "output_chunk_length": 4}
    dataset = host.SequentialTorchTrainingDataset(series=waves(40), **chunks)
    data = host.TorchDataModule(train_dataset=dataset, batch_size=4)
    return {
        host.MixedCovariatesTorchModel: fitted,
        host.PLForecastingModule: fitted.model,
        host.RINorm: fitted.model.rin,
        host.SequentialTorchTrainingDataset: dataset,
        host.TorchDataModule: data,
        host.MonteCarloDropout: host.MonteCarloDropout(p=0.1),
    }


@pytest.mark.parametrize(("owner", "name"), listed(host.ATTRIBUTES))
def test_every_attribute_is_there(borrowed, owner, name):
    assert isinstance(borrowed[owner], owner)
    assert hasattr(borrowed[owner], name), f"{owner.__name__} of darts has no {name} any more"


def test_darts_places_the_parts_of_a_window_as_they_are_read(borrowed):
    dataset = borrowed[host.SequentialTorchTrainingDataset]
    dataset[0]
    placed = dataset._index_memory[0]
    features = (host.FeatureType.PAST_TARGET, host.FeatureType.FUTURE_TARGET)
    assert placed["end_of_output_idx"] == 40
    assert [placed[feature] for feature in features] == [(24, 36), (36, 40)]


@pytest.mark.parametrize("name", [name for name in SOURCES if not name.startswith("host")])
def test_only_the_list_imports_from_inside_darts(name):
    inside = [
        node.module
        for node in ast.walk(SOURCES[name])
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("darts.")
    ]
    assert inside == []


def test_every_private_name_that_is_used_is_our_own_or_listed():
    used: dict[str, str] = {}
    own = set()
    for file, tree in SOURCES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                is_private = node.attr.startswith("_") and not node.attr.startswith("__")
                if is_private and isinstance(node.ctx, ast.Store):
                    own.add(node.attr)
                elif is_private:
                    used[node.attr] = file
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                own.add(node.name)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Attribute):
                own.add(node.target.attr)
    tables = (host.HOOKS, host.METHODS, host.ATTRIBUTES)
    known = {name for table in tables for names in table.values() for name in names}
    known.add("_replace")  # of every named tuple, and no secret
    assert {name: file for name, file in used.items() if name not in own | known} == {}
