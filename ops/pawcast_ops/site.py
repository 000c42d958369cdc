"""`pawcast site`: the pages of `web/` on AWS. On this machine `make up` serves them (`pawcast_ops.local.site`).

Publishing puts every file into the site's bucket with its type and how long browsers keep it, writes `config.json`
from the stack's outputs, takes away what is no longer there, and tells CloudFront to forget.
"""

import hashlib
import json
import mimetypes
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from pawcast_ops.outputs import Stack, StackNotFound, stack_outputs

app = typer.Typer(no_args_is_help=True, help="Publish the site's pages to AWS.")

WEB: Final = Path(__file__).resolve().parents[2] / "web"
TYPES: Final = {".js": "text/javascript", ".html": "text/html", ".css": "text/css", ".svg": "image/svg+xml"}
ALWAYS_ASKED: Final = "no-cache"  # kept, but asked for again each time: a page and its modules must be of one version


@dataclass(frozen=True)
class SiteFile:
    """One file of the site as it lies in the bucket."""

    key: str
    content: bytes
    content_type: str

    @property
    def etag(self) -> str:
        """As S3 computes it for a file that was put whole."""
        return f'"{hashlib.md5(self.content, usedforsecurity=False).hexdigest()}"'


@app.callback()
def site() -> None:
    """Keep `pawcast site publish` a group of one."""


@app.command()
def publish(
    stack_name: Annotated[str, typer.Argument(help="The stack of CloudFormation.")],
    web: Annotated[Path, typer.Option(help="The folder of the pages.")] = WEB,
) -> None:
    """Upload web/ and its configuration, and let CloudFront forget what it kept."""
    console = Console()
    try:
        stack = stack_outputs(stack_name)
        changed = upload(stack, list(site_files(web, stack)))
    except StackNotFound as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(2) from error
    if changed:
        client = stack.session().client("cloudfront", endpoint_url=stack.endpoint_url)
        batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": uuid.uuid4().hex}
        client.create_invalidation(DistributionId=stack.output("SiteDistributionId"), InvalidationBatch=batch)
    console.print(f"[green]✓[/] {changed} files changed; {stack.output('SiteUrl')}/weeks.html", highlight=False)


def site_files(web: Path, stack: Stack) -> Iterator[SiteFile]:
    """Every file of the site, `config.json` from the stack's outputs included."""
    for path in sorted(web.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            text = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
            yield SiteFile(path.relative_to(web).as_posix(), path.read_bytes(), text)
    document = {
        "api_url": "/api",
        "cognito_url": f"https://cognito-idp.{stack.output('UserPoolId').partition('_')[0]}.amazonaws.com/",
        "user_pool_client_id": stack.output("UserPoolClientId"),
    }
    yield SiteFile("config.json", json.dumps(document, indent=2).encode(), "application/json")


def upload(stack: Stack, files: list[SiteFile]) -> int:
    """Make the bucket hold exactly these files; how many had to be written or taken away."""
    s3 = stack.session().client("s3", endpoint_url=stack.endpoint_url)
    bucket = stack.output("SiteBucketName")
    there: dict[str, str] = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        there |= {thing["Key"]: thing["ETag"] for thing in page.get("Contents", [])}
    changed = [each for each in files if there.get(each.key) != each.etag]
    # Pages last: whoever loads one finds what it asks for.
    for each in sorted(changed, key=lambda each: each.key.endswith(".html")):
        s3.put_object(
            Bucket=bucket,
            Key=each.key,
            Body=each.content,
            ContentType=each.content_type,
            CacheControl=ALWAYS_ASKED,
        )
    gone = sorted(set(there) - {each.key for each in files})
    for key in gone:
        s3.delete_object(Bucket=bucket, Key=key)
    return len(changed) + len(gone)
