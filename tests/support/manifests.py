"""Where the manifests lie, and what the variables of a container become."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

KUBERNETES = Path(__file__).parents[2] / "deploy" / "kubernetes"
OVERLAYS = ("one-pod", "cluster", "openshift")

_REFERENCE = re.compile(r"\$\((\w+)\)")


def environment(
    container: Mapping[str, Any], *, maps: Mapping[str, Mapping[str, str]], others: Mapping[str, str]
) -> dict[str, str]:
    """The environment as the kubelet makes it.

    Args:
        container: With ``envFrom`` and ``env``.
        maps: The data of ConfigMaps and Secrets by name.
        others: Values of variables that come from elsewhere: a key of a Secret, a field of the pod.
    """
    found: dict[str, str] = {}
    for source in container["envFrom"]:
        [reference] = source.values()
        found |= maps[reference["name"]]
    variables: Sequence[Mapping[str, Any]] = container["env"]
    for variable in variables:
        value = variable["value"] if "value" in variable else others[variable["name"]]
        # A reference to what is not there stays as it is.
        found[variable["name"]] = _REFERENCE.sub(lambda match: found.get(match[1], match[0]), value)
    return found
