"""The small tables: stores, calendar, promotions. The same checks and report as for visits.

Each is a list of fields: the column, how a text becomes a value, and what an empty cell means. What several cells say
together is checked after them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from pawcast.forecasting import holidays_by_region
from pawcast.forecasting.facts_grid import EVERYWHERE
from pawcast.forecasting.ingest.cells import is_nothing, parse_day, parse_flag, parse_holiday
from pawcast.forecasting.ingest.checked import Bools, Checked, RowChecks, store_positions, texts_of
from pawcast.forecasting.ingest.columns import Columns, RawTable
from pawcast.forecasting.warehouse import CALENDAR, PROMOTIONS, STORES, Table

LONGEST_PROMOTION_DAYS: Final = 366

_STORE_ID: Final = re.compile(r"[^\s/#?%\\]{1,64}")
_MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_HOUR: Final = re.compile(r"(\d{1,2})(?::00(?::00)?)?")


@dataclass(frozen=True, slots=True)
class Wrong:
    """A text that is no value: the problem's code and what it was held against."""

    code: str
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A column. `empty` is the value of an empty cell; None: it must not be empty."""

    name: str
    parse: Callable[[str], Any]
    empty: Any = None


def _text(text: str) -> str:
    return text.strip()


def _store_id(text: str) -> str | Wrong:
    return text.strip() if _STORE_ID.fullmatch(text.strip()) else Wrong("store_id_unusable")


def _mail(text: str) -> str:
    """An address; what is none becomes empty, and is mentioned."""
    return text.strip() if _MAIL.fullmatch(text.strip()) else ""


def _zone(text: str) -> str | Wrong:
    return text.strip() if _is_zone(text.strip()) else Wrong("zone_unknown")


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError; names such as "../x" or a folder are these
        return False
    except KeyError:
        return False
    return True


def _region(text: str) -> str | Wrong:
    region = text.strip().upper()
    return region if holidays_by_region.is_known(region) else Wrong("region_unknown")


def _region_or_everywhere(text: str) -> str | Wrong:
    return EVERYWHERE if text.strip() == EVERYWHERE else _region(text)


def _one_of(*choices: str) -> Callable[[str], str | Wrong]:
    def parse(text: str) -> str | Wrong:
        plain = text.strip().lower()
        return plain if plain in choices else Wrong("choice_unknown", ", ".join(choices))

    return parse


def _number(least: float, most: float = 1e7, *, whole: bool = False) -> Callable[[str], float | Wrong]:
    def parse(text: str) -> float | Wrong:
        try:
            number = float(text.strip())
        except ValueError:
            number = float("nan")
        fits = least <= number <= most and (not whole or number.is_integer())
        return number if fits else Wrong("number_unreadable", f"{least:g}")

    return parse


def _quantile(text: str) -> float | Wrong:
    allowed = {
        "0.5": 0.5,
        "0.8": 0.8,
        "0.9": 0.9,
        ".5": 0.5,
        ".8": 0.8,
        ".9": 0.9,
        "0.50": 0.5,
        "0.80": 0.8,
        "0.90": 0.9,
    }
    return allowed.get(text.strip().replace(",", "."), Wrong("choice_unknown", "0.5, 0.8, 0.9"))


def _hour(text: str) -> float | Wrong:
    match = _HOUR.fullmatch(text.strip())
    return float(match[1]) if match and int(match[1]) <= 24 else Wrong("number_unreadable", "0")


def _flag(text: str) -> float | Wrong:
    found = parse_flag(text)
    return Wrong(found) if isinstance(found, str) else float(found)


def _day(text: str) -> np.datetime64 | Wrong:
    found = parse_day(text)
    return np.datetime64(found, "us") if isinstance(found, date) else Wrong(found)


_NAN: Final = float("nan")
_NO_DAY: Final = np.datetime64("NaT", "us")
_STORE_NAMES: Final = dict.fromkeys(("store", "store_no", "shop", "매장", "매장번호", "매장_번호", "점포"), "store_id")

FIELDS: Final[Mapping[str, tuple[Field, ...]]] = {
    "stores": (
        Field("store_id", _store_id),
        Field("name", _text, ""),
        Field("region", _region),
        Field("time_zone", _zone),
        Field("mail", _mail, ""),
        Field("language", _one_of("ko", "en"), ""),
        Field("plans_by", _one_of("day", "hour")),
        Field("opens_at", _hour, _NAN),
        Field("closes_at", _hour, _NAN),
        Field("visitors_per_person", _number(0.01)),
        Field("service_quantile", _quantile, 0.8),
        Field("min_staff", _number(3, 10_000, whole=True), 3.0),
        Field("max_staff", _number(0, 10_000, whole=True), 0.0),
        Field("shift_pattern", _text, ""),
        Field("active", _flag, 1.0),
    ),
    "calendar": (
        Field("store_id", _text, ""),
        Field("region", _region_or_everywhere, ""),
        Field("day", _day),
        Field("open", _flag, _NAN),
        Field("opens_at", _hour, _NAN),
        Field("closes_at", _hour, _NAN),
        Field("school_holiday", lambda text: float(parse_holiday(text)), _NAN),
    ),
    "promotions": (
        Field("promotion_id", _text),
        Field("store_id", _text, ""),
        Field("region", _region_or_everywhere, ""),
        Field("from_day", _day),
        Field("to_day", _day, _NO_DAY),
        Field("active", _flag, 1.0),
    ),
}
_DTYPES: Final[Mapping[str, Any]] = {"text": object, "number": np.float64, "flag": np.float64, "time": "datetime64[us]"}
_TABLES: Final = {"stores": STORES, "calendar": CALENDAR, "promotions": PROMOTIONS}
COLUMNS: Final[Mapping[str, Columns]] = {
    kind: Columns(
        required=tuple(field.name for field in fields if field.empty is None),
        optional=tuple(field.name for field in fields if field.empty is not None),
        also_called={
            **_STORE_NAMES,
            **({} if kind == "promotions" else dict.fromkeys(("date", "날짜", "일자"), "day")),
            **({"start": "from_day", "end": "to_day", "id": "promotion_id"} if kind == "promotions" else {}),
        },
    )
    for kind, fields in FIELDS.items()
}


def check_facts(kind: str, table: RawTable, stores: pd.DataFrame) -> Checked:
    """Check a file of stores, calendar or promotions; `stores` are the registered ones, for the others to refer to."""
    checks = RowChecks(table)
    values = {field.name: _column(checks, field) for field in FIELDS[kind]}
    columns = _TABLES[kind].columns
    frame = pd.DataFrame({name: column.astype(_DTYPES[columns[name]]) for name, column in values.items()})
    match kind:
        case "stores":
            _check_stores(checks, frame)
        case "calendar":
            _check_target(checks, frame, stores)
            _check_hours(checks, frame)
        case _:
            _check_target(checks, frame, stores)
            _check_promotions(checks, frame)
    return _without_duplicates(checks, frame, _TABLES[kind])


def _column(checks: RowChecks, field: Field) -> np.ndarray[Any, np.dtype[Any]]:
    """[row] the values of a column; sets aside what is none."""
    encoded = texts_of(checks.table, field.name)
    values, problems, limits = [], [], []
    for text in encoded.texts:
        found: Any = field.empty if is_nothing(text) else field.parse(text)
        if found is None:
            found = Wrong("value_missing")
        wrong = found if isinstance(found, Wrong) else Wrong("")
        problems.append(wrong.code)
        limits.append(wrong.limit)
        values.append(_stand_in(field) if wrong.code else found)
    if field.name in checks.table.columns:
        checks.by_text(field.name, problems, limit_of_text=limits)
        if field.parse is _mail:
            lost = [not is_nothing(text) and value == "" for text, value in zip(encoded.texts, values, strict=True)]
            checks.warn("mail_unreadable", np.array(lost, np.bool_)[encoded.codes], field.name)
    return np.array(values, dtype=object)[encoded.codes]


def _stand_in(field: Field) -> Any:
    """A value of the column's type for rows that are set aside."""
    if field.empty is not None:
        return field.empty
    return _NO_DAY if field.parse is _day else _NAN if field.name == "visitors_per_person" else ""


def _check_stores(checks: RowChecks, frame: pd.DataFrame) -> None:
    _check_hours(checks, frame)
    too_few = (frame["max_staff"] > 0) & (frame["max_staff"] < frame["min_staff"])
    limits = [f"{number:g}" for number in frame["min_staff"][too_few]]
    checks.set_aside("number_unreadable", too_few.to_numpy(np.bool_), "max_staff", limits=limits)
    frame["name"] = frame["name"].where(frame["name"] != "", frame["store_id"])
    korean = frame["region"].astype(str).str.startswith("KR")
    frame["language"] = frame["language"].where(frame["language"] != "", np.where(korean, "ko", "en"))


def _check_hours(checks: RowChecks, frame: pd.DataFrame) -> None:
    opens, closes = frame["opens_at"], frame["closes_at"]
    wrong = (opens.isna() != closes.isna()) | (opens >= closes)
    checks.set_aside("hours_reversed", wrong.to_numpy(np.bool_), "closes_at")


def _check_target(checks: RowChecks, frame: pd.DataFrame, stores: pd.DataFrame) -> None:
    """A row speaks of a registered store, a region or everybody."""
    encoded = texts_of(checks.table, "store_id")
    _, problems, guesses = store_positions(encoded.texts, stores["store_id"].astype(str).tolist())
    named = [not is_nothing(text) and text.strip() != EVERYWHERE for text in encoded.texts]
    if "store_id" in checks.table.columns:
        problems = [problem if is_named else "" for problem, is_named in zip(problems, named, strict=True)]
        checks.by_text("store_id", problems, limit_of_text=guesses)
    nobody = ((frame["store_id"] == "") & (frame["region"] == "")).to_numpy(np.bool_)
    column = "store_id" if "store_id" in checks.table.columns else "region"
    checks.set_aside("value_missing", nobody & checks.good, column)
    frame.loc[(frame["store_id"] != "") & (frame["store_id"] != EVERYWHERE), "region"] = ""


def _check_promotions(checks: RowChecks, frame: pd.DataFrame) -> None:
    endless = frame["to_day"].isna().to_numpy(np.bool_) & checks.good
    checks.set_aside("promotion_without_end", endless, "to_day")
    days = (frame["to_day"] - frame["from_day"]).dt.days
    checks.set_aside("promotion_reversed", (days < 0).to_numpy(np.bool_), "to_day")
    too_long = (days >= LONGEST_PROMOTION_DAYS).to_numpy(np.bool_)
    checks.set_aside("promotion_too_long", too_long, "to_day", limits=str(LONGEST_PROMOTION_DAYS))


def _without_duplicates(checks: RowChecks, frame: pd.DataFrame, table: Table) -> Checked:
    key = frame.groupby(list(table.keys), sort=False, dropna=False).ngroup().to_numpy().astype(np.int64)
    value = pd.util.hash_pandas_object(frame, index=False).to_numpy().view(np.int64)
    checks.duplicates(key, value, table.keys[0] if table.keys[0] in checks.table.columns else "region")
    kept: Bools = checks.good
    return checks.finished(frame[kept].reset_index(drop=True))
