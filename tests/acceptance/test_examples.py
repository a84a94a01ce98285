"""What is shown to strangers works: the demo, and the notebooks in two kernels."""

from __future__ import annotations

import base64
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from nbclient import NotebookClient

from qdepot import Client
from support.service import Service
from support.statistics import assert_sampled_from

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOKS = [EXAMPLES / "notebook.ipynb", EXAMPLES / "notebook-later.ipynb"]


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location("qdepot_demo", EXAMPLES / "demo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_demo_ends_well_and_leaves_readable_bundles(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / "demo.py", tmp_path], capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All is as it should be" in done.stdout
    assert len(list((tmp_path / "objects" / "completed").rglob("*.zip"))) == 4


def test_the_demo_notices_a_wrong_bit_order(demo: ModuleType) -> None:
    right = {
        "bell.qasm": {"00": 500, "11": 524},
        "grover.qasm": {"110": 970, "000": 54},
        "qft.qasm": {"01011": 1024},
        "wstate.qpy": {f"{1 << place:020b}": 204 for place in range(20)},
    }
    for example in demo.CIRCUITS:
        counts = right[example.file]
        assert example.is_right(counts, sum(counts.values())), example.file
    for file in ("grover.qasm", "qft.qasm"):
        [example] = [one for one in demo.CIRCUITS if one.file == file]
        reversed_counts = {bits[::-1]: count for bits, count in right[file].items()}
        assert not example.is_right(reversed_counts, sum(reversed_counts.values())), file


def test_the_demo_says_what_went_wrong(
    demo: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["demo.py", str(tmp_path)])
    monkeypatch.setattr(demo, "QDEPOT", Path("/bin/false"))
    assert demo.main() == 1
    assert "did not start" in capsys.readouterr().out


def test_a_job_of_one_notebook_is_found_by_another(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("QDEPOT_URL", service.url)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    _, later = (run(path) for path in NOTEBOOKS)
    images = [out["data"]["image/png"] for cell in later.cells for out in cell.get("outputs", ()) if is_image(out)]
    assert len(images) == 1
    assert base64.b64decode(images[0]).startswith(b"\x89PNG")
    with Client(service.url) as client:
        [job] = client.jobs(tag="notebook")
        assert_sampled_from(job.counts(), {"001": 0.2, "010": 0.3, "100": 0.5})


def run(path: Path) -> nbformat.NotebookNode:
    """Execute a notebook in a kernel of its own."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=90, kernel_name="python3").execute()
    return notebook


def is_image(output: nbformat.NotebookNode) -> bool:
    return "image/png" in output.get("data", {})


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_committed_notebooks_carry_no_outputs(path: Path) -> None:
    for cell in json.loads(path.read_text())["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
