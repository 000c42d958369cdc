"""Steps of a story that the demo tells: a line each, with its seconds and what came of it, and waiting for things."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape

from pawcast_ops.client import ClientError, Missing

LOOK_EVERY_SECONDS = 0.25


class StoryFailed(Exception):
    """The story did not go as it must; the message says where."""


@dataclass
class Steps:
    """Prints the steps; `seconds` of each are kept. `patience` is how long one thing is waited for, in seconds."""

    console: Console
    patience: float = 300.0
    seconds: dict[str, float] = field(default_factory=dict)
    _noted: str = field(default="", init=False)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """One step; its line is printed when it has ended."""
        started, self._noted = time.monotonic(), ""
        try:
            with self.console.status(f"{name} …"):
                yield
        except (ClientError, StoryFailed):
            self.console.print(f"[red]✗[/] {name}")
            raise
        self.seconds[name] = time.monotonic() - started
        note = f"\n    [dim]{escape(self._noted)}[/]" if self._noted else ""
        self.console.print(f"[green]✓[/] {name} [dim]{self.seconds[name]:.1f} s[/]{note}", highlight=False)

    def note(self, text: str) -> None:
        """What came of the present step; printed below it."""
        self._noted = text

    def until[T](self, look: Callable[[], T | None]) -> T:
        """Look until there is something to see.

        Raises:
            StoryFailed: nothing came within `patience`.
        """
        ends = time.monotonic() + self.patience
        while time.monotonic() < ends:
            try:
                seen = look()
            except Missing:
                seen = None
            if seen is not None:
                return seen
            time.sleep(LOOK_EVERY_SECONDS)
        raise StoryFailed(f"nothing happened for {self.patience:.0f} s")
