"""The document of the API, the table of rights and the functions name the same routes."""

import json
import re
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from tests.support.rights import CALLERS, ROOT, rights

FUNCTIONS = ("serve_posts", "serve_reviews", "serve_weeks")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "web" / "openapi.json").read_text(encoding="utf-8"))
    return found


def routes_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_document_table_and_functions_have_the_same_routes(document: dict[str, Any]) -> None:
    sources = "".join((ROOT / "functions" / name / "app.py").read_text(encoding="utf-8") for name in FUNCTIONS)
    served = {
        f"{method.upper()} {path.replace('<', '{').replace('>', '}')}"
        for method, path in re.findall(r'app\.(get|post)\("([^"]+)"\)', sources)
    }

    assert len(served) > 30
    assert served == set(routes_of(document)) == {right.route for right in rights()}


def test_the_table_says_something_about_every_kind_of_caller() -> None:
    assert all(set(CALLERS) == set(right.statuses) for right in rights())
    assert {401} == {right.statuses["nobody"] for right in rights()}


def test_groups_of_the_document_and_of_the_table_agree(document: dict[str, Any]) -> None:
    groups = {"operators": "operator", "planners": "planner"}
    for right in rights():
        (tag,) = routes_of(document)[right.route]["tags"]
        if tag in groups:
            assert [groups[tag]] == [caller for caller, status in right.statuses.items() if status is None], right.route
        else:
            assert right.statuses["owner"] is None or right.statuses["person"] is None, right.route


def test_every_reference_leads_somewhere_and_every_schema_is_used(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    used = set(re.findall(r'"#/components/(\w+/\w+)"', text))
    known = {f"{kind}/{name}" for kind in ("schemas", "responses") for name in document["components"][kind]}

    assert known == used


def test_every_schema_is_one(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator({"components": document["components"], **schema})
        assert schema, name


def test_every_operation_says_what_it_answers_and_how_it_refuses(document: dict[str, Any]) -> None:
    operations = routes_of(document)

    assert len(operations) == len({operation["operationId"] for operation in operations.values()})
    for route, operation in operations.items():
        assert {"401", "503"} <= set(operation["responses"]), route
        assert [status for status in operation["responses"] if status.startswith("2")], route
        named = set(re.findall(r"{(\w+)}", route))
        assert named == {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}, route
