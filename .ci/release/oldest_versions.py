"""Print the oldest versions that pyproject.toml admits, as constraints for pip.

Run: make oldest, or python .ci/release/oldest_versions.py > oldest.txt

Every package that a user installs stands at its lower bound; the tools of the tests stay at the
versions of constraints.txt, and what neither names is chosen by pip.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

if sys.version_info < (3, 11):
    sys.exit(".ci/release/oldest_versions.py needs Python 3.11 or later")
import tomllib

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = ("sktime", "darts", "plots", "demo", "report", "parquet")
"""What users install."""
TOOLS = ("hypothesis", "pytest", "pytest-xdist")


def lower_bounds(project: dict) -> dict[str, str]:
    """Return the lower bound of each package that a user installs, by its name."""
    wanted = list(project["dependencies"])
    for extra in EXTRAS:
        wanted += project["optional-dependencies"][extra]
    found = {}
    for requirement in wanted:
        name, bound = re.match(r"([\w-]+)(?:\[.*?\])?(?:>=([\d.]+))?", requirement).groups()
        if name != project["name"]:
            found[name] = bound
    return found


def main() -> None:
    """Print a line for each package."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for name, bound in sorted(lower_bounds(pyproject["project"]).items()):
        print(f"{name}=={bound}")
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if re.split("==", line)[0] in TOOLS:
            print(line)


if __name__ == "__main__":
    main()
