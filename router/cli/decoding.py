"""Puts together what `mainstem decode` is to look at, from the files that an operator has."""

import base64
import json
from pathlib import Path
from typing import Any

from router.channel.captured import BadCapture

_TYPES = {".vtt": "text/vtt", ".srt": "application/x-subrip", ".json": "application/json"}
_NOW = "2000-01-01T00:00:00Z"


def assembled(
    *,
    capture: Path | None,
    upload: Path | None,
    response: Path | None,
    pull_response: Path | None,
    config: Path | None,
) -> bytes:
    """Return one capture of everything that was given; raises `BadCapture` without anything.

    A response file is either the platform's answer as it came, or an object with ``status``,
    ``headers`` and ``body``.
    """
    given: dict[str, Any] = _object(capture) if capture else {}
    if "steps" not in given and ("request" in given or "response" in given):
        step = {key: given.pop(key) for key in ("request", "response", "send") if key in given}
        given["steps"] = [step]
    steps = given.setdefault("steps", [])
    if config is not None:
        given["config"] = {**given.get("config", {}), **_object(config)}
    if upload is not None:
        steps.append({"request": _upload(upload, given.get("config", {}))})
    if response is not None:
        steps.append({"response": _reply(response)})
    if pull_response is not None:
        steps.append({"pull_response": _reply(pull_response)})
    if not steps:
        raise BadCapture(
            "nothing to decode: give a CAPTURE, or one of --file, --response, --pull-response"
        )
    given.setdefault("now", _NOW)
    return json.dumps(given).encode()


def _object(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_bytes())
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadCapture(f"{path}: is not JSON: {error}") from error
    if not isinstance(read, dict):
        raise BadCapture(f"{path}: expected a JSON object")
    return read


def _reply(path: Path) -> dict[str, Any]:
    raw = path.read_bytes()
    try:
        read = json.loads(raw)
    except (UnicodeDecodeError, json.JSONDecodeError):
        read = None
    if isinstance(read, dict) and "body" in read and set(read) <= {"status", "headers", "body"}:
        body = read["body"]
        return {**read, "body": body if isinstance(body, str) else json.dumps(body)}
    return {"status": 200, "body_b64": base64.b64encode(raw).decode()}


def _upload(path: Path, config: Any) -> dict[str, Any]:
    """Return the request that uploads a file to a channel that takes files."""
    kind = _TYPES.get(path.suffix.lower())
    if kind is None:
        raise BadCapture(f"{path}: expected a file that ends in {', '.join(_TYPES)}")
    key = config.get("api_key", "not given") if isinstance(config, dict) else "not given"
    headers = {"authorization": f"Bearer {key}"}
    body = path.read_bytes()
    if kind != "application/json":
        meta = {"call_id": path.stem, "started_at": _NOW}
        body, boundary = _multipart(path.name, kind, body, meta)
        kind = f"multipart/form-data; boundary={boundary}"
    return {
        "method": "POST",
        "path": "/v1/transcripts",
        "headers": {**headers, "content-type": kind},
        "body_b64": base64.b64encode(body).decode(),
    }


def _multipart(name: str, kind: str, body: bytes, meta: dict[str, Any]) -> tuple[bytes, str]:
    boundary = "mainstem-upload"
    while boundary.encode() in body:
        boundary += "x"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="meta"\r\n'
        f"Content-Type: application/json\r\n\r\n{json.dumps(meta)}\r\n"
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    return head.encode() + body + f"\r\n--{boundary}--\r\n".encode(), boundary
