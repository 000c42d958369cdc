"""Public holidays by region: a country (KR), or a part of one (DE-BY), as the package `holidays` knows them.

Holidays of the same kind have the same name every year: a substitute day has its holiday's name marked as substitute,
and two holidays on one day keep the one that comes first in the alphabet of kinds.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Final

_SUBSTITUTE: Final = re.compile(
    r"^(alternative|substitute) holiday( for)?|\((observed|substitute[^)]*)\)", re.IGNORECASE
)
_ESTIMATED: Final = re.compile(r"\s*\(estimated\)", re.IGNORECASE)
# Named once and never again: no year teaches the next what they do, but they are days off like others.
_ONCE: Final = re.compile(r"election day|temporary public holiday|^one-off|national day of mourning", re.IGNORECASE)


def is_known(region: str) -> bool:
    """Whether public holidays of a region are known."""
    try:
        of_year(region, 2026)
    except KeyError:
        return False
    return True


def known_or_none(region: str, year: int) -> Mapping[date, str]:
    """Kind of each public holiday of a year; none for a region that is not known."""
    try:
        return of_year(region, year)
    except KeyError:
        return {}


@lru_cache(maxsize=2048)
def of_year(region: str, year: int) -> Mapping[date, str]:
    """Kind of each public holiday of a year. Raises KeyError for a region that is not known."""
    import holidays  # 0.3 s, which only functions that look at holidays should wait for

    country, _, part = region.upper().partition("-")
    try:
        found = holidays.country_holidays(country, subdiv=part or None, years=year, language="en_US")
        return MappingProxyType({day: kind_of(name) for day, name in found.items() if day.year == year})
    except (NotImplementedError, AttributeError, ValueError, TypeError) as error:
        message = f"no public holidays are known for region {region!r}"
        raise KeyError(message) from error


def kind_of(name: str) -> str:
    """The kind that a holiday's name, or names, stand for."""
    kinds = sorted(_kind(part) for part in _ESTIMATED.sub("", name).split(";"))
    return next((kind for kind in kinds if not kind.endswith("substitute")), kinds[0])


def _kind(name: str) -> str:
    if _ONCE.search(name):
        return "one day off"
    if not _SUBSTITUTE.search(name):
        return name.strip()
    return "substitute"
