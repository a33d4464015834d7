"""The pages hold together: links lead somewhere, answers name tests that exist, the pictures are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    inside = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in inside if not (page.parent / link).exists()] == []


def test_every_answer_names_tests_that_exist() -> None:
    text = (ROOT / "docs/what-if.md").read_text(encoding="utf-8")
    rows = [row for row in text.splitlines() if row.startswith("| ") and not row.startswith("| What if")]
    assert len(rows) > 5
    for row in rows:
        names = re.findall(r"`(tests/[^`]+)`", row)
        assert names, row
        for name in names:
            path, _, test = name.partition("::")
            assert (ROOT / path).is_file(), name
            assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), name


@pytest.mark.parametrize("name", ["run.png", "demo.png", "report.png"])
def test_pictures_are_pictures(name: str) -> None:
    data = (ROOT / "docs/pictures" / name).read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) > 50_000


def test_the_pages_say_that_all_was_tried_on_the_twin_only() -> None:
    for page in ("README.md", "docs/what-if.md", "docs/tutorial/first-demo.md", "docs/how-to/sign-in.md"):
        assert "twin" in (ROOT / page).read_text(encoding="utf-8")


def linked(page: Path) -> set[Path]:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    found = {(page.parent / link).resolve() for link in links if not re.match(r"[a-z]+:", link)}
    return found | {each for folder in found if folder.is_dir() for each in folder.glob("*.md")}


def test_whoever_begins_at_the_readme_finds_every_page() -> None:
    """What somebody does, or wants to understand, is one click away; everything else can be reached."""
    readme = ROOT / "README.md"
    near = {page for folder in ("how-to", "tutorial", "explanation") for page in (ROOT / "docs" / folder).glob("*.md")}
    assert near - linked(readme) == set()
    seen, new = {readme}, {readme}
    while new:
        new = {link for page in new for link in linked(page) if link.suffix == ".md"} - seen
        seen |= new
    assert {page for page in PAGES if page.is_relative_to(ROOT / "docs")} - seen == set()
