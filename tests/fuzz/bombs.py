"""Small inputs that are large once they are understood, or deeper than any stack."""

from __future__ import annotations

import random

from tests.fuzz.target import Form

_DEPTHS = (30, 1_000, 20_000, 200_000)
_ENTITIES = b"".join(
    b'<!ENTITY e%d "%s">' % (level, b"&e%d;" % (level - 1) * 10) for level in range(1, 12)
)


def made(form: Form, dice: random.Random, data: bytes) -> bytes:
    """One for the format; the input is used where that keeps the bomb from being seen at once."""
    depth = dice.choice(_DEPTHS)
    match form:
        case Form.JSON | Form.LINES:
            return dice.choice((_deep_json, _wide_json, _long_number))(depth, data)
        case Form.YAML:
            return dice.choice((_aliases, _deep_flow, _deep_block, _deep_json))(depth, data)
        case Form.XML:
            return dice.choice((_entities, _deep_xml, _attributes, _deep_inside))(depth, data)
        case Form.BYTES:
            return data + bytes(depth)


def _deep_json(depth: int, _data: bytes) -> bytes:
    return b'{"a":[' * depth + b"]}" * depth


def _wide_json(depth: int, data: bytes) -> bytes:
    return b"[" + b",".join([data[:200].strip() or b"0"] * min(depth, 2000)) + b"]"


def _long_number(depth: int, data: bytes) -> bytes:
    return data.replace(b":", b":" + b"9" * depth, 1) or b"9" * depth


def _aliases(_depth: int, data: bytes) -> bytes:
    lines = [b"a0: &a0 [x, x]"]
    lines += [b"a%d: &a%d [%s]" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 12)]
    return b"\n".join(lines) + b"\n" + data


def _deep_flow(depth: int, data: bytes) -> bytes:
    return data + b"\nx: " + b"[" * depth + b"]" * depth


def _deep_block(depth: int, data: bytes) -> bytes:
    return data + b"\nx:\n" + b"\n".join(b" " * n + b"a:" for n in range(1, min(depth, 400)))


def _entities(_depth: int, data: bytes) -> bytes:
    head = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e0 "ha">' + _ENTITIES + b"]>"
    return head + (data.partition(b"?>")[2] or data).replace(b"</", b"&e11;</", 1)


def _deep_xml(depth: int, _data: bytes) -> bytes:
    return b"<a>" * depth + b"</a>" * depth


def _deep_inside(depth: int, data: bytes) -> bytes:
    """Where elements stand, so that what holds them is still what was expected."""
    return data.replace(b"</", b"<a>" * depth + b"</a>" * depth + b"</", 1)


def _attributes(depth: int, data: bytes) -> bytes:
    many = b"".join(b' a%d="x"' % number for number in range(min(depth, 4000)))
    return data.replace(b">", many + b">", 1)
