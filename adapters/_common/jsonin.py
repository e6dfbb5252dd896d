"""JSON from outside: size and depth limited, numbers kept as text, nothing that cannot be stored.

Platforms use ids beyond 2^53, so every number becomes its text at once and is read as a number only
where one is meant. ``null`` is the same as absent.
"""

import json
from collections.abc import Mapping
from typing import Any

from adapters._common.wordin import fit
from router.channel.contract import Malformed

MAX_BYTES = 1_048_576
MAX_DEPTH = 32


def read_json(body: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Any:
    """Return the value of a JSON body, or raise `Malformed`.

    Bytes that are not UTF-8 and lone surrogates are replaced: a broken emoji must not cost us the
    complaint around it.
    """
    if len(body) > max_bytes:
        raise Malformed(f"the body has {len(body)} bytes, expected at most {max_bytes}")
    try:
        read = json.loads(
            body.decode("utf-8-sig", "replace"),
            parse_int=str,
            parse_float=str,
            parse_constant=_no_constant,
        )
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the body is not JSON: {error}") from error
    return _kept(read, max_depth)


def read_object(body: bytes, *, max_bytes: int = MAX_BYTES) -> Mapping[str, Any]:
    """Return the JSON object in ``body``, or raise `Malformed`."""
    read = read_json(body, max_bytes=max_bytes)
    if not isinstance(read, dict):
        raise Malformed("the body is JSON but not an object")
    return read


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _kept(value: Any, depth: int) -> Any:
    if depth == 0:
        raise Malformed("the body is nested too deeply")
    if isinstance(value, str):
        return fit(value)
    if isinstance(value, list):
        return [_kept(held, depth - 1) for held in value]
    if isinstance(value, dict):
        return {fit(key): _kept(held, depth - 1) for key, held in value.items() if held is not None}
    return value
