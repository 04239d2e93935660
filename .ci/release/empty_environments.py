"""Install the wheel of ./dist into empty environments, and run a quick start in each.

Run: make dist, or, after build.py, python .ci/release/empty_environments.py [--only darts]

Every environment is new, holds the wheel with an extra (or none) at the versions of
constraints.txt, and runs outside the repository, so that only the wheel can be imported.
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
NO_EXTRA = """
import pandas as pd
from samovar_forecast import read_var, simulate_var
y = pd.DataFrame(simulate_var([[[0.6, 0.2], [0.0, 0.5]]], 120, random_state=0), columns=["a", "b"])
var = read_var(y, horizon=4)
print(var.forecast())
print(var.irf(4).estimate[1])
"""
QUICK_STARTS = {"": None, "sktime": "sktime", "darts": "darts", "demo": "statsmodels"}
"""The quick start of each extra; without an extra, NO_EXTRA."""


def script_of(page: Path) -> str:
    """Return the blocks of Python of a page as a single script."""
    text = page.read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))


def commands_of(page: Path) -> list[list[str]]:
    """Return the arguments of each command of `samovar-forecast` that a page shows to succeed."""
    blocks = re.findall(r"^```bash\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


def install(folder: Path, wheel: Path, extra: str) -> Path:
    """Make an environment with the wheel and an extra; return its folder of programs."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    wanted = f"samovar_forecast[{extra}] @ {wheel.as_uri()}" if extra else str(wheel)
    command = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
    command += ["--constraint", ROOT / "constraints.txt", wanted]
    subprocess.run(command, check=True)
    return folder / "bin"


def try_extra(wheel: Path, extra: str) -> None:
    """Install an extra into an empty environment, and run its quick start there."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        programs = install(folder / "environment", wheel, extra)
        page = QUICK_STARTS.get(extra)
        if extra == "report":
            for file in DOCS.glob("static/*.csv"):
                (folder / file.name).write_bytes(file.read_bytes())
            for program, *rest in commands_of(DOCS / "quick_start_terminal.md"):
                subprocess.run([programs / program, *rest], cwd=folder, check=True)
            return
        script = NO_EXTRA if page is None else script_of(DOCS / f"quick_start_{page}.md")
        (folder / "quick_start.py").write_text(script, encoding="utf-8")
        subprocess.run([programs / "python", "quick_start.py"], cwd=folder, check=True)


def main(arguments: list[str] | None = None) -> None:
    """Try every extra that has a quick start."""
    extras = [*QUICK_STARTS, "report"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=extras, help="a single extra, '' for none")
    only = parser.parse_args(arguments).only
    wheels = sorted((ROOT / "dist").glob("*.whl"), key=lambda path: path.stat().st_mtime)
    if not wheels:
        sys.exit("no wheel in ./dist: run .ci/release/build.py first")
    for extra in extras if only is None else [only]:
        print(f"--- {wheels[-1].name}, {f'extra {extra}' if extra else 'no extra'}", flush=True)
        try_extra(wheels[-1], extra)


if __name__ == "__main__":
    main()
