"""`pawcast stack`: the whole of Pawcast on this machine, from the same template that goes to AWS.

`up` can be called again at any time: a healthy emulator is used further, what has not changed is neither built nor
deployed again, and a dead one is replaced. `.pawcast/stack.json` is written last, so who finds it finds a working
stack.
"""

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from pawcast_ops.local import emulator as emulators
from pawcast_ops.local import sam, seeds, site
from pawcast_ops.local.emulator import Emulator, LocalStackError

app = typer.Typer(no_args_is_help=True, help="Run the whole stack on this machine.")

STATE = Path(".pawcast")


@dataclass
class Steps:
    """What happens, a line for each step: a tick and its seconds, or what was not needed."""

    console: Console
    _note: str = field(default="", init=False)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show `name` while the block runs, then how it went."""
        started, self._note = time.monotonic(), ""
        try:
            with self.console.status(f"{name} …"):
                yield
        except BaseException:
            self.console.print(f"[red]✗[/] {name}")
            raise
        seconds = f"{time.monotonic() - started:5.1f} s"
        self.console.print(f"[green]✓[/] {name:<22} [dim]{seconds}  {escape(self._note)}[/]", highlight=False)

    def note(self, text: str) -> None:
        """Add a few words to the running step."""
        self._note = text


@dataclass(frozen=True)
class LocalStack:
    """One stack with its own state folder. Tests have theirs beside the operator's."""

    root: Path
    state: Path
    host: str = emulators.LOOPBACK

    def up(self, steps: Steps) -> Emulator:
        """Start, build, deploy and seed whatever is not there yet."""
        with self._alone():
            emulator = self._started(steps)
            architecture = sam.machine_architecture()
            with steps.step(f"sam build for {architecture}"):
                if not sam.build(self.root, architecture):
                    steps.note("nothing changed")
            with steps.step("sam deploy"):
                if not sam.deploy(self.root, self.state, emulator):
                    steps.note("nothing changed")
            self._seed(steps, emulator)
            with steps.step("site"):
                steps.note(site.start(self.state.resolve()).url)
            return emulator

    def down(self) -> bool:
        """Stop everything and forget it; False if nothing ran."""
        with self._alone():
            site.stop(self.state.resolve())
            ran = emulators.stop(self.state)
            for name in ("stack.json", "deployed", "released"):
                (self.state / name).unlink(missing_ok=True)
            return ran

    def _started(self, steps: Steps) -> Emulator:
        with steps.step("MiniStack"):
            emulator = emulators.running(self.state)
            if emulator and emulators.is_healthy(emulator) and emulator.host == self.host:
                steps.note(f"runs already, port {emulator.port}")
                return emulator
            if emulator:
                emulators.stop(self.state)
            (self.state / "stack.json").unlink(missing_ok=True)
            emulator = emulators.start(self.state, self.host)
            steps.note(f"port {emulator.port}")
            return emulator

    def _seed(self, steps: Steps, emulator: Emulator) -> None:
        outputs = sam.outputs(emulator)
        with steps.step("people and sender"):
            people = seeds.seed_people(self.state, emulator, outputs["UserPoolId"])
            seeds.verify_sender(emulator)
            steps.note(f"{len(people)} people")
        with steps.step("models and release"):
            done, model = self.state / "released", f"{emulator.instance} {seeds.classifier(self.root)}"
            if sam.read_text(done) == model:
                steps.note("nothing changed")
            else:
                bucket, parameter = outputs["ModelsBucketName"], outputs["ReleasePolicyParameterName"]
                seeds.release_first_model(self.root, emulator, bucket=bucket, parameter=parameter)
                done.write_text(model, encoding="utf-8")
                steps.note(model.partition(" ")[2])
        document = {
            "endpoint_url": emulator.endpoint_url,
            "region": emulators.REGION,
            "outputs": outputs,
            "pid": emulator.pid,
            "port": emulator.port,
        }
        (self.state / "stack.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two of `up` and `down` at once wait for each other."""
        self.state.mkdir(parents=True, exist_ok=True)
        with (self.state / "busy.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@app.command()
def up() -> None:
    """Start MiniStack, build, deploy the real template, and fill it with people, models and a release."""
    console = Console()
    with _explained():
        emulator = _stack().up(Steps(console))
    console.print(_places(emulator))


@app.command()
def down() -> None:
    """Stop the local stack with all its workers. Its data is gone: it was in memory."""
    with _explained():
        ran = _stack().down()
    Console().print("[green]✓[/] stopped; nothing of it runs any more" if ran else "nothing was running")


@app.command()
def status() -> None:
    """Say whether the local stack runs, and where. Exit status 1 if it does not."""
    with _explained():
        emulator = emulators.running(STATE)
        healthy = emulator is not None and emulators.is_healthy(emulator)
    if not emulator or not healthy or not (STATE / "stack.json").exists():
        Console().print("not running; `make up` starts it" if not emulator else "runs, but is not ready: `make up`")
        raise typer.Exit(1)
    Console().print(_places(emulator))


@app.command()
def build(
    architecture: Annotated[
        list[str] | None, typer.Option(help="arm64 or x86_64, can be repeated; else this machine's.")
    ] = None,
) -> None:
    """Build functions and layers, without containers and without a compiler."""
    steps = Steps(Console())
    with _explained():
        for each in architecture or [sam.machine_architecture()]:
            if each not in sam.ARCHITECTURES:
                raise typer.BadParameter(f"{each} is none of {', '.join(sam.ARCHITECTURES)}")
            with steps.step(f"sam build for {each}"):
                steps.note("" if sam.build(_root(), each) else "nothing changed")


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except LocalStackError as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error


def _stack() -> LocalStack:
    return LocalStack(_root(), STATE)


def _root() -> Path:
    root = Path.cwd()
    if not (root / "template.yaml").exists():
        raise LocalStackError("there is no template.yaml here: run this in the project's folder")
    return root


def _places(emulator: Emulator) -> Panel:
    outputs = json.loads((STATE / "stack.json").read_text(encoding="utf-8"))["outputs"]
    places = Table.grid(padding=(0, 2))
    places.add_column(style="bold", no_wrap=True)
    places.add_column(overflow="fold")
    open_site = site.running(STATE.resolve())
    for name, value in (
        ("site", f"{open_site.url}/weeks.html" if open_site else "not running: `make up`"),
        ("API", outputs["ApiUrl"]),
        ("AWS endpoint", emulator.endpoint_url),
        ("mails", f"{emulator.endpoint_url}/_ministack/ses/messages"),
        ("people", f"{STATE / 'users.json'} (names and passwords)"),
        ("outputs", str(STATE / "stack.json")),
        ("logs", f"tail -f {STATE / 'emulator.log'}"),
        ("photos and a week", "make demo"),
        ("stop", "make down"),
    ):
        places.add_row(name, escape(value))
    return Panel(places, title=f"Pawcast runs here (process {emulator.pid})", title_align="left", expand=False)
