"""What the code decides stands in the documentation as the code has it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from qdepot.adapters.providers.aer import AerSettings
from qdepot.config import Settings
from qdepot.domain.job import TRANSITIONS, JobStatus, Stage
from qdepot.errors import error_classes

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_docs", ROOT / "tools" / "generate_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_parts_are_what_the_code_says(generator: ModuleType) -> None:
    stale = [str(page.relative_to(ROOT)) for page, text in generator.pages().items() if page.read_text() != text]
    assert not stale, "run `make docs-parts`"


def test_every_part_stands_on_a_page(generator: ModuleType) -> None:
    pages = "".join(page.read_text() for page in (ROOT / "docs").rglob("*.md"))
    assert set(re.findall(r"<!-- generated: ([\w-]+) -->", pages)) == set(generator.PARTS)


def test_the_diagram_has_one_arrow_for_each_transition(generator: ModuleType) -> None:
    arrows = re.findall(r'<path d="M\d+ [^"]*"/>', generator.state_diagram().partition("</defs>")[2])
    assert len(arrows) == 1 + sum(len(targets) for targets in TRANSITIONS.values())


def test_every_status_and_stage_is_explained() -> None:
    page = (ROOT / "docs" / "explanation" / "job-lifecycle.md").read_text()
    for word in [*JobStatus, *Stage]:
        assert f"| `{word.value}` |" in page


def test_every_setting_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "settings.md").read_text()
    for name, field in Settings.model_fields.items():
        assert f"`QDEPOT_{name.upper()}" in page
        assert field.description, f"{name} has no description"
    for name in AerSettings.model_fields:
        assert f"`QDEPOT_PROVIDERS__AER__{name.upper()}`" in page


def test_every_error_code_has_a_section_that_says_what_to_do(generator: ModuleType) -> None:
    page = (ROOT / "docs" / "reference" / "errors.md").read_text()
    generator.errors()  # loads all rooms, so that all classes are known
    for code in error_classes():
        section = re.search(rf"^### `{code}`\n\n(.+?)(?=\n#|\Z)", page, re.DOTALL | re.MULTILINE)
        assert section, f"{code} has no section"
        assert len(section[1].strip()) > 40, f"the section on {code} says too little"
