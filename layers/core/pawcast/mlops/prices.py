"""AWS list prices, from dated files in the folder `prices/` next to this module.

One file a region. Each line says the price in USD, for how many units, what the monthly free tier takes off,
since when the price is known and who says so. A price nobody was found to quote is written `"?"`, never
guessed: it is then taken from the first region in the file's `fallback` list that has it, and every bill that
uses it names that region. Only the first price tier is kept. Later tiers are cheaper, so a bill made from
these files is an upper bound.

To bring a price up to date, edit its line: `usd`, `as_of` and `source`. Prices are never fetched at run time.
"""

from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pawcast.errors import PriceUnknown

REGIONS = ("ap-northeast-2", "ap-northeast-1", "us-east-1")


class PriceLine(BaseModel):
    """One line of a price file: `usd` for `per` units, after `free` units a month under the free tier."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    usd: Annotated[float, Field(ge=0)] | Literal["?"]
    per: int = Field(gt=0)
    unit: str
    free: float = Field(ge=0)
    as_of: str | None = Field(pattern=r"^\d{4}-\d{2}(-\d{2})?$")
    source: str = Field(min_length=10)


class PriceFile(BaseModel):
    """The prices of one region as they stand in its file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: str
    name: str
    currency: Literal["USD"]
    fallback: tuple[str, ...]
    note: str
    prices: dict[str, PriceLine]


class Price(BaseModel):
    """A price that a bill can use. `region` is where it was found: on a fallback not the bill's own."""

    model_config = ConfigDict(frozen=True)

    key: str
    usd: float
    per: int
    unit: str
    free: float
    as_of: str
    source: str
    region: str

    def cost_usd(self, quantity: float) -> float:
        """USD for `quantity` charged units."""
        return quantity * self.usd / self.per


class PriceList(BaseModel):
    """All prices for one region, fallbacks resolved."""

    model_config = ConfigDict(frozen=True)

    region: str
    name: str
    prices: dict[str, Price]

    def __getitem__(self, key: str) -> Price:
        if key not in self.prices:
            raise PriceUnknown(f"no price for {key!r} in {self.region} or its fallbacks: add it to the price file")
        return self.prices[key]

    @property
    def borrowed(self) -> tuple[Price, ...]:
        """Prices that come from another region, in the file's order."""
        return tuple(price for price in self.prices.values() if price.region != self.region)


@cache
def price_file(region: str) -> PriceFile:
    """The file of `region`. Raises PriceUnknown if there is none."""
    path = files("pawcast.mlops") / "prices" / f"{region}.json"
    if region not in REGIONS:
        raise PriceUnknown(f"no price file for region {region!r}: choose one of {', '.join(REGIONS)}")
    return PriceFile.model_validate_json(path.read_text("utf-8"))


@cache
def load_prices(region: str) -> PriceList:
    """Prices for `region`, each from the first of [region, its fallbacks] that has it."""
    own = price_file(region)
    candidates = (own, *(price_file(other) for other in own.fallback))
    found: dict[str, Price] = {}
    for key in own.prices:
        for candidate in candidates:
            line = candidate.prices[key]
            if line.usd != "?" and line.as_of is not None:
                found[key] = Price(
                    key=key,
                    usd=line.usd,
                    per=line.per,
                    unit=line.unit,
                    free=line.free,
                    as_of=line.as_of,
                    source=line.source,
                    region=candidate.region,
                )
                break
    return PriceList(region=region, name=own.name, prices=found)
