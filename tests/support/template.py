"""Reads template.yaml the way tests need it: tables, keys, variables and names come from there, never from tests.

Tags become CloudFormation's long form: `!Ref X` is `{"Ref": "X"}`, `!GetAtt X.Arn` is
`{"Fn::GetAtt": ["X", "Arn"]}`, `!Sub "${X}"` is `{"Fn::Sub": "${X}"}`. Where a test needs names, a resource is
called by its logical id.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"
OBSERVABILITY = ROOT / "stacks" / "observability.yaml"

Template = dict[str, Any]

# What moto's CreateTable takes; the rest of a table's properties are calls of their own.
_CREATE_TABLE = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
_PLACEHOLDER = re.compile(r"\$\{(?!!)([\w:]+)(?:\.[\w.]+)?\}")


class _Loader(yaml.SafeLoader):
    """Safe YAML with CloudFormation's short tags."""


def _intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> Template:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _intrinsic)


def parse(text: str) -> Template:
    """A template from its text."""
    document = yaml.load(text, Loader=_Loader)
    assert isinstance(document, dict)
    return document


@cache
def load(path: Path = TEMPLATE) -> Template:
    """A template from its file; callers must not change it."""
    return parse(path.read_text(encoding="utf-8"))


def resources(template: Template, *types: str) -> dict[str, Template]:
    """Resources by logical id, of these types or all."""
    return {
        logical_id: resource
        for logical_id, resource in template.get("Resources", {}).items()
        if not types or resource["Type"] in types
    }


def functions(template: Template) -> dict[str, Template]:
    """Properties of every function by logical id, with Globals merged in as SAM does it."""
    shared = template.get("Globals", {}).get("Function", {})
    merged = {}
    for logical_id, resource in resources(template, "AWS::Serverless::Function").items():
        own = resource.get("Properties", {})
        variables = {
            **shared.get("Environment", {}).get("Variables", {}),
            **own.get("Environment", {}).get("Variables", {}),
        }
        merged[logical_id] = {**shared, **own, "Environment": {"Variables": variables}}
    return merged


def snake_case(name: str) -> str:
    """`ScreenPhotos` is `screen_photos`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def folder_of(logical_id: str) -> str:
    """The folder of a function: its logical id without `Function`, in snake_case."""
    return snake_case(logical_id.removesuffix("Function"))


def references(value: object) -> Iterator[str]:
    """Every logical id or parameter that a piece of a template names."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "Ref":
                yield inner
            elif key == "Fn::GetAtt":
                yield inner[0]
            elif key == "Fn::Sub":
                text, local = (inner, {}) if isinstance(inner, str) else inner
                yield from (name for name in _PLACEHOLDER.findall(text) if name not in local)
                yield from references(local)
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def plain(value: object, template: Template, names: Mapping[str, str] | None = None) -> Any:
    """A value with references put in: from `names`, else a parameter's default, else the logical id itself."""
    parameters = template.get("Parameters", {})
    known = {name: str(parameter.get("Default", name)) for name, parameter in parameters.items()}
    known |= dict(names or {})

    def put_in(inner: object) -> Any:
        if isinstance(inner, dict):
            if "Ref" in inner:
                return known.get(inner["Ref"], inner["Ref"])
            if "Fn::GetAtt" in inner:
                logical_id = inner["Fn::GetAtt"][0]
                return known.get(logical_id, logical_id)
            if isinstance(inner.get("Fn::Sub"), str):
                return _PLACEHOLDER.sub(lambda found: known.get(found[1], found[1]), inner["Fn::Sub"])
            return {key: put_in(deeper) for key, deeper in inner.items()}
        if isinstance(inner, list):
            return [put_in(deeper) for deeper in inner]
        return inner

    return put_in(value)


def environment_of(function: str, names: Mapping[str, str] | None = None) -> dict[str, str]:
    """What template.yaml puts into the environment of the function of a folder, such as `screen_photos`.

    `names` are what resources are called in the test, by logical id, such as the answer of `create_tables`.
    """
    template = load()
    for logical_id, properties in functions(template).items():
        if folder_of(logical_id) == function:
            variables = plain(properties["Environment"]["Variables"], template, names)
            return {key: str(value) for key, value in variables.items()}
    message = f"template.yaml has no function for the folder {function}"
    raise KeyError(message)


def create_tables(dynamodb: "DynamoDBClient", *logical_ids: str) -> dict[str, str]:
    """Make the template's tables, all or some; their names by logical id. The name is the logical id."""
    tables = resources(load(), "AWS::DynamoDB::Table")
    for logical_id in logical_ids or tables:
        properties = tables[logical_id]["Properties"]
        definition = {key: properties[key] for key in _CREATE_TABLE if key in properties}
        dynamodb.create_table(TableName=logical_id, **definition)
        ttl = properties.get("TimeToLiveSpecification")
        if ttl is not None:
            dynamodb.update_time_to_live(TableName=logical_id, TimeToLiveSpecification=ttl)
    return {logical_id: logical_id for logical_id in logical_ids or tables}


def event(name: str) -> Any:
    """A file of `events/`, such as `screen_photos/sqs_s3_object_created`; a fresh copy each time."""
    return json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
