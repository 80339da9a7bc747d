"""The two languages of the server: XML-RPC, where integers are texts, and JSON-RPC 1.0 and 2.0."""

from __future__ import annotations

import json
import xmlrpc.client
from datetime import UTC, datetime
from typing import Any


def written(at: datetime) -> str:
    """A moment as the protocol has it."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H:%M:%SZ")


def from_xml(body: bytes) -> tuple[str, list[Any]]:
    """Method and parameters of a request."""
    params, method = xmlrpc.client.loads(body)
    return str(method), list(params)


def xml(value: Any) -> bytes:
    """The answer that a call was well."""
    return _xml({"Status": "Success", "Value": _for_xml(value)})


def xml_fault(details: list[str]) -> bytes:
    return _xml({"Status": "Failure", "ErrorDescription": details})


def _xml(answer: dict[str, Any]) -> bytes:
    return xmlrpc.client.dumps((answer,), methodresponse=True).encode()


def _for_xml(value: Any) -> Any:
    match value:
        case bool() | float() | str():
            return value
        case int():
            return str(value)
        case datetime():
            return xmlrpc.client.DateTime(written(value))
        case dict():
            return {key: _for_xml(each) for key, each in value.items()}
        case list():
            return [_for_xml(each) for each in value]
        case _:
            raise TypeError(type(value))


def from_json(body: bytes) -> tuple[str, list[Any], dict[str, Any]]:
    """Method, parameters, and the request itself, whose version the answer has to speak."""
    request = json.loads(body)
    return str(request["method"]), list(request["params"]), request


def as_json(value: Any, request: dict[str, Any]) -> bytes:
    more = {"jsonrpc": "2.0"} if "jsonrpc" in request else {"error": None}
    return _json(more | {"result": value, "id": request.get("id")})


def json_fault(details: list[str], request: dict[str, Any]) -> bytes:
    if "jsonrpc" not in request:
        return _json({"result": None, "error": details, "id": request.get("id")})
    error = {"code": 1, "message": details[0], "data": details[1:]}
    return _json({"jsonrpc": "2.0", "error": error, "id": request.get("id")})


def _json(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer, default=_moment).encode()


def _moment(value: Any) -> str:
    if isinstance(value, datetime):
        return written(value)
    raise TypeError(type(value))
