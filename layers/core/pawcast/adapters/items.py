"""Records as DynamoDB items and back.

The low-level client is used everywhere: the resource API has no transactions. Numbers travel as Decimal, because
DynamoDB has no float; pydantic reads them back into what the field says.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from pydantic import BaseModel

Item = dict[str, Any]

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def to_item(record: BaseModel, **extra: str | int | None) -> Item:
    """The item of a record; fields that are None are left out, `extra` are attributes for keys and indexes."""
    plain = json.loads(record.model_dump_json(exclude_none=True), parse_float=Decimal)
    plain.update({name: value for name, value in extra.items() if value is not None})
    return {name: _serializer.serialize(value) for name, value in plain.items()}


def values(**fields: str | int | bool) -> Item:
    """Attribute values by name."""
    return {name: _serializer.serialize(value) for name, value in fields.items()}


def from_item[R: BaseModel](kind: type[R], item: Mapping[str, Any]) -> R:
    """The record in an item; attributes that are none of its fields (index keys) are dropped."""
    plain = {name: _json(_deserializer.deserialize(value)) for name, value in item.items()}
    return kind.model_validate({name: value for name, value in plain.items() if name in kind.model_fields})


def _json(value: Any) -> Any:
    """What DynamoDB gave, with numbers as JSON has them: fields that may hold anything take no Decimal."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: _json(part) for name, part in value.items()}
    return [_json(part) for part in value] if isinstance(value, list) else value
