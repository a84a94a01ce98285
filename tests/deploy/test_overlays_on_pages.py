"""The overlays that the pages tell people to write can be rendered."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from support.manifests import KUBERNETES

HOW_TO = KUBERNETES.parents[1] / "docs" / "how-to"
HEAD = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"


def overlays() -> list[tuple[str, str]]:
    """Page and text of each; one that only shows what is special begins with its resources."""
    found = []
    for page in ("install-kubernetes.md", "install-openshift.md"):
        for text in re.findall(r"^```text\n(.*?)^```", (HOW_TO / page).read_text(), re.DOTALL | re.MULTILINE):
            if "resources:\n" in text:
                found.append((page, text if "kind: Kustomization" in text else HEAD + text))
    return found


def test_they_are_found():
    assert [page for page, _ in overlays()] == ["install-kubernetes.md", "install-openshift.md", "install-openshift.md"]


@pytest.mark.parametrize(("page", "text"), overlays())
def test_an_overlay_of_ones_own_is_rendered(page, text, tmp_path: Path):
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl, so that what kustomize makes of the overlays on the pages was not looked at")
    shutil.copytree(KUBERNETES, tmp_path / "deploy" / "kubernetes")
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "kustomization.yaml").write_text(text)
    done = subprocess.run(["kubectl", "kustomize", tmp_path / "lab"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    objects = list(yaml.safe_load_all(done.stdout))
    for item in objects:
        if item["kind"] != "Route":
            kubernetes_validate.validate(item, "1.34", strict=True)
    if "newName: " in text:
        [image] = re.findall(r"newName: (\S+)", text)
        assert set(re.findall(r"image: (\S+):", done.stdout)) == {image}
    if "openshift" in page:
        assert "fsGroup" not in done.stdout
        assert "Route" in {item["kind"] for item in objects}
