"""How the first frame of the socket and the platform's own calls (SPI) are signed.

https://open.taobao.com (message service; SPI)
"""

import hashlib

from adapters.taobao.settings import Settings
from router.channel.contract import Request


def connect_sign(settings: Settings, milliseconds: str) -> str:
    """Return the signature of the first frame."""
    secret = settings.app_secret
    said = f"app_key{settings.app_key}group_name{settings.group_name}timestamp{milliseconds}"
    raw = f"{secret}{said}{secret}".encode("utf-8", "replace")
    return hashlib.md5(raw, usedforsecurity=False).hexdigest().upper()


def service_sign(request: Request, secret: str) -> str:
    """Return the signature of a call of the platform's own: query, listed headers and body."""
    listed = request.headers.get("top-sign-list", "").split(",")
    names = [name.strip() for name in listed if name.strip()]
    parameters = {name: request.headers.get(name.lower(), "") for name in names}
    parameters.update({name: value for name, value in request.query if name != "sign"})
    said = "".join(f"{name}{parameters[name]}" for name in sorted(parameters) if parameters[name])
    raw = f"{secret}{said}".encode("utf-8", "replace") + request.body + secret.encode()
    return hashlib.md5(raw, usedforsecurity=False).hexdigest().upper()
