"""Functions in Lambda's own container, on the built artefacts, against the deployed stack.

MiniStack runs functions with the interpreter of .venv; only here do the layers stand alone, on the C library and with
the paths that Lambda has. The photo is uploaded as always; its message is taken away from MiniStack's own function by
switching the queue's mapping off, and handed to the container in the event file that the other tests use.
"""

import ipaddress
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from pawcast.adapters.run_files import RunFiles
from pawcast.adapters.run_frames import RunFrames, parquet_bytes
from pawcast.forecasting.models import BUILT_IN_RELEASE, built_in_document
from pawcast_ops.api_types import NewPost
from pawcast_ops.demo.files import phone_jpeg
from pawcast_ops.demo.sources import picture
from pawcast_ops.local import sam
from pawcast_ops.local.emulator import CREDENTIALS, EVERYWHERE, REGION
from tests.support.stack import ROOT, RunningStack, running_stack
from tests.support.visits import drawn_visits

pytestmark = [pytest.mark.docker, pytest.mark.e2e]

EVENT = ROOT / "events" / "screen_photos" / "sqs_s3_object_created.json"
DROP_EVENT = ROOT / "events" / "ingest_drops" / "sqs_s3_object_created.json"
WEEK = "2026-W39"
STORES = 12


def why_no_docker() -> str | None:
    """The reason why containers can't run here, or None."""
    if shutil.which("docker") is None:
        return "the command docker is not installed"
    asked = subprocess.run(
        ["docker", "image", "inspect", f"public.ecr.aws/lambda/python:3.13-{sam.machine_architecture()}"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"docker: {asked.stderr.strip()}" if asked.returncode else None


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    if reason := why_no_docker():
        pytest.skip(reason)
    with running_stack(tmp_path_factory.mktemp("stack"), EVERYWHERE) as running:
        set_mappings(running, enabled=False)
        yield running


def test_the_screening_function_decides_a_photo_inside_lambdas_container(
    stack: RunningStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with stack.signed_in("mina") as mina:
        photo = phone_jpeg(picture("cat"))
        ticket = mina.submit(NewPost(title="A cat", content_type="image/jpeg", size_bytes=len(photo)))
        mina.upload(ticket, photo)
        answer, report = invoke(
            stack, tmp_path, "ScreenPhotosFunction", an_event(message_about(stack, ticket.post.post_id))
        )
        post = mina.post(ticket.post.post_id)
    with capsys.disabled():
        print(f"\ncontainer: {report}")

    assert {"batchItemFailures": []} == answer
    assert "published" == post.state
    assert post.decision is not None
    assert 0 <= post.decision.probability < post.decision.threshold


def test_a_shard_is_forecast_and_planned_inside_lambdas_container(
    stack: RunningStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = RunFiles(stack.client("s3"), stack.stack.output("PlansBucketName"))
    frames, prefix = RunFrames(files), f"runs/{WEEK}/1"
    visits = drawn_visits(stores=STORES, weeks=30, unknown_weeks=2)
    ids = sorted(visits["store_id"].unique())
    stores = pd.DataFrame(
        {"store_id": ids, "name": ids, "plans_by": "day", "visitors_per_person": 20.0, "min_staff": 3}
    )
    frames.put_frame(f"{prefix}/shards/0000/history.parquet", visits)
    frames.put_frame(f"{prefix}/shards/0000/stores.parquet", stores)
    release = {"release": BUILT_IN_RELEASE.model_dump(mode="json")}
    model = str(BUILT_IN_RELEASE.champion.model)
    files.put_json(f"{prefix}/release.json", release | {"models": {model: built_in_document()}})

    task = {"week": WEEK, "attempt": 1, "shard": 0}
    forecast, first = invoke(stack, tmp_path, "ForecastShardFunction", task | {"fallback": False})
    planned, second = invoke(stack, tmp_path, "PlanShardFunction", task)
    with capsys.disabled():
        print(f"\ncontainer: forecast {first}\ncontainer: plan {second}")

    plans = files.get_json(f"{prefix}/shards/0000/plans.json")["stores"]
    assert {"shard": 0, "stores": STORES, "quarantined": 0} == forecast
    assert STORES == planned["stores"] == len(plans)
    assert {"model"} == {plan["method"] for plan in plans}
    assert all(row["staff"] >= 3 for plan in plans for row in plan["rows"] if row["open"])


def test_a_parquet_drop_is_taken_and_one_that_crashes_its_reader_refused_inside_lambdas_container(
    stack: RunningStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    s3, bucket = stack.client("s3"), stack.stack.output("DropsBucketName")
    closed = pd.DataFrame({"region": ["*"], "day": ["2026-12-25"], "open": [False]})
    footer = b"\x1c" * 2_000_000  # structs inside each other
    contents = {
        "drops/calendar/holidays.parquet": parquet_bytes(closed),
        "drops/visits/hostile.parquet": b"PAR1" + footer + struct.pack("<I", len(footer)) + b"PAR1",
    }
    for key, content in contents.items():
        s3.put_object(Bucket=bucket, Key=key, Body=content)
    event = json.loads(DROP_EVENT.read_text(encoding="utf-8"))
    records = [
        template | {"body": json.dumps(about(json.loads(template["body"]), key))}
        for template, key in zip(event["Records"], contents, strict=True)
    ]

    answer, report = invoke(stack, tmp_path, "IngestDropsFunction", {"Records": records})
    with capsys.disabled():
        print(f"\ncontainer: ingest {report}")

    taken, refused = (
        json.loads(s3.get_object(Bucket=bucket, Key=f"ingest-{key.replace('drops/', 'reports/')}.json")["Body"].read())
        for key in contents
    )
    assert {"batchItemFailures": []} == answer
    assert (False, 1) == (taken["refused"], taken["rows_kept"])
    assert ("parquet_damaged", "SIGSEGV") == (refused["problems"][0]["code"], refused["problems"][0]["value"])


def about(notification: Any, key: str) -> Any:
    """A notification of S3, of another object."""
    (record,) = notification["Records"]
    thing = {"key": key, "size": 1, "sequencer": record["s3"]["object"]["sequencer"]}
    return {"Records": [record | {"s3": record["s3"] | {"object": thing}}]}


def invoke(stack: RunningStack, folder: Path, function: str, event: Any) -> tuple[Any, str]:
    """`sam local invoke`: the function's answer and its report line."""
    client = stack.client("lambda")
    names = [
        each["FunctionName"] for page in client.get_paginator("list_functions").paginate() for each in page["Functions"]
    ]
    deployed = client.get_function_configuration(FunctionName=next(name for name in names if function in name))
    variables = deployed["Environment"]["Variables"] | {
        "AWS_ENDPOINT_URL": f"http://{address_of_this_machine()}:{stack.emulator.port}",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }
    (folder / "event.json").write_text(json.dumps(event), encoding="utf-8")
    (folder / "environment.json").write_text(json.dumps({function: variables}), encoding="utf-8")
    here = Path(sys.executable).parent
    ran = subprocess.run(
        [
            here / "sam",
            "local",
            "invoke",
            function,
            f"--template={template_with(function, variables)}",
            f"--event={folder / 'event.json'}",
            f"--env-vars={folder / 'environment.json'}",
            f"--region={REGION}",
            f"--parameter-overrides=Architecture={sam.machine_architecture()}",
            "--skip-pull-image",
        ],
        cwd=folder,
        env=os.environ | CREDENTIALS | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": REGION},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    report = re.findall(r"REPORT .*", ran.stderr)
    return json.loads(ran.stdout.strip().splitlines()[-1]), report[-1] if report else "no report"


def address_of_this_machine() -> str:
    """Where containers see it. An address, not a name: before a name S3's client would put the bucket's."""
    asked = subprocess.run(["docker", "network", "inspect", "bridge"], capture_output=True, text=True, check=True)
    network = json.loads(asked.stdout)[0]["IPAM"]["Config"][0]
    return network.get("Gateway") or str(next(ipaddress.ip_network(network["Subnet"]).hosts()))


def template_with(function: str, variables: dict[str, str]) -> Path:
    """The built template, in whose function SAM can set variables that the real one must not name."""
    built = sam.build_directory(ROOT, sam.machine_architecture()) / "template.yaml"
    template = yaml.safe_load(built.read_text(encoding="utf-8"))
    environment = template["Resources"][function]["Properties"]["Environment"]
    environment["Variables"] = dict.fromkeys(variables, "")
    changed = built.with_name("template.container.yaml")
    changed.write_text(yaml.safe_dump(template), encoding="utf-8")
    return changed


def an_event(body: str) -> Any:
    """The event file of the other tests, with one record that speaks of our photo."""
    event = json.loads(EVENT.read_text(encoding="utf-8"))
    return {"Records": [event["Records"][0] | {"body": body}]}


def message_about(stack: RunningStack, post_id: str) -> str:
    """The body of S3's message about a photo, taken from the queue."""
    sqs, until = stack.client("sqs"), time.monotonic() + 30
    while time.monotonic() < until:
        queue = stack.stack.output("ScreeningQueueUrl")
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            if post_id in message["Body"]:
                return str(message["Body"])
        time.sleep(0.2)
    pytest.fail("S3 told nobody about the photo")


def set_mappings(stack: RunningStack, *, enabled: bool) -> None:
    client = stack.client("lambda")
    for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)
