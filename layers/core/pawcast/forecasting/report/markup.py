"""HTML from plain values. Everything that is not `Markup` is escaped, so a hostile store name stays a name.

Both languages stand in the page; its style shows one: `<span lang="ko">…</span><span lang="en">…</span>`.
"""

import html
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pawcast.forecasting.weekly.run import Sentences

NONE: Final = "–"


class Markup(str):
    """A text that is HTML already."""

    __slots__ = ()


type Content = str | Sentences | Markup


@dataclass(frozen=True)
class Column:
    """One column of a table: its heading, and whether it holds numbers (set right, sorted as numbers)."""

    title: Content
    number: bool = True


def text(content: Content) -> Markup:
    """The content as HTML."""
    if isinstance(content, Markup):
        return content
    if isinstance(content, Sentences):
        ko, en = html.escape(content.ko), html.escape(content.en)
        return Markup(ko) if ko == en else Markup(f'<span lang="ko">{ko}</span><span lang="en">{en}</span>')
    return Markup(html.escape(content))


def tag(name: str, content: Content | Iterable[Content], **attributes: str) -> Markup:
    """An element; `class_` and `for_` are written without their underscore, others with hyphens for underscores."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(value)}"' for key, value in attributes.items()
    )
    parts = [content] if isinstance(content, str | Sentences) else content
    return Markup(f"<{name}{written}>{''.join(text(part) for part in parts)}</{name}>")


def table(
    caption: Content,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Content]],
    *,
    sortable: bool = False,
    captioned: bool = True,
) -> Markup:
    """A table whose first column heads its rows, in a box that scrolls sideways and can be reached by keyboard.

    `captioned=False` leaves the caption to screen readers, where a heading says the same.
    """
    head = [tag("th", column.title, scope="col", **_kind(column)) for column in columns]
    body = [
        tag("tr", [_cell(column, place, cell) for place, (column, cell) in enumerate(zip(columns, row, strict=True))])
        for row in rows
    ]
    parts = [
        tag("caption", caption) if captioned else tag("caption", caption, class_="unseen"),
        tag("thead", tag("tr", head)),
        tag("tbody", body),
    ]
    inner = tag("table", parts, class_="sortable") if sortable else tag("table", parts)
    return tag("div", inner, class_="scroll", tabindex="0", role="group")


def _kind(column: Column) -> dict[str, str]:
    return {"class_": "n"} if column.number else {}


def _cell(column: Column, place: int, cell: Content) -> Markup:
    return tag("td", cell, **_kind(column)) if place else tag("th", cell, scope="row", **_kind(column))


def bars(shares: Sequence[tuple[str, float | None]], largest: float) -> Markup:
    """One bar under another, each (class, value), drawn in proportion to the largest. The figures stand beside it."""
    height = 7  # pixels
    drawn = "".join(
        f'<rect class="{kind}" y="{place * height}" width="{100 * value / largest:.1f}" height="{height - 1}"/>'
        for place, (kind, value) in enumerate(shares)
        if value is not None and largest > 0
    )
    size = height * len(shares)
    return Markup(
        f'<svg class="bars" viewBox="0 0 100 {size}" width="100" height="{size}" aria-hidden="true">{drawn}</svg>'
    )


def script_json(document: Any) -> str:
    """JSON that can stand in a script block: nothing in it ends the block or opens a comment."""
    written = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        written = written.replace(character, f"\\u{ord(character):04x}")
    return written


def number(value: float | None, digits: int = 0) -> str:
    """With thousands separated; a dash where there is none."""
    return NONE if value is None else f"{value + 0.0:,.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    """As `12.3 %`; a dash where there is none."""
    return NONE if value is None else f"{100 * value:.{digits}f} %"


def signed_percent(value: float | None, digits: int = 1) -> str:
    """As `+12.3 %`, with a true minus sign."""
    return NONE if value is None else f"{100 * value:+.{digits}f} %".replace("-", "−")


def signed(value: float | None, digits: int = 0) -> str:
    """As `+12`, with a true minus sign."""
    return NONE if value is None else f"{value:+,.{digits}f}".replace("-", "−")
