"""Pages tell of all that is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_benchmark_is_described() -> None:
    page = (ROOT / "benchmarks" / "README.md").read_text()
    missing = [script.name for script in (ROOT / "benchmarks").glob("*.py") if f"`{script.name}`" not in page]
    assert not missing


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "index.md").read_text())
    assert listed == sorted(page.name for page in folder.glob("0*.md"))


def test_every_room_is_on_the_map() -> None:
    page = (ROOT / "docs" / "explanation" / "architecture.md").read_text()
    source = ROOT / "src" / "qdepot"
    rooms = {path.stem for path in source.iterdir() if path.is_dir() or path.suffix == ".py"} - {
        "__init__",
        "__pycache__",
    }
    assert rooms <= set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))


def test_make_explains_every_target_that_the_pages_name() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    named = {name for page in pages for name in re.findall(r"(?:`|\$ )make ([a-z-]+)", page.read_text())}
    assert named <= targets
