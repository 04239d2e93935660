"""What README.md promises a stranger is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)


def test_the_first_commands_are_make_demo_and_make_test():
    assert code_blocks("")[0].split("\n") == ["make demo", "make test", ""]


def test_every_make_target_that_is_named_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    named = set(re.findall(r"(?<![\w-])make ([a-z-]+)(?=`|\n)", README))
    assert {"demo", "test", "lint"} <= named <= targets


def test_every_link_to_a_file_leads_to_a_file():
    links = [
        (page, link)
        for page in (ROOT / "README.md", *ROOT.glob("docs/*.md"))
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    ]
    assert len(links) > 3
    assert [
        f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()
    ] == []
