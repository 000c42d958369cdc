"""The forecast release in an SSM parameter, with the documents of the models that it names.

CloudFormation writes `{"version": 0}`: nothing was released. Then the built-in model runs, so that a stack forecasts
from its first Tuesday on; the record of the run says which it was.
"""

import json
from typing import TYPE_CHECKING, Any

from pawcast.adapters.aws_errors import mapped
from pawcast.adapters.model_store import ModelStore
from pawcast.errors import InvalidPolicy, ModelRejected
from pawcast.forecasting.models import BUILT_IN_RELEASE, ForecastRelease, built_in_document, parse_release

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

NOTHING_RELEASED = 0


class ForecastReleases:
    """Reads the release in force."""

    def __init__(self, ssm: "SSMClient", parameter: str, models: ModelStore) -> None:
        """`parameter` by name; `models` is the registry that both workloads share."""
        self._ssm = ssm
        self._parameter = parameter
        self._models = models

    def current(self) -> dict[str, Any]:
        """`version`, `arms` (name and model, for the record), `release` and `models` (documents by `name/version`).

        Raises:
            InvalidPolicy: the parameter holds no valid release.
            ModelRejected: a model's bytes are no document.
            NotFound: a model is not in the registry.
        """
        release = self._release()
        documents = {str(arm.model): self._document(release, str(arm.model)) for arm in release.arms}
        return {
            "version": release.version,
            "arms": [{"name": arm.name, "model": str(arm.model)} for arm in release.arms],
            "release": release.model_dump(mode="json"),
            "models": documents,
        }

    def _release(self) -> ForecastRelease:
        with mapped("ssm:GetParameter", self._parameter):
            text = self._ssm.get_parameter(Name=self._parameter)["Parameter"]["Value"]
        try:
            document = json.loads(text)
        except ValueError as error:
            message = f"the forecast release in {self._parameter} is not JSON"
            raise InvalidPolicy(message) from error
        if isinstance(document, dict) and document.get("version") == NOTHING_RELEASED:
            return BUILT_IN_RELEASE
        return parse_release(document)

    def _document(self, release: ForecastRelease, name: str) -> dict[str, Any]:
        if release is BUILT_IN_RELEASE:
            return built_in_document()
        ref = next(arm.model for arm in release.arms if str(arm.model) == name)
        content = self._models.fetch(ref)
        try:
            document = json.loads(content)
        except ValueError as error:
            message = f"{ref} is no forecast model: its file is not JSON"
            raise ModelRejected(message) from error
        if not isinstance(document, dict):
            message = f"{ref} is no forecast model: its file is not a JSON object"
            raise ModelRejected(message)
        return document
