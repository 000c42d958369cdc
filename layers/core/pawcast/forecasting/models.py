"""What a forecast release runs: arms, each a registered model, and which store has which arm.

A registered model is a small JSON document (`models/visits-forecast/<version>/`, beside its card):

    {"kind": "walk", "config": {...}, "chain": {...} or null}    the model of `walk.py`; with a chain it is not
    trained again {"kind": "moving_average", "weeks": 4}                       the mean of the same weekdays of so
    many weeks {"kind": "seasonal_naive"}                                   last week again

`retrain` of a release says whether a walk learns the chain's effects from this week's data (`weekly`) or takes those
that were registered (`fixed`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from pawcast.errors import InvalidPolicy, ModelRejected
from pawcast.forecasting.config import ForecastConfig
from pawcast.forecasting.experiment import assign
from pawcast.forecasting.forecast import Forecast, fallback_week, forecast_week
from pawcast.forecasting.panel import Panel
from pawcast.forecasting.walk import ChainModel
from pawcast.mlops.registry import Document, ModelRef, validation_sentences

SHARES_MUST_BE = 1.0
TOLERANCE = 1e-9


class WalkModel(Document):
    """The model of `walk.py`."""

    kind: Literal["walk"]
    config: Mapping[str, Any] = Field(default_factory=dict)
    chain: Mapping[str, Any] | None = None


class MovingAverageModel(Document):
    """The mean of the same weekdays."""

    kind: Literal["moving_average"]
    weeks: int = Field(ge=1, le=8)


class SeasonalNaiveModel(Document):
    """Last week again."""

    kind: Literal["seasonal_naive"]


ForecastModel = Annotated[WalkModel | MovingAverageModel | SeasonalNaiveModel, Field(discriminator="kind")]
_MODELS: TypeAdapter[WalkModel | MovingAverageModel | SeasonalNaiveModel] = TypeAdapter(ForecastModel)


class Arm(Document):
    """One arm of a release: a model and the share of stores that have it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,30}$")
    model: ModelRef
    share: float = Field(gt=0, le=1)


class ForecastRelease(Document):
    """What forecasts. The first arm is the champion; `version` counts documents."""

    version: int = Field(ge=1)
    retrain: Literal["weekly", "fixed"] = "weekly"
    experiment: str = Field(default="", max_length=60)  # names the draw of stores to arms; a new name draws anew
    arms: tuple[Arm, ...] = Field(min_length=1, max_length=8)

    @model_validator(mode="after")
    def _shares_are_all_stores(self) -> Self:
        if len({arm.name for arm in self.arms}) != len(self.arms):
            raise ValueError("two arms have the same name")
        if abs(sum(arm.share for arm in self.arms) - SHARES_MUST_BE) > TOLERANCE:
            raise ValueError(f"the arms' shares add up to {sum(arm.share for arm in self.arms):g}, they must to 1")
        return self

    @property
    def champion(self) -> Arm:
        """The arm that others must beat."""
        return self.arms[0]

    def arm_of(self, store_ids: Sequence[str]) -> list[str]:
        """The arm of each store: always the same one within an experiment."""
        return assign(store_ids, experiment=self.experiment, shares={arm.name: arm.share for arm in self.arms})


# What runs where nothing was released yet.
BUILT_IN_RELEASE = ForecastRelease(
    version=1, arms=(Arm(name="champion", model=ModelRef(name="visits-forecast", version="built-in"), share=1),)
)


def built_in_document() -> dict[str, Any]:
    """The model of the code with its default hyper-parameters, as a document."""
    return WalkModel(kind="walk", config=ForecastConfig().document()).model_dump(mode="json")


def parse_release(document: Mapping[str, Any]) -> ForecastRelease:
    """A release from its document.

    Raises:
        InvalidPolicy: it breaks the schema; the message names each field.
    """
    try:
        return ForecastRelease.model_validate(document)
    except ValidationError as error:
        raise InvalidPolicy(f"the forecast release is not valid: {validation_sentences(error)}") from error


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to forecast."""

    document: WalkModel | MovingAverageModel | SeasonalNaiveModel
    forecast: Callable[[Panel, np.datetime64], Forecast]


def load_model(document: Mapping[str, Any], *, retrain: Literal["weekly", "fixed"] = "weekly") -> LoadedModel:
    """A model from its registered document.

    Raises:
        ModelRejected: no such kind, a field that the model does not know, or `fixed` for a walk without a chain.
    """
    try:
        model = _MODELS.validate_python(document)
    except ValidationError as error:
        raise ModelRejected(f"the forecast model is not valid: {validation_sentences(error)}") from error
    if isinstance(model, SeasonalNaiveModel):
        return LoadedModel(model, fallback_week)
    if isinstance(model, MovingAverageModel):
        weeks = model.weeks
        return LoadedModel(model, lambda panel, monday: fallback_week(panel, monday, mean_of=weeks))
    config = ForecastConfig.from_document(dict(model.config))
    if retrain == "weekly":
        return LoadedModel(model, lambda panel, monday: forecast_week(panel, monday, config))
    if model.chain is None:
        raise ModelRejected("the release says retrain: fixed, but the model has no chain; publish one that was fitted")
    chain = ChainModel.from_document(dict(model.chain))
    return LoadedModel(model, lambda panel, monday: forecast_week(panel, monday, config, chain=chain))
