"""The commands of `pawcast demo`.

`run` needs a stack (`make up`) and its people in `.pawcast/users.json`, a list of `{"username": ...,
"email": ..., "password": ..., "groups": [...]}`. People in no group are plain uploaders; the first three of
them tell the story. Exit status: 0 everybody was told, 1 somebody was not or a published photo still
carries metadata, 2 there is no stack to talk to.
"""

import json
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Self

import typer
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from rich.console import Console
from rich.live import Live
from rich.panel import Panel

from pawcast_ops.client import ClientError, PawcastClient, sign_in
from pawcast_ops.demo import display
from pawcast_ops.demo.contact_sheet import contact_sheet
from pawcast_ops.demo.mails import Mail, caught_mails, mails_since
from pawcast_ops.demo.people import PeopleStory
from pawcast_ops.demo.pictures import build_uploads
from pawcast_ops.demo.steps import Steps, StoryFailed
from pawcast_ops.demo.story import Outcome, Pace, Person, Snapshot, Story, leaks, unanswered
from pawcast_ops.demo.week import HISTORY_WEEKS, WeekStory, audit_table
from pawcast_ops.local.site import running as running_site
from pawcast_ops.outputs import Stack, StackNotFound, stack_outputs

app = typer.Typer(no_args_is_help=True, help="Upload varied photos through the running stack and watch.")

USERS_FILE = Path(".pawcast/users.json")
PEOPLE = 3
_PLAIN_LINE_EVERY_SECONDS = 2.0


class User(BaseModel):
    """One line of `.pawcast/users.json`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    username: str
    email: str
    password: str
    groups: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How the table calls this person: `mina@example.com` is Mina."""
        return self.username.partition("@")[0].capitalize()


@app.command()
def run(
    stack_name: Annotated[str | None, typer.Option(help="A stack of CloudFormation instead of the local one.")] = None,
    users_file: Annotated[Path, typer.Option(help="People to sign in as.")] = USERS_FILE,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="Uploads at the same time.")] = 6,
    patience: Annotated[float, typer.Option(min=1, help="Seconds without any news before giving up.")] = 180.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcomes as JSON.")] = False,
    svg: Annotated[Path | None, typer.Option(help="Also draw the output into this SVG file.")] = None,
) -> None:
    """Upload all demo photos as three people at once, wait until each is told, and show the table."""
    notes = Console(stderr=as_json, highlight=False)
    out = Console(record=svg is not None, highlight=False, stderr=as_json, width=100 if svg else None)
    try:
        stack = stack_outputs(stack_name)
        users = read_users(users_file)
    except StackNotFound as error:
        notes.print(f"[red]{error}[/]")
        raise typer.Exit(2) from error

    notes.print("Drawing the photos …", style="dim")
    uploads = build_uploads()
    mail_endpoint = stack.endpoint_url if stack.is_local else None
    known = {mail.message_id for mail in caught_mails(mail_endpoint)} if mail_endpoint else set()
    started = time.monotonic()
    with ExitStack() as open_things:
        try:
            people = [_signed_in(stack, user, open_things) for user in users]
        except (ClientError, StackNotFound) as error:
            notes.print(f"[red]Nobody can sign in: {error}[/]\nIs the stack up? `make up` starts it.")
            raise typer.Exit(2) from error
        notes.print(f"{len(uploads)} uploads by {', '.join(person.name for person in people)}", style="bold")
        view = open_things.enter_context(Watcher(notes))
        story = Story(
            people=people,
            uploads=uploads,
            pace=Pace(uploads_at_once=at_once, patience_seconds=patience),
            now=lambda: datetime.now(UTC),
            monotonic=time.monotonic,
            sleep=time.sleep,
            on_change=view.show,
        )
        outcomes = story.tell()
        elapsed = view.last_seconds or time.monotonic() - started
    told = sum(outcome.seconds is not None for outcome in outcomes)
    mails: list[Mail] = []
    if mail_endpoint:
        mails = mails_since(
            known,
            lambda: caught_mails(mail_endpoint),
            expected=told,
            monotonic=time.monotonic,
            sleep=time.sleep,
        )

    if as_json:
        sys.stdout.write(json.dumps(as_document(outcomes, mails, elapsed), ensure_ascii=False, indent=2) + "\n")
    else:
        _print(out, outcomes, mails, elapsed, stack)
    if svg is not None:
        display.save_svg(out, svg, title="make demo")
    raise typer.Exit(1 if unanswered(outcomes) or leaks(outcomes) else 0)


@app.command()
def people(
    stack_name: Annotated[str | None, typer.Option(help="A stack of CloudFormation instead of the local one.")] = None,
    users_file: Annotated[Path, typer.Option(help="People to sign in as.")] = USERS_FILE,
    patience: Annotated[float, typer.Option(min=1, help="Seconds to wait for one step.")] = 60.0,
) -> None:
    """Hold, overturn, uphold, cover a face, appeal, report, withdraw: what people do about the model's decisions."""
    console = Console(highlight=False)
    try:
        stack = stack_outputs(stack_name)
        first, second, *_ = members_of(users_file, "operators", at_least=2)
        author, visitor, *_ = read_users(users_file, at_least=2)
        with ExitStack() as open_things:
            clients = [open_things.enter_context(_client_of(stack, who)) for who in (author, visitor, first, second)]
            story = PeopleStory(clients[0], clients[1], (clients[2], clients[3]), Steps(console, patience))
            summary = story.tell()
    except StackNotFound as error:
        console.print(f"[red]{error}[/]\nIs the stack up? `make up` starts it.")
        raise typer.Exit(2) from error
    except (ClientError, StoryFailed) as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from error
    site = running_site(Path(".pawcast").resolve()) if stack.is_local else None
    if site is not None:
        console.print(
            f"  the site: {site.url}/   the review console, {summary['waiting']} wait: {site.url}/review.html"
        )
        console.print(f"  sign in as {author.username} or {first.username}, passwords in {users_file}")


@app.command()
def week(
    stack_name: Annotated[str | None, typer.Option(help="A stack of CloudFormation instead of the local one.")] = None,
    users_file: Annotated[Path, typer.Option(help="People to sign in as.")] = USERS_FILE,
    stores: Annotated[int, typer.Option(min=20, max=10_000, help="Stores of the chain.")] = 300,
    weeks: Annotated[int, typer.Option(min=10, max=160, help="Weeks of visits.")] = HISTORY_WEEKS,
    patience: Annotated[float, typer.Option(min=1, help="Seconds to wait for one step.")] = 300.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the week's record as JSON.")] = False,
) -> None:
    """Run a whole forecast week of a made-up chain: data, failed Tuesday, good Wednesday, approval, receipts."""
    console = Console(stderr=as_json, highlight=False)
    try:
        stack = stack_outputs(stack_name)
        (planner, *_) = members_of(users_file, "planners")
        with _client_of(stack, planner) as client:
            shown = WeekStory(stack, client, Steps(console, patience), stores=stores, weeks=weeks).tell()
    except StackNotFound as error:
        console.print(f"[red]{error}[/]\nIs the stack up? `make up` starts it.")
        raise typer.Exit(2) from error
    except (ClientError, StoryFailed) as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from error
    if as_json:
        sys.stdout.write(json.dumps(shown, ensure_ascii=False, indent=2) + "\n")
    else:
        console.print(Panel(audit_table(shown), title="the week's record", title_align="left", expand=False))
        site = running_site(Path(".pawcast").resolve()) if stack.is_local else None
        if site is not None:
            console.print(f"  the week's page: {site.url}/weeks.html#/{shown['week']}")
            console.print(f"  sign in as {planner.username}, password in {users_file}")


@app.command()
def pictures(
    out: Annotated[Path, typer.Option(help="Folder to write into; it is made if missing.")] = Path("demo-pictures"),
) -> None:
    """Write the demo's files and a contact sheet into a folder, to look at them."""
    uploads = build_uploads()
    out.mkdir(parents=True, exist_ok=True)
    for upload in uploads:
        (out / upload.name).write_bytes(upload.data)
    (out / "contact-sheet.jpg").write_bytes(contact_sheet(uploads))
    Console(highlight=False).print(f"{len(uploads)} files and contact-sheet.jpg written to {out}")


class Watcher:
    """Shows progress: redrawn in place on a terminal, a line every two seconds elsewhere (CI, a pipe)."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, transient=True, auto_refresh=False) if console.is_terminal else None
        self._line_at = float("-inf")
        self.last_seconds = 0.0

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, snapshot: Snapshot) -> None:
        """Show how far the story is."""
        self.last_seconds = snapshot.seconds
        if self._live:
            self._live.update(display.live_view(snapshot), refresh=True)
        elif snapshot.seconds - self._line_at >= _PLAIN_LINE_EVERY_SECONDS or snapshot.done == snapshot.total:
            self._line_at = snapshot.seconds
            self._console.print(display.counts_line(snapshot), soft_wrap=True)


def all_users(path: Path) -> list[User]:
    """Everybody in the users file; raises StackNotFound that says what is wrong with it."""
    if not path.exists():
        message = f"there is no {path} here: `make up` writes it"
        raise StackNotFound(message)
    try:
        return TypeAdapter(list[User]).validate_json(path.read_bytes())
    except ValidationError as error:
        message = f"{path} is not a list of users: {error.errors()[0]['msg']}"
        raise StackNotFound(message) from error


def read_users(path: Path, *, at_least: int = 1) -> list[User]:
    """The people who upload; raises StackNotFound that says what is wrong with the file."""
    uploaders = [user for user in all_users(path) if not user.groups][:PEOPLE]
    if len(uploaders) < at_least:
        message = f"{path} names {len(uploaders)} people who are in no group, {at_least} must be there to upload"
        raise StackNotFound(message)
    return uploaders


def members_of(path: Path, group: str, *, at_least: int = 1) -> list[User]:
    """Who is in a group; raises StackNotFound when there are fewer than are needed."""
    members = [user for user in all_users(path) if group in user.groups]
    if len(members) < at_least:
        message = f"{path} names {len(members)} people in the group {group}, {at_least} are needed"
        raise StackNotFound(message)
    return members


def as_document(outcomes: Sequence[Outcome], mails: Sequence[Mail], elapsed: float) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "elapsed_seconds": round(elapsed, 3),
        "undecided": len(unanswered(outcomes)),
        "photos": [_photo_document(outcome) for outcome in outcomes],
        "mails": [{"to": mail.to, "subject": mail.subject} for mail in mails],
    }


def _photo_document(outcome: Outcome) -> dict[str, Any]:
    upload, post, photo = outcome.upload, outcome.post, outcome.photo
    return {
        "name": upload.name,
        "group": upload.group,
        "note": upload.note,
        "expect": upload.expect,
        "size_bytes": len(upload.data),
        "person": outcome.person,
        "post_id": post.post_id if post else None,
        "decision": outcome.verdict,
        "model_decision": post.decision.model_dump() if post and post.decision else None,
        "reason": outcome.reason.model_dump() if outcome.reason else None,
        "seconds": None if outcome.seconds is None else round(outcome.seconds, 3),
        "published_photo": None
        if photo is None
        else {
            "width": photo.width,
            "height": photo.height,
            "bytes": photo.size_bytes,
            "metadata": photo.metadata,
        },
        "problem": outcome.problem,
    }


def _client_of(stack: Stack, user: User) -> PawcastClient:
    token = sign_in(
        user.username,
        user.password,
        user_pool_client_id=stack.output("UserPoolClientId"),
        region=stack.region or "us-east-1",
        endpoint_url=stack.endpoint_url,
    )
    return PawcastClient(stack.output("ApiUrl"), token)


def _signed_in(stack: Stack, user: User, open_things: ExitStack) -> Person:
    client = open_things.enter_context(_client_of(stack, user))
    # Jun reads Korean, so both languages are seen in the mails.
    return Person(user.name, client, locale="ko" if user.name == "Jun" else "en")


def _print(out: Console, outcomes: Sequence[Outcome], mails: Sequence[Mail], elapsed: float, stack: Stack) -> None:
    out.print()
    out.print(display.outcome_table(outcomes, out.width))
    out.print()
    out.print(display.summary(outcomes, elapsed))
    out.print()
    if mails:
        out.print(display.mail_table(mails))
        out.print()
    steps = [
        ("pawcast demo pictures", "the uploaded files in a folder, with a contact sheet"),
        ("pawcast demo run --json", "all sentences, sizes and versions"),
        ("pawcast models list", "the models in the registry"),
        ("pawcast release show", "the policy that decided"),
        ("pawcast capacity plan", "how much the monthly budget pays for"),
    ]
    if stack.is_local:
        steps.append(("make down", "stops everything"))
    out.print(display.next_steps(steps))
    if stack.is_local:
        out.print(
            f"  every mail in full: {str(stack.endpoint_url).rstrip('/')}/_ministack/ses/messages",
            soft_wrap=True,
        )
