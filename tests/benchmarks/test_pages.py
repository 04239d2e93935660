"""Pages show what the records say, each section in its only place."""

from __future__ import annotations

import pytest

from benchmarks import pages, pictures


def sections_of_pages() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in pages.pages():
        for marker, text in pages.sections_on(path.read_text(encoding="utf-8")):
            found.setdefault(marker, []).append(text)
    return found


def benchmark_or_skip(name: str):
    try:
        return pages.benchmark(name)
    except ModuleNotFoundError as missing:
        if str(missing.name).split(".")[0] in ("benchmarks", "samovar_forecast"):
            raise
        pytest.skip(f"{missing.name} is not installed")


@pytest.mark.parametrize("name", pages.NAMES)
def test_the_pages_show_what_the_records_say(name):
    benchmark = benchmark_or_skip(name)
    assert benchmark.name == name
    shown = sections_of_pages()
    for marker, text in benchmark.stored_sections().items():
        assert shown.get(marker) == [text.strip()], marker


def test_every_picture_is_drawn_from_the_present_records_and_stands_on_a_page():
    wanted = {}
    for name in pages.NAMES:
        wanted |= benchmark_or_skip(name).stored_pictures()
    digests = {path.stem: pictures.digest_in(path) for path in pictures.STATIC.iterdir()}
    assert digests == {name: picture.digest for name, picture in wanted.items()}
    text = "".join(page.read_text(encoding="utf-8") for page in pages.pages())
    for name, picture in wanted.items():
        assert text.count(f"![{picture.words}](static/performance/{name}.svg)") == 1


def test_every_file_of_records_is_that_of_a_benchmark_and_every_page_shows_sections():
    assert sorted(path.stem for path in pages.RESULTS.glob("*.json")) == sorted(pages.NAMES)
    for path in pages.RESULTS.glob("*.md"):
        assert list(pages.sections_on(path.read_text(encoding="utf-8"))), path.name


def test_a_section_goes_between_its_markers_and_the_rest_of_the_page_stays(tmp_path):
    page = "before\n<!-- begin x -->\nold\n<!-- end x -->\nafter\n<!-- begin y --><!-- end y -->"
    written = pages.with_sections(page, {"x": "new"})
    assert written == page.replace("\nold\n", "\n\nnew\n\n")
    assert pages.with_sections(written, {"x": "new"}) == written


def test_a_section_without_a_place_or_with_two_is_refused(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text("<!-- begin x -->\n<!-- end x -->\n")
    monkeypatch.setattr(pages, "pages", lambda: [page])
    with pytest.raises(ValueError, match="'y' has 0 places"):
        pages.write_sections({"y": "new"})
    pages.write_sections({"x": "new"})
    assert page.read_text() == "<!-- begin x -->\n\nnew\n\n<!-- end x -->\n"
    other = tmp_path / "other.md"
    other.write_text(page.read_text())
    monkeypatch.setattr(pages, "pages", lambda: [page, other])
    with pytest.raises(ValueError, match="'x' has 2 places"):
        pages.write_sections({"x": "new"})


def test_a_table_has_one_line_a_row_and_aligned_columns():
    lines = pages.markdown_table(["case", "time"], [["A", "1 ms"], ["longer", "2"]]).splitlines()
    assert lines[0] == "| case   | time |"
    assert len(lines) == 4
    assert len({len(line) for line in lines}) == 1
