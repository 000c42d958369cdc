"""The CSV of labelled photos: one row a photo, checked as a whole before a minute is spent on features.

Needed columns: `file` (relative to the folder of photos) and `human_face` (0 or 1). Others that are used
when they are there: `fold` (a whole number; photos of one source share one, so that a head is judged on
sources it has not seen), `animal` (0 or 1) and `tags` (words with ; between). Further columns are left
alone. Without `fold` the photos are dealt to five folds by the hash of their name, and the figures flatter:
the report says so.
"""

import csv
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NEEDED = ("file", "human_face")
FOLDS_WITHOUT_SOURCES = 5
SHOWN_PROBLEMS = 10
SMALLEST_SET = 20  # photos with a face, and without


class BadLabels(Exception):
    """The CSV can't be used. The message names rows, columns, values and what to do."""


@dataclass(frozen=True, slots=True)
class LabelledPhoto:
    """One row: `human_face` is what is to be learned, the rest is for judging by."""

    path: Path
    name: str
    human_face: bool
    animal: bool
    tags: tuple[str, ...]
    fold: int


@dataclass(frozen=True)
class LabelledPhotos:
    """`data_set_id` is the SHA-256 of the CSV. `folds_by_source`: the CSV gave the folds."""

    photos: tuple[LabelledPhoto, ...]
    data_set_id: str
    folds_by_source: bool


def read_labels(labels: Path, photos: Path) -> LabelledPhotos:
    """Every photo of the CSV, in its order; `BadLabels` lists what is wrong with it."""
    try:
        content = labels.read_bytes()
        rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        columns, records = list(rows.fieldnames or ()), list(rows)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadLabels(f"{labels} can't be read as UTF-8 CSV: {error}") from error
    if missing := [column for column in NEEDED if column not in columns]:
        raise BadLabels(f"{labels} has no column {', '.join(missing)}; it has {', '.join(columns) or 'none'}")
    problems: list[str] = []
    found = [_photo(row, number, photos, problems) for number, row in enumerate(records, start=2)]
    names: dict[str, int] = {}
    for number, photo in enumerate(found, start=2):
        if (first := names.setdefault(photo.name, number)) != number:
            problems.append(f"row {number}, file = {photo.name!r}: also in row {first}; delete one of the two")
    if problems:
        more = f"\n… and {len(problems) - SHOWN_PROBLEMS} more" if len(problems) > SHOWN_PROBLEMS else ""
        raise BadLabels(f"{labels}:\n" + "\n".join(problems[:SHOWN_PROBLEMS]) + more)
    with_face = sum(photo.human_face for photo in found)
    if min(with_face, len(found) - with_face) < SMALLEST_SET:
        raise BadLabels(
            f"{labels} has {with_face} photos with a face and {len(found) - with_face} without; "
            f"label at least {SMALLEST_SET} of each"
        )
    if len({photo.fold for photo in found}) < 2:
        raise BadLabels(f"{labels}: every photo is in one fold; give at least two sources different folds")
    for fold in {photo.fold for photo in found}:
        if len({photo.human_face for photo in found if photo.fold != fold}) < 2:
            raise BadLabels(f"{labels}: without fold {fold} only one kind of photo is left; mix the folds")
    return LabelledPhotos(tuple(found), hashlib.sha256(content).hexdigest(), "fold" in columns)


def _photo(row: Mapping[str, str], number: int, photos: Path, problems: list[str]) -> LabelledPhoto:
    """The photo of a row; what is wrong is added to `problems` and the value taken as empty."""

    def complain(column: str, advice: str) -> None:
        problems.append(f"row {number}, {column} = {row.get(column)!r}: {advice}")

    def flag(column: str) -> bool:
        text = (row.get(column) or "").strip()
        if text not in ("0", "1"):
            complain(column, "write 1 (yes) or 0 (no)")
        return text == "1"

    name = (row.get("file") or "").strip()
    path = photos / name
    if not name or Path(name).is_absolute() or ".." in Path(name).parts:
        complain("file", "write a path inside the folder of photos")
    elif not path.is_file():
        complain("file", "no such photo in the folder; correct the name or delete the row")
    fold = (row.get("fold") or "").strip() if "fold" in row else _dealt_fold(name)
    if not fold.isdecimal():
        complain("fold", "write a whole number from 0, the same for all photos of a source")
    return LabelledPhoto(
        path=path,
        name=name,
        human_face=flag("human_face"),
        animal=flag("animal") if "animal" in row else False,
        tags=tuple(tag for tag in (row.get("tags") or "").split(";") if tag),
        fold=int(fold) if fold.isdecimal() else 0,
    )


def _dealt_fold(name: str) -> str:
    return str(hashlib.sha256(name.encode()).digest()[0] % FOLDS_WITHOUT_SOURCES)
