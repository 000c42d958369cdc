"""The languages that people are told things in."""

from types import MappingProxyType
from typing import Final, Literal, TypedDict

Language = Literal["ko", "en"]
LANGUAGES: Final = ("ko", "en")
DEFAULT_LANGUAGE: Final = "ko"


class Text(TypedDict):
    """One sentence in each language."""

    ko: str
    en: str


def texts(table: dict[str, tuple[str, str]]) -> MappingProxyType[str, Text]:
    """Sentences by code, from pairs of Korean and English."""
    return MappingProxyType({code: Text(ko=ko, en=en) for code, (ko, en) in table.items()})
