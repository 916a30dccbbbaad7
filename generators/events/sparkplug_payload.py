"""sparkplug_payload: the payload of MQTT Sparkplug B, as protobuf.

The message is described here, field by field, as the Eclipse Sparkplug specification numbers them (version 3.0, section 6.4,
package org.eclipse.tahu.protobuf); data sets, templates and extensions are left out, because a line has no use for them, and a
reader skips what it does not know. No generated code: it would be tied to one version of protobuf.
"""
from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from scenes.errors import BackendUnavailable

INT32, UINT32, UINT64, FLOAT, DOUBLE, BOOLEAN, STRING = 3, 7, 8, 9, 10, 11, 12     # data types of the specification
LARGEST = 64 << 10                             # [bytes] of a command that is looked at
_PACKAGE = "org.eclipse.tahu.protobuf"
_Field = tuple[int, str, str]                  # number, name, type
_VALUES = (("int_value", "uint32"), ("long_value", "uint64"), ("float_value", "float"), ("double_value", "double"),
           ("boolean_value", "bool"), ("string_value", "string"))
_FIELD = {INT32: "int_value", UINT32: "int_value", UINT64: "long_value", FLOAT: "float_value", DOUBLE: "double_value",
          BOOLEAN: "boolean_value", STRING: "string_value"}


@dataclass(frozen=True)
class Metric:
    """One value. ``alias`` stands for the name in what follows a birth."""
    name: str
    kind: int                                  # FLOAT, …
    value: float | int | bool | str | None     # None, and NaN: no value
    alias: int | None = None
    unit: str = ""


@cache
def payload_class() -> Any:
    """The class of a payload. Raises BackendUnavailable."""
    try:
        from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    except ImportError:
        raise BackendUnavailable("protobuf is not installed; install the extra: pip install 'linetwin[live]'") from None
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="linetwin/sparkplug_b.proto", package=_PACKAGE, syntax="proto2")

    def message(parent: Any, name: str, fields: Iterable[_Field], oneof: Iterable[_Field] = ()) -> Any:
        """``fields``: number, name, type; a type with a star repeats, one with a dot is a message."""
        new = parent.add(name=name)
        chosen = list(oneof)
        for number, field, kind in [*fields, *chosen]:
            label = kinds.LABEL_REPEATED if kind.endswith("*") else kinds.LABEL_OPTIONAL
            entry = new.field.add(name=field, number=number, label=label)
            kind = kind.rstrip("*")
            if kind.startswith("."):
                entry.type, entry.type_name = kinds.TYPE_MESSAGE, f".{_PACKAGE}.Payload{kind}"
            else:
                entry.type = getattr(kinds, f"TYPE_{kind.upper()}")
            if (number, field, kind) in chosen:
                entry.oneof_index = 0
        if chosen:
            new.oneof_decl.add(name="value")
        return new

    whole = message(file.message_type, "Payload", [
        (1, "timestamp", "uint64"), (2, "metrics", ".Metric*"), (3, "seq", "uint64"), (4, "uuid", "string"),
        (5, "body", "bytes")])
    message(whole.nested_type, "PropertyValue", [(1, "type", "uint32"), (2, "is_null", "bool")],
            [(3 + i, name, kind) for i, (name, kind) in enumerate(_VALUES)])
    message(whole.nested_type, "PropertySet", [(1, "keys", "string*"), (2, "values", ".PropertyValue*")])
    message(whole.nested_type, "Metric", [
        (1, "name", "string"), (2, "alias", "uint64"), (3, "timestamp", "uint64"), (4, "datatype", "uint32"),
        (5, "is_historical", "bool"), (6, "is_transient", "bool"), (7, "is_null", "bool"), (9, "properties", ".PropertySet")],
        [(10 + i, name, kind) for i, (name, kind) in enumerate(_VALUES)])
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))


def encode(metrics: Iterable[Metric], time_ms: int, seq: int | None, *, birth: bool = False) -> bytes:
    """One payload. Every metric says that it is simulated.

    Args:
        metrics: In order. In a birth they have name and alias, else the alias where there is one.
        time_ms: Milliseconds since 1970, UTC.
        seq: 0 to 255; None in a death certificate.
        birth: Write names, and units.
    """
    payload = payload_class()(timestamp=time_ms)
    if seq is not None:
        payload.seq = seq
    for metric in metrics:
        entry = payload.metrics.add(timestamp=time_ms, datatype=metric.kind)
        if birth or metric.alias is None:
            entry.name = metric.name
        if metric.alias is not None:
            entry.alias = metric.alias
        value = metric.value
        if value is None or (isinstance(value, float) and math.isnan(value)):
            entry.is_null = True
        else:
            if metric.kind == INT32 and isinstance(value, int) and value < 0:
                value += 1 << 32               # the field is unsigned; the data type says how to read it
            setattr(entry, _FIELD[metric.kind], value)
        entry.properties.keys.append("IsSimulated")
        entry.properties.values.add(type=BOOLEAN, boolean_value=True)
        if birth and metric.unit:
            entry.properties.keys.append("engUnit")
            entry.properties.values.add(type=STRING, string_value=metric.unit)
    done: bytes = payload.SerializeToString(deterministic=True)
    return done


def rebirth_wanted(data: bytes) -> bool:
    """Whether a command asks for births: "Node Control/Rebirth" is true. Whatever cannot be read does not."""
    if len(data) > LARGEST:
        return False
    payload = payload_class()()
    from google.protobuf.message import DecodeError
    try:
        payload.ParseFromString(data)
    except DecodeError:
        return False
    return any(m.name == "Node Control/Rebirth" and m.boolean_value for m in payload.metrics)


__all__ = ["BOOLEAN", "DOUBLE", "FLOAT", "INT32", "STRING", "UINT32", "UINT64", "Metric", "encode", "payload_class",
           "rebirth_wanted"]
