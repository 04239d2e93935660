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

PACKAGE = Path(samovar_forecast.__file__).parent
NAME = "samovar_forecast"


class May(NamedTuple):
    """What a room may import beside itself and the standard library."""

    rooms: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


# A room is a module or a folder of the package; a dotted name is one file of a folder, and
# the longest name that fits a file rules it. "front" stands for the public names that the
# package resolves lazily. A room of this table may be missing, a file without a room not:
# whoever opens a room decides here what it leans on.
ROOMS = {
    "__init__": May(("exceptions",)),
    "exceptions": May(),
    "config": May(("exceptions",)),
    "time_grid": May(("exceptions",), ("numpy", "pandas")),
    "panel": May(("exceptions", "time_grid"), ("numpy", "pandas")),
    "windows": May(("exceptions", "config"), ("numpy", "torch")),
    "network": May(("exceptions", "config"), ("numpy", "torch")),
    "orders": May(),
    "seeds": May(("exceptions",), ("numpy",)),
    "interruption": May(),
    "quiet": May(),
    "training": May(
        ("exceptions", "config", "windows", "network", "seeds", "interruption", "quiet"),
        ("numpy", "torch", "pytorch_lightning", "tqdm"),
    ),
    "uncertainty": May(("exceptions", "network"), ("numpy",)),
    "anchor": May(("exceptions", "config", "orders", "windows", "network"), ("numpy", "torch")),
    "artifact": May(("exceptions", "config", "network"), ("numpy", "torch", "safetensors")),
    "sources": May(("exceptions", "time_grid", "panel"), ("numpy", "pandas", "statsmodels")),
    "core": May(
        (
            *("exceptions", "config", "panel", "windows", "network"),
            *("artifact", "uncertainty"),
        ),
        ("numpy", "torch"),
    ),
    "global_model": May(
        (
            *("exceptions", "config", "panel", "windows", "network", "training"),
            *("anchor", "core", "uncertainty"),
        ),
        ("numpy", "pandas", "torch"),
    ),
    "simulate": May(("exceptions",), ("numpy",)),
    "dynamics": May(
        ("exceptions", "config", "simulate"), ("numpy", "pandas", "scipy", "statsmodels")
    ),
    "dynamics.lag_matrices": May(
        (
            *("exceptions", "config", "network", "windows"),
            *("dynamics.forecast_jacobian", "dynamics.token_weights"),
        ),
        ("numpy", "torch"),
    ),
    "dynamics.refitting": May(
        ("exceptions", "config", "network", "windows", "training", "dynamics"), ("numpy", "torch")
    ),
    "adapters": May(),
    "adapters.sktime_door": May(("exceptions", "panel"), ("numpy", "pandas", "sktime")),
    "adapters.sktime_forecaster": May(
        (
            *("exceptions", "config", "time_grid", "panel", "windows", "network", "seeds"),
            *("anchor", "artifact", "core", "dynamics", "global_model", "uncertainty"),
            *("adapters.sktime_door", "adapters.sktime_explain"),
        ),
        ("numpy", "pandas", "torch", "sktime", "skpro"),
    ),
    "adapters.sktime_explain": May(
        ("exceptions", "config", "dynamics", "global_model", "panel"), ("numpy", "pandas")
    ),
    "adapters.darts_model": May(
        (
            *("exceptions", "config", "network", "anchor", "artifact", "dynamics"),
            *("adapters.darts_module", "adapters.darts_sharding", "adapters.darts_windows"),
            *("adapters.darts_anchor", "adapters.darts_explain"),
        ),
        ("numpy", "torch", "darts"),
    ),
    "adapters.darts_anchor": May(
        ("anchor", "time_grid", "adapters.darts_module", "adapters.darts_windows"),
        ("numpy", "pandas", "torch", "pytorch_lightning", "darts"),
    ),
    "adapters.darts_explain": May(
        ("exceptions", "dynamics", "adapters.darts_module"),
        ("numpy", "pandas", "darts"),
    ),
    "adapters.darts_module": May(("exceptions", "config", "network"), ("torch", "darts")),
    "adapters.darts_sharding": May(("exceptions",), ("torch", "pytorch_lightning", "darts")),
    "adapters.darts_windows": May(("exceptions",), ("numpy", "darts")),
    "comparison": May(
        (
            *("exceptions", "orders", "interruption", "quiet", "time_grid", "panel"),
            *("dynamics.nested", "front"),
        ),
        ("numpy", "pandas", "scipy", "statsmodels", "sktime", "darts", "tqdm", "arch"),
    ),
    "dynamics.nested": May(("exceptions",), ("numpy", "pandas", "statsmodels")),
    "plot_layout": May(("exceptions",), ("numpy", "matplotlib")),
    "plots": May(("exceptions", "plot_layout", "comparison", "dynamics"), ("numpy", "matplotlib")),
    "dynamics_plots": May(("exceptions", "plot_layout", "dynamics"), ("numpy", "matplotlib")),
    "response_plots": May(("exceptions", "plot_layout", "dynamics"), ("numpy", "matplotlib")),
    "score_plots": May(("exceptions", "plot_layout", "comparison"), ("numpy", "matplotlib")),
    "report": May(
        ("exceptions", "comparison", "plot_layout", "plots", "score_plots"),
        ("numpy", "pandas", "matplotlib", "jinja2"),
    ),
    "cli": May(
        (
            *("exceptions", "time_grid", "panel", "comparison", "plots", "report", "sources"),
            *("simulate", "front"),
        ),
        ("numpy", "pandas", "statsmodels", "sktime", "darts"),
    ),
}


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


def is_admitted(imported: str, room: str, package: Path) -> bool:
    top, _, inside = imported.partition(".")
    if top == NAME:
        first = inside.partition(".")[0]
        is_module = (package / first).is_dir() or (package / f"{first}.py").is_file()
        target = inside if first and is_module else "front"
        return any(lies_in(target, admitted) for admitted in (room, *ROOMS[room].rooms))
    return top in sys.stdlib_module_names or top in ROOMS[room].packages


def broken_arrows(package: Path) -> list[str]:
    """Name every file without a room, and every import that the table does not admit."""
    broken = []
    for path in sorted(package.rglob("*.py")):
        file = path.relative_to(package)
        room = room_of(".".join(file.with_suffix("").parts).removesuffix(".__init__"))
        if room is None:
            broken.append(f"{file} has no room: say in ROOMS what it may import")
            continue
        broken.extend(
            f"{file}:{line} imports {imported}, which the room {room!r} may not"
            for line, imported in imports_of(path.read_text(encoding="utf-8"))
            if not is_admitted(imported, room, package)
        )
    return broken


def test_every_import_of_the_package_follows_the_arrows():
    assert broken_arrows(PACKAGE) == []


def test_the_arrows_form_no_circle():
    graph = {room: may.rooms for room, may in ROOMS.items()}
    graph["front"] = ("adapters",)  # what the rooms below it take from the front
    graph["adapters"] = tuple(room for room in ROOMS if room.startswith("adapters."))
    order = list(graphlib.TopologicalSorter(graph).static_order())
    assert order.index("exceptions") < order.index("network") < order.index("cli")


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
        ("network/tokens.py", "from samovar_forecast.training import fit_network"),
        ("network/tokens.py", "from samovar_forecast import SAMoVARNetwork"),
        ("network/tokens.py", "from .heads import PointHead"),
        ("panel.py", "import torch"),
        ("training.py", "from samovar_forecast.adapters import sktime_forecaster"),
        ("training.py", "import sktime.utils"),
        ("adapters/sktime_forecaster.py", "import darts"),
        ("adapters/sktime_forecaster.py", "from samovar_forecast.adapters import darts_model"),
        ("adapters/darts_model.py", "from samovar_forecast.panel import Panel"),
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
    for existing in ("adapters/darts_model.py", "panel.py", "training.py", "exceptions.py", file):
        path = tmp_path / existing
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{line}\n" if existing == file else "")
    (found,) = broken_arrows(tmp_path)
    assert found.startswith(file)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("network/samovar.py", "import torch\nfrom samovar_forecast.network.tokens import cut"),
        ("dynamics/dynamic_var.py", "from samovar_forecast.dynamics.lag_matrices import read"),
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
    for existing in ("exceptions.py", "network/tokens.py", "dynamics/lag_matrices.py", file):
        path = tmp_path / existing
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{line}\n" if existing == file else "")
    assert broken_arrows(tmp_path) == []


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


def test_the_sktime_forecaster_loads_no_other_host_no_training_loop_and_no_plots():
    loaded = modules_that("from samovar_forecast import SAMoVARForecaster")
    assert "sktime" in loaded
    assert loaded.isdisjoint({"darts", "matplotlib", "pytorch_lightning", "statsmodels"})


def test_a_checkpoint_forecasts_without_the_training_loop(tmp_path):
    pytest.importorskip("sktime")
    path = tmp_path / "checkpoint.zip"
    lines = (
        "import numpy as np, pandas as pd",
        "from samovar_forecast import NetworkConfig, SAMoVARForecaster",
        "from samovar_forecast.core import Core",
        "from samovar_forecast.network.heads import Head",
        "from samovar_forecast.panel import Panel",
        "y = pd.DataFrame({'a': np.sin(np.arange(40.0)), 'b': np.cos(np.arange(40.0))})",
        "shape = NetworkConfig(2, 3, 9, d_model=8, n_layers=1)",
        f"Core.new(Panel.from_frame(y), shape, Head.point(), seed=0).save({str(path)!r})",
        f"model = SAMoVARForecaster(checkpoint={str(path)!r}, max_epochs=0).fit(y, fh=[1, 2, 3])",
        "assert model.predict().shape == (3, 2)",
        "assert model.predict_quantiles(alpha=[0.1, 0.9]).shape == (3, 4)",
    )
    loaded = modules_that("\n".join(lines))
    assert "sktime" in loaded
    assert loaded.isdisjoint(
        {"pytorch_lightning", "torchmetrics", "skpro", "statsmodels", "darts", "matplotlib"}
    )


@pytest.mark.slow  # a measure of time: not for every run, and generous to a busy machine
def test_the_package_and_its_network_cost_at_most_0_3_seconds_on_top_of_torch():
    code = (
        "import time, torch; start = time.process_time(); "
        "import samovar_forecast; samovar_forecast.SAMoVARNetwork; "
        "print(time.process_time() - start)"
    )
    seconds = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(3)]
    assert min(seconds) < 0.3


# ---------------------------------------------------------------- the public names


def test_every_public_name_is_offered_and_resolves_to_the_thing_of_that_name():
    assert set(samovar_forecast.__all__) <= set(dir(samovar_forecast))
    for name in samovar_forecast.__all__:
        thing = getattr(samovar_forecast, name)
        assert thing.__name__ == name
        assert thing.__module__.startswith(f"{NAME}.")


def test_a_name_that_does_not_exist_is_refused_as_by_any_module():
    with pytest.raises(AttributeError, match="no attribute 'NoSuchThing'"):
        _ = samovar_forecast.NoSuchThing
    with pytest.raises(ImportError, match="NoSuchThing"):
        from samovar_forecast import NoSuchThing  # noqa: F401
