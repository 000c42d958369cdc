"""Photos a second through the whole local stack, from upload to notice, once everything is warm.

    pawcast stack up
    python benchmarks/local_stack.py            # 40 photos; --photos N --rounds N

Waits are not simulated: API, S3, SQS, screening, SNS, notices and mail all run. Compare figures of one machine and one
run only; the first round warms the workers and is not counted.
"""

import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table

from pawcast_ops.api_types import NewPost
from pawcast_ops.client import PawcastClient, pages, sign_in
from pawcast_ops.demo.sources import picture
from pawcast_ops.local.seeds import Person
from pawcast_ops.outputs import STACK_FILE, stack_outputs

AT_ONCE = 8
LOCAL_WORKERS = 2  # the local stack deploys with MaximumConcurrency=2


def main(
    photos: Annotated[int, typer.Option(help="Photos in each round.", min=1)] = 40,
    rounds: Annotated[int, typer.Option(help="Counted rounds.", min=1)] = 3,
    out: Annotated[Path | None, typer.Option(help="Write what `pawcast capacity plan --measured` reads.")] = None,
) -> None:
    """Upload rounds of phone photos and wait until each has its notice."""
    content = [jpeg(number) for number in range(photos)]
    with signed_in() as person:
        seconds = [one_round(person, content) for _ in range(rounds + 1)][1:]
    table = Table("round", "seconds", "photos a second", title=f"{photos} photos from upload to notice, warm")
    for number, taken in enumerate(seconds, 1):
        table.add_row(str(number), f"{taken:.1f}", f"{photos / taken:.1f}")
    Console().print(table)
    if out is not None:
        # Both workers are busy all the time, and share two cores with the emulator: an upper bound for a whole vCPU.
        samples = [round(taken * LOCAL_WORKERS / photos, 4) for taken in seconds]
        report = {"seconds_per_photo": {"samples": samples}, "measured_at": f"{datetime.now(UTC):%Y-%m-%d}"}
        out.write_text(json.dumps(report, indent=2) + "\n")


def jpeg(number: int) -> bytes:
    """A 12-megapixel photo, each with other bytes."""
    file = io.BytesIO()
    photo = picture("cat").convert("RGB").resize((4032, 3024)).rotate(number % 7)
    photo.save(file, "JPEG", quality=85)
    return file.getvalue()


def signed_in() -> PawcastClient:
    """The API of the local stack, as its first uploader."""
    stack = stack_outputs()
    person = TypeAdapter(list[Person]).validate_json((STACK_FILE.parent / "users.json").read_bytes())[0]
    token = sign_in(
        person.username,
        person.password,
        user_pool_client_id=stack.output("UserPoolClientId"),
        region=stack.region or "us-east-1",
        endpoint_url=stack.endpoint_url,
    )
    return PawcastClient(stack.output("ApiUrl"), token)


def one_round(person: PawcastClient, content: list[bytes]) -> float:
    """Seconds from the first upload to the last notice."""
    started = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = set(pool.map(lambda photo: upload(person, photo), content))
    while waiting:
        for notice in pages(lambda cursor: person.inbox(cursor=cursor, limit=50)):
            waiting.discard(notice.post_id)
            if not waiting:
                break
        time.sleep(0.1)
    return time.perf_counter() - started


def upload(person: PawcastClient, photo: bytes) -> str:
    """Post one photo; its post id."""
    ticket = person.submit(NewPost(title="Benchmark", content_type="image/jpeg", size_bytes=len(photo), tags=()))
    person.upload(ticket, photo)
    return ticket.post.post_id


if __name__ == "__main__":
    typer.run(main)
