"""Signs a changed body as its platform would, so that it gets past the proof and is read."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from adapters._common import meta
from adapters.douyin.proof import live_signature
from adapters.kuaishou.adapter import kwaisign
from adapters.line.adapter import signature as line_signature
from adapters.slack.adapter import signature as slack_signature
from adapters.standard.proof import signature as standard_signature
from adapters.x.proof import signature as x_signature
from router.channel.contract import Request

Headers = Mapping[str, str]


def resigned(channel: str, settings: Any, request: Request) -> Request:
    """Return ``request`` signed over the body that it has now; as it is where we cannot."""
    sign = _SIGNERS.get(channel)
    if sign is None or request.method == "GET":
        return request
    return replace(request, headers={**request.headers, **sign(settings, request)})


def _meta(settings: Any, request: Request) -> Headers:
    return {"x-hub-signature-256": meta.signature(settings.app_secret, request.body)}


def _line(settings: Any, request: Request) -> Headers:
    return {"x-line-signature": line_signature(settings.channel_secret, request.body)}


def _slack(settings: Any, request: Request) -> Headers:
    at = request.headers.get("x-slack-request-timestamp", "").encode("ascii", "replace").decode()
    return {"x-slack-signature": slack_signature(settings.signing_secret, at, request.body)}


def _standard(settings: Any, request: Request) -> Headers:
    key = settings.keys[0]
    told = (request.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp"))
    return {"webhook-signature": standard_signature(key, *told, request.body)}


def _douyin(settings: Any, request: Request) -> Headers:
    if "x-signature" in request.headers:
        given = {f"x-{name}": "" for name in ("msg-type", "nonce-str", "roomid", "timestamp")}
        headers = {**given, **request.headers}
        return {"x-signature": live_signature(headers, request.body, settings.secret)}
    said = settings.client_secret.encode() + request.body
    return {"x-douyin-signature": hashlib.sha1(said, usedforsecurity=False).hexdigest()}


def _x(settings: Any, request: Request) -> Headers:
    made = x_signature(settings.consumer_secret, request.body)
    return {"x-twitter-webhooks-signature": made}


def _kuaishou(settings: Any, request: Request) -> Headers:
    return {"kwaisign": kwaisign(request.body, settings.app_secret)}


def _feishu(settings: Any, request: Request) -> Headers:
    told = (request.headers.get(f"x-lark-request-{name}", "") for name in ("timestamp", "nonce"))
    head = "".join((*told, settings.encrypt_key)).encode("utf-8", "replace")
    return {"x-lark-signature": hashlib.sha256(head + request.body).hexdigest()}


_SIGNERS: Mapping[str, Callable[[Any, Request], Headers]] = {
    "messenger": _meta,
    "instagram": _meta,
    "whatsapp": _meta,
    "line": _line,
    "slack": _slack,
    "standard": _standard,
    "douyin": _douyin,
    "x": _x,
    "kuaishou": _kuaishou,
    "feishu": _feishu,
}
