"""Every code block on every page runs, or says why not.

Blocks of a page run in order in one folder, which holds the example circuits, against one real service. ``python``
blocks share their names. A ``bash`` block holds commands alone, so that all of it can be pasted. In a ``console`` block
``$ `` begins a command, and the lines below a command are its output; the site's copy button leaves prompts and outputs
out, which works for commands of one line only. In an output ``...`` stands for any text, and ids and times may differ.
``json`` and ``toml`` must be readable. A line ``<!-- not run: reason -->`` before a block excuses it.
"""

from __future__ import annotations

import contextlib
import doctest
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import qdepot

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "UPGRADING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES.append(ROOT / "benchmarks" / "README.md")
BLOCK = re.compile(
    r"^(?: *<!-- not run: (?P<excuse>[^\n]*?) *-->\n+)?"
    r"(?P<indent> *)```(?P<language>[^\n]*)\n(?P<code>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)
LANGUAGES = {"python", "bash", "console", "json", "toml", "text"}
RUN = {"python", "bash", "console"}
PORTAL = "http://127.0.0.1:8484"
MATCHES = doctest.OutputChecker().check_output
VOLATILE = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?Z?"), "<time>"),
    (re.compile(r"\b\d+(\.\d+)? m?s\b"), "<duration>"),
    (re.compile(r"created \(\w+\)"), "created (<zone>)"),
]
FORGIVING = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    language: str
    code: str
    line: int
    excuse: str | None


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text()
    found = []
    for block in BLOCK.finditer(text):
        indent = len(block["indent"])
        code = "".join(line[indent:] if line.strip() else line for line in block["code"].splitlines(keepends=True))
        line = text.count("\n", 0, block.start("language")) + 1
        found.append(Block(block["language"], code, line, block["excuse"]))
    return found


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_blocks_have_a_known_language_or_a_reason(page: Path) -> None:
    blocks = blocks_of(page)
    assert page.read_text().count("```") == 2 * len(blocks), "a block on this page is not closed, or not seen"
    for block in blocks:
        assert block.language in LANGUAGES, f"line {block.line}: the language {block.language!r} is not checked"
        assert block.excuse is None or len(block.excuse) > 10, f"line {block.line}: the reason is missing"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(not b.excuse and b.language != "text" for b in blocks_of(page))], ids=page_id
)
def test_code_on_the_page_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    clients = contextlib.ExitStack()
    request.addfinalizer(clients.close)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples", tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py", "*.ipynb"))
    for block in blocks_of(page):
        if block.excuse is None and block.language in RUN:
            url = request.getfixturevalue("service_url")
            monkeypatch.setenv("QDEPOT_URL", url)
            code = block.code.replace(PORTAL, url)
            if block.language == "python":
                exec(compile("\n" * block.line + code, page, "exec"), names)
                for value in list(names.values()):
                    if isinstance(value, qdepot.Client):
                        clients.callback(value.close)  # pages do not bore their readers with it
            else:
                run = run_script if block.language == "bash" else run_console
                run(code.replace(url, PORTAL), where=f"{page_id(page)}:{block.line}", url=url)
        elif block.excuse is None and block.language != "text":
            {"json": json.loads, "toml": tomllib.loads}[block.language](block.code)


def run_console(code: str, *, where: str, url: str) -> None:
    """Run the commands of a block and compare what they print."""
    for command, wanted in commands_in(code):
        got = run_script(command, where=where, url=url)
        same = not wanted or MATCHES(without_volatile(wanted), without_volatile(got), FORGIVING)
        assert same, f"{where}: {command}\nwanted:\n{wanted}\ngot:\n{got}"


def run_script(script: str, *, where: str, url: str) -> str:
    """Run commands as somebody who pastes them into a terminal of 80 columns; what they print."""
    if "curl " in script and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", script.replace(PORTAL, url)],
        env={**os.environ, "PATH": path, "COLUMNS": "80", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"{where}: {script}\n{done.stdout}{done.stderr}"
    return done.stdout.replace(url, PORTAL)


def without_volatile(text: str) -> str:
    """The text with ids and times, which differ from run to run, masked."""
    for pattern, mask in VOLATILE:
        text = pattern.sub(mask, text)
    return text


def commands_in(code: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output that is shown."""
    commands: list[list[str]] = []
    for line in code.splitlines():
        if line.startswith("$ "):
            commands.append([line[2:], ""])
        else:
            commands[-1][1] += f"{line}\n"
    return [(command, output) for command, output in commands]


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_a_block_that_is_copied_holds_no_prompt_that_would_be_pasted(page: Path) -> None:
    for block in blocks_of(page):
        if block.language == "bash":
            assert not re.search(r"^[$>] ", block.code, re.MULTILINE), f"line {block.line}: a prompt"
        if block.language == "console":
            assert not re.search(r"^> |^\$ .*(\\|<<.*)$", block.code, re.MULTILINE), (
                f"line {block.line}: a command of several lines belongs in a bash block"
            )


def test_a_wrong_output_is_found() -> None:
    with pytest.raises(AssertionError, match="wanted"):
        run_console("$ echo two\none\n", where="here", url=PORTAL)


def test_a_failing_command_is_found() -> None:
    with pytest.raises(AssertionError, match="oops"):
        run_console("$ echo oops >&2; false\n", where="here", url=PORTAL)
