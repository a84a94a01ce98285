"""Manifests fit the schemas of Kubernetes, and each other. Nothing here was run on a cluster.

A Route has no published schema; its shape is compared by hand with what OpenShift's documentation says.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from support.manifests import KUBERNETES, OVERLAYS

VERSIONS = ["1.25", "1.29", "1.34", "1.37"]
BARE = [path for path in KUBERNETES.rglob("*.yaml") if path.name != "kustomization.yaml"]
NO_SCHEMA = {"Route", "Kustomization", "Component"}


def objects_in(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


def pods(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The pod template of each workload by its name."""
    found = {}
    for item in objects:
        spec = item["spec"] if item["kind"] in {"Deployment", "CronJob"} else None
        if spec is not None:
            found[item["metadata"]["name"]] = spec.get("jobTemplate", {"spec": spec})["spec"]["template"]
    return found


def named(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {item["metadata"]["name"]: item for item in objects if item["kind"] == kind}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_kustomize_makes_fits_the_schemas(rendered, overlay, version):
    for item in rendered(overlay):
        if item["kind"] not in NO_SCHEMA:
            kubernetes_validate.validate(item, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", BARE, ids=lambda path: str(path.relative_to(KUBERNETES)))
def test_each_file_that_is_no_patch_fits_the_schemas(path, version):
    """Also without a kubectl. A patch is a part of an object; it knows no image, or no ports."""
    kustomizations = [yaml.safe_load(file.read_text()) for file in KUBERNETES.rglob("kustomization.yaml")]
    patches = {patch["path"] for kustomization in kustomizations for patch in kustomization.get("patches", [])}
    for item in objects_in(path):
        assert item["apiVersion"]
        if path.name not in patches and item["kind"] not in NO_SCHEMA:
            kubernetes_validate.validate(item, version, strict=True)


def test_a_wrong_manifest_would_be_found():
    wrong = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "x"}, "automount": False}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.34", strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_keeps_the_restricted_standard(rendered, overlay):
    for name, template in pods(rendered(overlay)).items():
        spec = template["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, name
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert {mount["mountPath"] for mount in container["volumeMounts"]} >= {"/var/lib/qdepot", "/tmp"}, name
            assert container["resources"]["limits"]["memory"], name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_has_the_image_that_was_pushed_and_the_label_of_all(rendered, overlay):
    for name, template in pods(rendered(overlay)).items():
        images = {container["image"] for container in template["spec"]["containers"]}
        assert images == {"registry.example.org/lab/qdepot:0.1.0"}, name
        assert template["metadata"]["labels"]["app.kubernetes.io/name"] == "qdepot", name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_selector_meets_the_pods_it_means_and_no_others(rendered, overlay):
    objects = rendered(overlay)
    labels = {name: template["metadata"]["labels"] for name, template in pods(objects).items()}

    def met(selector: dict[str, str]) -> set[str]:
        assert selector
        return {name for name, has in labels.items() if selector.items() <= has.items()}

    assert met(named(objects, "Service")["qdepot"]["spec"]["selector"]) == {"qdepot"}
    for name, policy in named(objects, "NetworkPolicy").items():
        wanted = {"qdepot"} if policy["spec"].get("ingress") else set(labels)
        assert met(policy["spec"]["podSelector"]["matchLabels"]) == wanted, name
    for name, item in named(objects, "Deployment").items():
        assert met(item["spec"]["selector"]["matchLabels"]) == {name}
    for item in named(objects, "PodDisruptionBudget").values():
        assert met(item["spec"]["selector"]["matchLabels"]) == {"qdepot"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_settings_map_that_is_named_is_there_and_holds_no_secret(rendered, overlay):
    objects = rendered(overlay)
    maps = named(objects, "ConfigMap")
    outside = {"qdepot-bucket"}
    for name, template in pods(objects).items():
        sources = template["spec"]["containers"][0]["envFrom"]
        referred = {source["configMapRef"]["name"] for source in sources if "configMapRef" in source}
        assert referred - outside == set(maps), name
    assert not any(word in json.dumps(maps) for word in ("qdp_", "PASSWORD", "SECRET", "TOKEN"))
    assert "Secret" not in {item["kind"] for item in objects}


def test_probes_speak_https_and_are_let_through_the_gate(rendered):
    for overlay in OVERLAYS:
        container = pods(rendered(overlay))["qdepot"]["spec"]["containers"][0]
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            get = container[kind]["httpGet"]
            assert get["scheme"] == "HTTPS"
            assert {"name": "Host", "value": "localhost"} in get["httpHeaders"]
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"  # a slow database kills nobody


def test_with_sqlite_there_is_one_pod_at_a_time_on_its_volume(rendered):
    objects = rendered("one-pod")
    assert list(pods(objects)) == ["qdepot"]
    spec = named(objects, "Deployment")["qdepot"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    volumes = {volume["name"]: volume for volume in spec["template"]["spec"]["volumes"]}
    assert volumes["data"] == {"name": "data", "persistentVolumeClaim": {"claimName": "qdepot-data"}}
    assert "qdepot-data" in named(objects, "PersistentVolumeClaim")
    assert spec["template"]["spec"]["containers"][0]["args"] == ["serve"]


@pytest.mark.parametrize("overlay", ["cluster", "openshift"])
def test_in_a_cluster_services_take_jobs_and_others_run_them(rendered, overlay):
    objects = rendered(overlay)
    arguments = {name: template["spec"]["containers"][0]["args"] for name, template in pods(objects).items()}
    assert arguments == {
        "qdepot": ["serve", "--no-reconciler"],
        "qdepot-reconciler": ["reconcile", "--every", "2s"],
        "qdepot-reconcile": ["reconcile", "--once", "--longest", "50s"],
    }
    assert named(objects, "Deployment")["qdepot"]["spec"]["replicas"] > 1
    cron = named(objects, "CronJob")["qdepot-reconcile"]
    assert cron["apiVersion"] == "batch/v1"
    assert cron["spec"]["concurrencyPolicy"] == "Forbid"
    assert cron["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] > 50


def test_on_openshift_no_user_is_named(rendered):
    text = json.dumps(rendered("openshift"))
    assert not any(word in text for word in ("runAsUser", "runAsGroup", "fsGroup", "supplementalGroups"))


def test_the_route_reaches_the_service_by_tls(rendered):
    objects = rendered("openshift")
    route, service = named(objects, "Route")["qdepot"], named(objects, "Service")["qdepot"]
    assert route["apiVersion"] == "route.openshift.io/v1"
    assert set(route["spec"]) <= {"host", "path", "to", "alternateBackends", "port", "tls", "wildcardPolicy"}
    assert route["spec"]["to"] == {"kind": "Service", "name": "qdepot", "weight": 100}
    assert route["spec"]["port"]["targetPort"] in {port["name"] for port in service["spec"]["ports"]}
    assert route["spec"]["tls"] == {"termination": "reencrypt", "insecureEdgeTerminationPolicy": "Redirect"}
    secret = service["metadata"]["annotations"]["service.beta.openshift.io/serving-cert-secret-name"]
    volumes = pods(objects)["qdepot"]["spec"]["volumes"]
    assert secret in {volume["secret"]["secretName"] for volume in volumes if "secret" in volume}
    [settings] = named(objects, "ConfigMap").values()
    assert settings["data"]["QDEPOT_PUBLIC_URL"] == f"https://{route['spec']['host']}"
