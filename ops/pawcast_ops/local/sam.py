"""`sam build` and `sam deploy` for the local stack: the same commands as for AWS, with other addresses.

Both are skipped when nothing they depend on has changed, judged by content. Builds for this machine lie in
`.aws-sam/<architecture>/`, away from `.aws-sam/build`, where a plain `sam build` puts what goes to AWS: a local build
can't be deployed there by accident.
"""

import hashlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3

from pawcast_ops.local.emulator import CREDENTIALS, REGION, Emulator, LocalStackError, clean_environment

STACK_NAME = "pawcast"
ARCHITECTURES = ("x86_64", "arm64")

# What a build is made from. `requirements/sam.txt` stands for SAM itself.
BUILD_INPUTS = ("template.yaml", "stacks", "statemachines", "functions", "layers", "requirements/sam.txt")


def machine_architecture() -> str:
    """This machine's processor in AWS's words."""
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"


def build_directory(root: Path, architecture: str) -> Path:
    """Where `build` leaves the artefacts and the template that points at them."""
    return root / ".aws-sam" / architecture / "build"


def build(root: Path, architecture: str) -> bool:
    """Build functions and layers; False if the last build is still right."""
    done = build_directory(root, architecture).parent / "fingerprint"
    fingerprint = inputs_fingerprint(root)
    if read_text(done) == fingerprint and build_directory(root, architecture).is_dir():
        return False
    done.unlink(missing_ok=True)
    done.parent.mkdir(parents=True, exist_ok=True)
    _sam(
        root,
        "build",
        "--cached",
        f"--build-dir={build_directory(root, architecture)}",
        f"--cache-dir={done.parent / 'cache'}",
        f"--parameter-overrides=Architecture={architecture}",
        config=done.parent,
    )
    done.write_text(fingerprint, encoding="utf-8")
    return True


def deploy(root: Path, state: Path, emulator: Emulator) -> bool:
    """Deploy the build of this machine's architecture; False if the very same is there already."""
    architecture = machine_architecture()
    done = state / "deployed"
    fingerprint = f"{emulator.instance} {inputs_fingerprint(root)}"
    if read_text(done) == fingerprint:
        return False
    done.unlink(missing_ok=True)
    # Two workers: each has its own 140 MB of unpacked layers, and this machine may have two processors. Demo and tests
    # post as three people what a community does.
    parameters = {
        "Architecture": architecture,
        "MaximumConcurrency": "2",
        "LogRetentionDays": "1",
        "PostsAnHour": "100000",
    }
    _sam(
        root,
        "deploy",
        f"--template-file={build_directory(root, architecture) / 'template.yaml'}",
        f"--stack-name={STACK_NAME}",
        f"--region={REGION}",
        "--resolve-s3",
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        "--capabilities",
        "CAPABILITY_IAM",
        "CAPABILITY_AUTO_EXPAND",
        "--parameter-overrides",
        *(f"{name}={value}" for name, value in parameters.items()),
        config=state,
        environment=CREDENTIALS | {"AWS_ENDPOINT_URL": emulator.endpoint_url, "AWS_DEFAULT_REGION": REGION},
    )
    _mend_queue_mappings(emulator)
    done.write_text(fingerprint, encoding="utf-8")
    return True


def outputs(emulator: Emulator) -> dict[str, str]:
    """The outputs of the deployed stack, with an ApiUrl that every machine resolves."""
    described = client("cloudformation", emulator).describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    found = {item["OutputKey"]: item["OutputValue"] for item in described.get("Outputs", [])}
    # The emulator says http://<id>.execute-api.localhost:<port>, a name that not every resolver knows.
    api_id = found["ApiUrl"].removeprefix("http://").partition(".")[0]
    return found | {"ApiUrl": f"{emulator.endpoint_url}/_aws/execute-api/{api_id}/$default"}


def client(service: str, emulator: Emulator) -> Any:
    """A boto3 client of the emulator."""
    session = boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    return session.client(service, endpoint_url=emulator.endpoint_url)  # type: ignore[call-overload]


def inputs_fingerprint(root: Path) -> str:
    """One hash over the names and contents of everything a build is made from."""
    digest = hashlib.sha256()
    for path in _inputs(root):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _inputs(root: Path) -> Iterator[Path]:
    for name in BUILD_INPUTS:
        for path in sorted([root / name, *(root / name).rglob("*")]):
            if path.is_file() and path.suffix != ".pyc":
                yield path


def _mend_queue_mappings(emulator: Emulator) -> None:
    """Say the concurrency once more, as a number.

    A template's parameter arrives as text, which MiniStack 1.5.33 keeps and then can't compare with a number: its
    poller would stand still for all queues.
    """
    aws_lambda = client("lambda", emulator)
    for mapping in aws_lambda.list_event_source_mappings()["EventSourceMappings"]:
        if limit := mapping.get("ScalingConfig", {}).get("MaximumConcurrency"):
            aws_lambda.update_event_source_mapping(
                UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": int(limit)}
            )


def _sam(root: Path, *arguments: str, config: Path, environment: dict[str, str] | None = None) -> None:
    """Run SAM without the project's samconfig.toml, which speaks of AWS, and without calling home."""
    empty = config / "samconfig.toml"
    empty.write_text("version = 0.1\n", encoding="utf-8")
    here = Path(sys.executable).parent
    completed = subprocess.run(
        [here / "sam", *arguments, f"--config-file={empty.resolve()}"],
        cwd=root,
        env=clean_environment()
        | (environment or {})
        | {
            "PATH": f"{here}{os.pathsep}{os.environ.get('PATH', os.defpath)}",  # its python3.13 builds
            "SAM_CLI_TELEMETRY": "0",
            "NO_PROXY": "127.0.0.1,localhost",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if completed.returncode:
        said = f"{completed.stdout}\n{completed.stderr}".strip().splitlines()[-40:]
        raise LocalStackError("\n".join([f"sam {arguments[0]} failed:", *said]))


def read_text(path: Path) -> str | None:
    """A file's text, or None."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None


def read_json(path: Path) -> Any:
    """A JSON file of the state folder, or None."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
