"""The arrows of the house: what each room may import, and what importing the package costs."""

from __future__ import annotations

import ast
import graphlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import samovar_forecast
from tests.builders.hosts import names_that_cannot_be_had

PACKAGE = Path(samovar_forecast.__file__).parent
NAME = "samovar_forecast"


class May(NamedTuple):
    """What a room may import beside itself and the standard library."""

    rooms: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


# A room is a module or a folder of the package; a dotted name is a part of a folder, and the
# longest name that fits a file rules it. "front" stands for the public names that the package
# resolves lazily. A file without a room is refused: whoever opens a room decides here what it
# leans on. A right that no file uses is refused too, so that the table is the plan of the house.
ROOMS = {
    "__init__": May(("exceptions",)),
    "exceptions": May(),
    "arguments": May(("exceptions",), ("numpy",)),
    "config": May(("exceptions",)),
    "bundle": May(("exceptions",)),
    "checkpoint_file": May(("exceptions", "bundle")),
    "process": May(("exceptions", "arguments"), ("numpy", "torch")),
    "artifact": May(("exceptions", "bundle", "process")),
    "artifact.plain": May(("exceptions",), ("numpy", "torch")),
    "artifact.tensors": May(("exceptions",), ("torch", "safetensors")),
    "accuracy_tests": May(("exceptions", "arguments"), ("numpy", "scipy", "statsmodels")),
    "frames": May(("exceptions",), ("numpy", "pandas")),
    "frames.sources": May(("exceptions", "frames"), ("numpy", "pandas", "statsmodels")),
    "linear": May(("exceptions",), ("numpy",)),
    "linear.threads": May((), ("threadpoolctl",)),
    "network": May(("exceptions", "config"), ("torch",)),
    "network.window_forecasts": May(("arguments", "network"), ("torch",)),
    "network.artifact": May(("exceptions", "artifact", "process"), ("torch",)),
    "network.onnx_export": May(("exceptions", "bundle", "process", "network"), ("torch",)),
    "network.pretrained": May(("exceptions", "artifact", "bundle", "process", "network")),
    "pretraining": May(("exceptions", "network"), ("torch",)),
    "pretraining.batches": May(("exceptions", "network", "pretraining"), ("torch",)),
    "pretraining.checkpoint": May(
        ("exceptions", "artifact", "checkpoint_file", "network", "pretraining"), ("torch",)
    ),
    "pretraining.command": May(("exceptions", "bundle", "network", "pretraining"), ("torch",)),
    "learning": May(
        ("exceptions", "config", "process", "frames", "linear", "network"),
        ("numpy", "pandas", "torch"),
    ),
    "learning.artifact": May(
        ("artifact", "config", "frames", "learning", "linear", "network"), ("numpy", "pandas")
    ),
    "learning.fine_tuning": May(("network", "learning", "pretraining"), ("torch",)),
    "learning.series_file": May(
        ("exceptions", "bundle", "learning"), ("numpy", "torch", "pyarrow")
    ),
    "learning.checkpoints": May(("checkpoint_file",), ("torch", "pytorch_lightning")),
    "learning.training": May(
        ("exceptions", "config", "process", "network", "learning"),
        ("numpy", "torch", "pytorch_lightning"),
    ),
    "learning.loop": May(
        ("config", "network", "learning"),
        ("numpy", "torch", "pytorch_lightning", "tqdm"),
    ),
    "dynamics": May(
        ("exceptions", "arguments", "accuracy_tests", "config", "frames", "linear"),
        ("numpy", "pandas", "statsmodels"),
    ),
    "dynamics.results": May(("dynamics", "plots"), ("numpy", "pandas")),
    "dynamics.network_map": May(("exceptions", "network", "dynamics"), ("numpy", "torch")),
    "dynamics.window_groups": May(("network",), ("numpy",)),
    "dynamics.zero_shot_map": May(
        ("exceptions", "linear", "network", "dynamics"), ("numpy", "torch")
    ),
    "dynamics.origin_process": May(("exceptions",), ("numpy", "scipy", "statsmodels")),
    "dynamics.network_trace": May(("exceptions", "network", "dynamics"), ("torch",)),
    "dynamics.panel_reading": May(
        ("exceptions", "arguments", "config", "frames", "linear", "learning", "dynamics"),
        ("numpy", "pandas"),
    ),
    "dynamics.refitting": May(("exceptions", "config", "learning", "network"), ("numpy", "torch")),
    "adapters": May(),
    "adapters.sktime": May(
        (
            *("exceptions", "arguments", "config", "process", "artifact", "frames"),
            *("learning", "dynamics"),
        ),
        ("numpy", "pandas", "sktime", "skpro"),
    ),
    "adapters.darts": May(
        (
            *("exceptions", "arguments", "config", "process", "bundle", "artifact", "frames"),
            *("linear", "network", "learning", "dynamics"),
        ),
        ("numpy", "pandas", "torch", "pytorch_lightning", "darts", "tqdm"),
    ),
    "comparison": May(
        (
            *("exceptions", "arguments", "bundle", "accuracy_tests", "frames", "linear"),
            *("process", "front"),
        ),
        (
            "numpy",
            "pandas",
            "scipy",
            "statsmodels",
            "statsforecast",
            "sktime",
            "darts",
            "tqdm",
            "joblib",
        ),
    ),
    "comparison.results": May(("comparison", "plots"), ("numpy", "pandas")),
    "plots": May(("exceptions", "arguments", "bundle", "comparison"), ("numpy", "matplotlib")),
    "report": May(
        ("exceptions", "bundle", "frames", "comparison", "plots"),
        ("numpy", "pandas", "matplotlib", "jinja2"),
    ),
    "sharding": May(
        ("exceptions", "arguments", "frames", "learning", "process"), ("numpy", "pandas")
    ),
    "sharding.shard": May(("exceptions", "bundle", "process", "sharding"), ("pandas", "pyarrow")),
    "cli": May(
        ("exceptions", "bundle", "comparison", "frames", "plots", "report", "sharding", "front"),
        ("numpy", "pandas"),
    ),
}

# Arrows against the order of the rooms: a result draws itself by a function of `plots`, which knows
# all results. Such an import stands inside a function, so that it is made when a figure is asked
# for; it builds nothing, and closes no circle.
LATE = {"dynamics.results": "plots", "comparison.results": "plots"}


def lies_in(module: str, room: str) -> bool:
    return f"{module}.".startswith(f"{room}.")


def room_of(module: str) -> str | None:
    return max((room for room in ROOMS if lies_in(module, room)), key=len, default=None)


def imports_of(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of all that a file imports, late and lazy imports too.

    What only the type checker sees is left out, for it loads nothing; so is `require` as a
    statement, which only looks whether a package is there.
    """
    nodes = list(ast.walk(ast.parse(source)))
    statements = {node.value for node in nodes if isinstance(node, ast.Expr)}
    for_the_type_checker = {
        inner
        for node in nodes
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for branch in node.body
        for inner in ast.walk(branch)
    }
    for node in nodes:
        if node in for_the_type_checker:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", None))
            if called == "import_module" or (called == "require" and node not in statements):
                yield node.lineno, str(node.args[0].value)


def named_by(imported: str, package: Path) -> str:
    """Return what a right must name to admit an import: a place of ours, or a package."""
    top, _, inside = imported.partition(".")
    if top != NAME:
        return top
    first = inside.partition(".")[0]
    is_module = (package / first).is_dir() or (package / f"{first}.py").is_file()
    return inside if first and is_module else "front"


def rights_used(imported: str, room: str, package: Path) -> list[str]:
    """Return the rights of a room that admit an import; the room itself needs none."""
    target = named_by(imported, package)
    if imported.partition(".")[0] != NAME:
        return [name for name in ROOMS[room].packages if name == target]
    return [admitted for admitted in ROOMS[room].rooms if lies_in(target, admitted)]


def is_admitted(imported: str, room: str, package: Path) -> bool:
    top = imported.partition(".")[0]
    is_own = top == NAME and lies_in(named_by(imported, package), room)
    return is_own or top in sys.stdlib_module_names or bool(rights_used(imported, room, package))


def modules_of(package: Path) -> Iterator[tuple[Path, str, list[tuple[int, str]]]]:
    """Yield each file of a package, its dotted name and what it imports."""
    for path in sorted(package.rglob("*.py")):
        name = ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__")
        yield path.relative_to(package), name, list(imports_of(path.read_text(encoding="utf-8")))


def broken_arrows(package: Path) -> list[str]:
    """Name every file without a room, and every import that the table does not admit."""
    broken = []
    for file, module, imports in modules_of(package):
        room = room_of(module)
        if room is None:
            broken.append(f"{file} has no room: say in ROOMS what it may import")
            continue
        broken.extend(
            f"{file}:{line} imports {imported}, which the room {room!r} may not"
            for line, imported in imports
            if not is_admitted(imported, room, package)
        )
    return broken


def unused_rights(package: Path) -> list[str]:
    """Name every right of the table that no file of its room uses."""
    used: dict[str, set[str]] = {room: set() for room in ROOMS}
    for _, module, imports in modules_of(package):
        room = room_of(module)
        if room is not None:
            for _, imported in imports:
                used[room].update(rights_used(imported, room, package))
    return [
        f"the room {room!r} has no use for {right!r}"
        for room, may in ROOMS.items()
        for right in (*may.rooms, *may.packages)
        if right not in used[room]
    ]


def modules_imported(package: Path) -> dict[str, set[str]]:
    """Return for each module of the package the modules of ours that it imports."""
    found = {module: imports for _, module, imports in modules_of(package)}
    graph: dict[str, set[str]] = {}
    for module, imports in found.items():
        targets = [named_by(name, package) for _, name in imports if name.startswith(f"{NAME}.")]
        targets = [target for target in targets if target != LATE.get(module)]
        # A name inside a module stands for the module; a name of a folder for its __init__.
        known = [max((m for m in found if lies_in(t, m)), key=len, default="") for t in targets]
        graph[module] = {target for target in known if target and target != module}
    return graph


def test_every_import_of_the_package_follows_the_arrows():
    assert broken_arrows(PACKAGE) == []


def test_the_table_grants_no_right_that_is_unused():
    assert unused_rights(PACKAGE) == []


def test_the_rooms_form_no_circle():
    graph: dict[str, set[str]] = {"front": {"adapters.sktime", "adapters.darts"}}
    for room, may in ROOMS.items():
        whole = room if room.startswith("adapters.") else room.partition(".")[0]
        built_on = {target for target in may.rooms if target not in (whole, LATE.get(room))}
        graph.setdefault(whole, set()).update(built_on)
    order = list(graphlib.TopologicalSorter(graph).static_order())
    assert order.index("exceptions") < order.index("network") < order.index("cli")


@pytest.mark.parametrize(("module", "target"), LATE.items())
def test_a_late_arrow_is_an_import_inside_a_function(module, target):
    source = (PACKAGE / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
    tree = ast.parse(source)
    inside = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for inner in ast.walk(node)
    }
    imports = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and any(f"{node.module}.{alias.name}" == f"{NAME}.{target}" for alias in node.names)
    ]
    assert imports
    assert set(imports) <= inside
    assert "matplotlib" not in modules_that(f"import {NAME}.{module}")


def test_the_modules_form_no_circle():
    graph = modules_imported(PACKAGE)
    graph["front"] = set()
    order = list(graphlib.TopologicalSorter(graph).static_order())
    assert order.index("exceptions") < order.index("network.samovar") < order.index("cli")


def test_every_package_that_is_imported_is_declared_as_a_dependency():
    tomllib = pytest.importorskip("tomllib", reason="new in Python 3.11")
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    extras = [one for extra in project["optional-dependencies"].values() for one in extra]
    declared = {
        re.split(r"[^\w-]", one)[0].replace("-", "_") for one in [*project["dependencies"], *extras]
    }
    nodes = [
        node
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    ]
    imported = {
        alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names
    }
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    roots = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names
    assert roots - declared - {NAME} == set()


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("network/tokens.py", "import pandas as pd"),
        ("network/tokens.py", "from samovar_forecast.learning.training import fit_network"),
        ("network/tokens.py", "from samovar_forecast import SAMoVARNetwork"),
        ("network/tokens.py", "from .heads import PointHead"),
        ("frames/panel.py", "import torch"),
        ("linear/average.py", "import torch"),
        ("linear/average.py", "import pandas as pd"),
        ("learning/windows.py", "import pytorch_lightning as pl"),
        ("learning/training.py", "from samovar_forecast.adapters.sktime import forecaster"),
        ("learning/training.py", "import sktime.utils"),
        ("adapters/sktime/forecaster.py", "import darts"),
        ("adapters/sktime/forecaster.py", "from samovar_forecast.adapters.darts import model"),
        ("adapters/darts/model.py", "from samovar_forecast.comparison import compare"),
        ("comparison/leaderboard.py", "import matplotlib.pyplot as plt"),
        ("dynamics/responses.py", "import torch"),
        ("config.py", "def late():\n    from torch import nn"),
        ("config.py", "import importlib\nimportlib.import_module('torch')"),
        (
            "config.py",
            "from samovar_forecast.exceptions import require\nnn = require('torch', '', '')",
        ),
        ("config.py", "try:\n    import torch\nexcept ImportError:\n    torch = None"),
        ("helpers.py", "import json"),
    ],
)
def test_an_import_against_the_arrows_is_found(tmp_path, file, line):
    there = ("adapters/darts/model.py", "comparison/__init__.py", "learning/training.py")
    for existing in (*there, "exceptions.py", file):
        path = tmp_path / existing
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{line}\n" if existing == file else "")
    (found,) = broken_arrows(tmp_path)
    assert found.startswith(file)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("network/samovar.py", "import torch\nfrom samovar_forecast.network.tokens import cut"),
        ("dynamics/dynamic_var.py", "from samovar_forecast.dynamics.network_map import read"),
        ("comparison/leaderboard.py", "from samovar_forecast import SAMoVARForecaster"),
        ("cli.py", "from samovar_forecast.exceptions import SAMoVARError\nimport argparse"),
        ("config.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch"),
        (
            "cli.py",
            "from samovar_forecast.exceptions import require\nrequire('matplotlib', '', '')",
        ),
    ],
)
def test_an_import_along_the_arrows_is_admitted(tmp_path, file, line):
    for existing in ("exceptions.py", "network/tokens.py", "dynamics/network_map.py", file):
        path = tmp_path / existing
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{line}\n" if existing == file else "")
    assert broken_arrows(tmp_path) == []


# ---------------------------------------------------------------- where a module is tested


TESTED_ELSEWHERE: dict[str, str] = {}
"""Modules without a test of their name, and the test that is theirs too."""


def test_every_module_has_a_test_of_its_name_or_says_where_it_is_tested():
    tests = Path(__file__).parent
    missing = []
    for path in PACKAGE.rglob("*.py"):
        module = path.relative_to(PACKAGE)
        named = tests / TESTED_ELSEWHERE.get(
            module.as_posix(), (module.parent / f"test_{module.name}").as_posix()
        )
        if module.name != "__init__.py" and not named.is_file():
            missing.append(module.as_posix())
    assert missing == []
    assert [name for name in TESTED_ELSEWHERE if not (PACKAGE / name).is_file()] == []


def test_no_test_imports_from_another_test():
    tests = Path(__file__).parent
    assert [
        f"{path.relative_to(tests)}:{line} imports {name}"
        for path in sorted(tests.rglob("*.py"))
        for line, name in imports_of(path.read_text(encoding="utf-8"))
        if name.startswith("tests.") and any(part.startswith("test_") for part in name.split("."))
    ] == []


# ---------------------------------------------------------------- what an import costs


def modules_that(statement: str, after: str = "pass") -> set[str]:
    """Top-level packages that `statement` loads in a fresh interpreter, after `after`."""
    code = "\n".join(
        (
            "import json, sys",
            after,
            "before = set(sys.modules)",
            statement,
            "loaded = {name.partition('.')[0] for name in set(sys.modules) - before}",
            "print(json.dumps(sorted(loaded - sys.stdlib_module_names)))",
        )
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_package_loads_nothing_but_the_package():
    assert modules_that("import samovar_forecast; dir(samovar_forecast)") == {NAME}


def test_a_configuration_loads_no_library_at_all():
    assert modules_that("from samovar_forecast import NetworkConfig, TrainingConfig") == {NAME}


def test_the_network_loads_torch_and_nothing_that_torch_does_not_load():
    assert "torch" in modules_that("from samovar_forecast import SAMoVARNetwork")
    assert modules_that("from samovar_forecast import SAMoVARNetwork", after="import torch") == {
        NAME
    }


def test_the_network_loads_three_rooms_of_the_package():
    code = (
        "import json, sys, samovar_forecast; samovar_forecast.SAMoVARNetwork; "
        f"print(json.dumps([name for name in sys.modules if name.startswith('{NAME}.')]))"
    )
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code]))
    rooms = {name.split(".")[1] for name in loaded}
    assert rooms == {"config", "exceptions", "network"}


def test_the_sktime_forecaster_loads_no_other_host_no_training_loop_and_no_plots():
    loaded = modules_that("from samovar_forecast import SAMoVARForecaster")
    assert "sktime" in loaded
    assert loaded.isdisjoint({"darts", "matplotlib", "pytorch_lightning", "statsmodels"})


def test_a_checkpoint_forecasts_without_the_training_loop(tmp_path):
    pytest.importorskip("sktime")
    path = tmp_path / "checkpoint.zip"
    lines = (
        "import numpy as np, pandas as pd",
        "from unittest import mock",
        "from samovar_forecast import NetworkConfig, SAMoVARForecaster",
        "from samovar_forecast.adapters.sktime import forecaster",
        "from samovar_forecast.learning.trained_network import TrainedNetwork",
        "from samovar_forecast.network.heads import Head",
        "from samovar_forecast.frames.panel import Panel",
        "y = pd.DataFrame({'a': np.sin(np.arange(40.0)), 'b': np.cos(np.arange(40.0))})",
        "shape = NetworkConfig(2, 3, 9, d_model=8, n_layers=1)",
        "made = TrainedNetwork.new(Panel.from_frame(y), shape, Head.point(), seed=0)",
        "with mock.patch.object(forecaster, 'pretrain_network', lambda *given: made):",
        f"    SAMoVARForecaster().pretrain(pd.concat({{'x': y}})).save_artifact({str(path)!r})",
        f"model = SAMoVARForecaster(checkpoint={str(path)!r}).fit(y, fh=[1, 2, 3])",
        "assert model.predict().shape == (3, 2)",
        "assert model.predict_quantiles(alpha=[0.1, 0.9]).shape == (3, 4)",
    )
    loaded = modules_that("\n".join(lines))
    assert "sktime" in loaded
    assert loaded.isdisjoint(
        {"pytorch_lightning", "torchmetrics", "skpro", "statsmodels", "darts", "matplotlib"}
    )


# ---------------------------------------------------------------- the public names


def test_every_public_name_is_offered_and_resolves_to_the_thing_of_that_name():
    assert set(samovar_forecast.__all__) <= set(dir(samovar_forecast))
    for name in set(samovar_forecast.__all__) - names_that_cannot_be_had():
        thing = getattr(samovar_forecast, name)
        assert thing.__name__ == name
        assert thing.__module__.startswith(f"{NAME}.")


def test_a_name_that_does_not_exist_is_refused_as_by_any_module():
    with pytest.raises(AttributeError, match="no attribute 'NoSuchThing'"):
        _ = samovar_forecast.NoSuchThing
    with pytest.raises(ImportError, match="NoSuchThing"):
        from samovar_forecast import NoSuchThing  # noqa: F401
