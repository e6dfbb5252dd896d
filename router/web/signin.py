"""The door: sign-in by form, sign-out, the password, and the language of the pages.

Templates: ``signin.html`` (``problem``: a code of the topic ``error`` or "", ``login``, ``next``)
and ``password.html`` (``problem``, ``forced``).
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from router.domain.ids import AgentId
from router.service.people import for_sign_in, set_language, set_password
from router.web.auth import end_session, start_session
from router.web.deps import DEPS
from router.web.i18n import COOKIE, LANGUAGES
from router.web.me import me_of, me_or_none
from router.web.pages import back, render

log = structlog.get_logger()

SHORTEST_PASSWORD: Final = 10
LONGEST_PASSWORD: Final = 256
#: Failures before waiting begins, the longest wait, and how many doors are remembered.
FREE_FAILURES: Final = 5
LONGEST_WAIT: Final = timedelta(minutes=15)
REMEMBERED: Final = 10_000
#: What an unknown login is compared with, so that it takes as long as a known one.
_NOBODY: Final = (
    "$argon2id$v=19$m=65536,t=3,p=4$YWJjZGVmZ2hpamtsbW5vcA"
    "$5hVJQ4Xe3y3yYv5kX0c9H6q1n0qf1b9mWqk1l0mWvJc"
)


@dataclass(slots=True)
class _Failures:
    count: int
    until: datetime


class Door:
    """Checks passwords, a few at a time, and slows down who guesses. One a daemon."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._turns = asyncio.Semaphore(2)
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    async def hash(self, password: str) -> str:
        """Return the Argon2 hash of a password."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def fits(self, password: str, password_hash: str | None) -> bool:
        """Say whether the password is the hash's; None stands for nobody's."""
        async with self._turns:
            return await asyncio.to_thread(self._fits, password_hash or _NOBODY, password)

    def _fits(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False

    def is_shut(self, key: str, now: datetime) -> bool:
        """Say whether this login from this address must wait."""
        known = self._failures.get(key)
        return known is not None and known.count >= FREE_FAILURES and now < known.until

    def failed(self, key: str, now: datetime) -> None:
        """Count a failure; from the fifth on each doubles the wait."""
        count = self._failures[key].count + 1 if key in self._failures else 1
        over = max(0, count - FREE_FAILURES)
        wait = min(LONGEST_WAIT, timedelta(seconds=10 * 2 ** min(over, 20)))
        self._failures[key] = _Failures(count=count, until=now + wait)
        self._failures.move_to_end(key)
        while len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)

    def opened(self, key: str) -> None:
        """Forget the failures of who got in."""
        self._failures.pop(key, None)


DOOR = web.AppKey("DOOR", Door)
routes = web.RouteTableDef()


@routes.get("/signin")
async def sign_in_page(request: web.Request) -> web.Response:
    """Show the form."""
    return _form(request, problem="", login="")


@routes.post("/signin")
async def sign_in(request: web.Request) -> web.StreamResponse:
    """Check login and password and begin a session."""
    deps, door = request.app[DEPS], request.app[DOOR]
    form = await request.post()
    login, password = str(form.get("login", ""))[:200].strip(), str(form.get("password", ""))
    key, now = f"{login.lower()}\n{request.remote}", deps.clock.now()
    if request.headers.get("Sec-Fetch-Site", "same-origin") == "cross-site":
        return _form(request, problem="csrf", login=login, status=403)
    if door.is_shut(key, now):
        log.warning("sign_in_throttled")
        return _form(request, problem="throttled", login=login, status=429)
    found = await deps.store.read(for_sign_in, login)
    password_hash = found[1].password_hash if found else None
    right = len(password) <= LONGEST_PASSWORD and await door.fits(password, password_hash)
    if found is None or not right:
        door.failed(key, now)
        log.warning("sign_in_failed", agent=found[0].id if found else None)
        return _form(request, problem="wrong_password", login=login, status=401)
    door.opened(key)
    agent, credentials = found
    await start_session(request, agent.id, credentials.session_epoch)
    log.info("signed_in", agent=agent.id)
    to = "/password" if credentials.must_change_password else _inside(str(form.get("next", "")))
    return web.Response(status=303, headers={"Location": to})


@routes.post("/signout")
async def sign_out(request: web.Request) -> web.StreamResponse:
    """End this session."""
    await end_session(request)
    return back(request, "/signin")


@routes.get("/password")
async def password_page(request: web.Request) -> web.Response:
    """Show the form for a new password."""
    return _password_form(request, problem="")


@routes.post("/password")
async def change_password(request: web.Request) -> web.StreamResponse:
    """Change one's own password: ``current``, ``new``, ``again``. Other sessions end."""
    deps, door, me = request.app[DEPS], request.app[DOOR], me_of(request)
    form = await request.post()
    current, new, again = (str(form.get(name, "")) for name in ("current", "new", "again"))
    key, now = f"{me.agent.id}\n{request.remote}", deps.clock.now()
    if door.is_shut(key, now):
        return _password_form(request, problem="throttled", status=429)
    if not await door.fits(current, me.credentials.password_hash):
        door.failed(key, now)
        return _password_form(request, problem="wrong_password", status=409)
    if not strong(new) or compare_digest(new.encode(), current.encode()):
        return _password_form(request, problem="weak_password", status=409)
    if new != again:
        return _password_form(request, problem="passwords_differ", status=409)
    epoch = await deps.store.transact(
        set_password,
        agent=me.agent.id,
        password_hash=await door.hash(new),
        must_change=False,
        by=me.agent.id,
        at=now,
    )
    await start_session(request, AgentId(me.agent.id), epoch)
    log.info("password_changed", agent=me.agent.id)
    return back(request, "/")


@routes.post("/language")
async def choose_language(request: web.Request) -> web.StreamResponse:
    """Switch the language: ``language`` is zh or en, ``back`` is where to go back to."""
    form = await request.post()
    language, me = str(form.get("language", "")), me_or_none(request)
    if me is not None:
        store = request.app[DEPS].store
        await store.transact(set_language, agent=me.agent.id, language=language)
    answer = back(request, _inside(str(form.get("back", ""))))
    if language in LANGUAGES:
        answer.set_cookie(COOKIE, language, max_age=31_536_000, samesite="Lax", httponly=True)
    return answer


def strong(password: str) -> bool:
    """Say whether a password may be chosen."""
    return SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD


def _form(request: web.Request, *, problem: str, login: str, status: int = 200) -> web.Response:
    given = _inside(request.query.get("next", ""))
    return render(request, "signin.html", status=status, problem=problem, login=login, next=given)


def _password_form(request: web.Request, *, problem: str, status: int = 200) -> web.Response:
    forced = me_of(request).credentials.must_change_password
    return render(request, "password.html", status=status, problem=problem, forced=forced)


def _inside(address: str) -> str:
    """Return ``address`` if it is a path of ours, else the first page."""
    parts = urlsplit(address)
    plain = address.isascii() and address.isprintable() and "\\" not in address
    if plain and not parts.scheme and not parts.netloc and address.startswith("/"):
        return address if not address.startswith("//") else "/"
    return "/"
