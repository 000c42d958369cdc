"""The table of rights in docs/rights.md, and the routes that it names."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CALLERS = ("nobody", "owner", "person", "operator", "planner")


@dataclass(frozen=True)
class Right:
    """One row: what each kind of caller gets from a route; None where the route looks at the request."""

    method: str
    path: str
    statuses: dict[str, int | None]

    @property
    def route(self) -> str:
        """As `GET /posts/{post_id}`."""
        return f"{self.method} {self.path}"


def rights() -> list[Right]:
    """The rows of the table."""
    text = (ROOT / "docs" / "rights.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z]+) (\S+)` \|(.*)\|$", text, re.MULTILINE)
    return [
        Right(
            method,
            path,
            {
                caller: None if cell.strip() == "✓" else int(cell)
                for caller, cell in zip(CALLERS, cells.split("|"), strict=False)
            },
        )
        for method, path, cells in rows
    ]
