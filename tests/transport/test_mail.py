"""A mail and its server's answer: what has left, what may have left, and how it was carried."""

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from adapters.email import CHANNEL as EMAIL
from router.channel.accounts import open_account
from router.channel.contract import Accepted, Deferred, MailCall, Outbound, Refused
from router.domain.content import Text
from router.domain.ids import AccountName, QueueName
from router.service.records import OutboxState
from router.transport.http import Doubtful, NotSent
from router.transport.mail import Mails
from tests.builders import NOW
from tests.support.fakes import CountingIds, FixedClock
from tests.support.processes import LOOPBACK, free_port
from tests.transport.rig import a_rig, meet, say, sending, settings

BODY = "From: support@shop.example\r\nSubject: =?utf-8?b?5oKo5aW9?=\r\n\r\n您好\r\n.\r\n".encode()
MAIL = AccountName("shop-mail")


@dataclass(slots=True)
class Mailbox:
    """What a server has taken, and what it answers."""

    taken: list[Envelope] = field(default_factory=list)
    users: list[tuple[bytes, bytes]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    breaks: bool = False

    async def handle_RCPT(  # noqa: N802  the server calls it so
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  the server calls it so
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.breaks:
            assert server.transport is not None
            server.transport.abort()
        self.taken.append(envelope)
        return self.answers.get("data", "250 2.0.0 queued")

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, given: Any
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        self.users.append((given.login, given.password))
        return AuthResult(success=given.password == b"right", handled=False)


@asynccontextmanager
async def a_server(box: Mailbox, **how: Any) -> AsyncIterator[int]:
    port = free_port()
    server = Controller(box, hostname=LOOPBACK, port=port, authenticator=box.authenticate, **how)
    server.start()
    try:
        yield port
    finally:
        server.stop()


def a_call(port: int, **changes: Any) -> MailCall:
    call = MailCall(
        host=LOOPBACK,
        port=port,
        security="none",
        sender="support@shop.example",
        recipients=("lin@example.org",),
        body=BODY,
    )
    return replace(call, **changes)


async def test_a_mail_arrives_as_it_was_written(tmp_path: Path) -> None:
    box = Mailbox()
    async with a_server(box) as port:
        reply = await Mails(settings(tmp_path)).carry(a_call(port))
    (mail,) = box.taken
    assert (reply.status, reply.body) == (250, b"2.0.0 queued")
    assert (mail.mail_from, mail.rcpt_tos) == ("support@shop.example", ["lin@example.org"])
    assert mail.content == BODY


async def test_what_a_server_refuses_is_an_answer_and_not_a_failure(tmp_path: Path) -> None:
    box = Mailbox(answers={"gone@example.org": "550 5.1.1 nobody here", "data": "451 4.3.0 later"})
    async with a_server(box) as port:
        mails = Mails(settings(tmp_path))
        gone = await mails.carry(a_call(port, recipients=("gone@example.org",)))
        later = await mails.carry(a_call(port))
    assert (gone.status, later.status) == (550, 451)


async def test_a_password_goes_over_an_encrypted_line_only(
    tmp_path: Path, certificate: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    theirs, trusts = certificate
    box = Mailbox()
    async with a_server(box, tls_context=theirs, require_starttls=True) as port:
        mails = Mails(settings(tmp_path), trusts=trusts)
        call = a_call(port, security="starttls", username="support", password="right")
        right = await mails.carry(call)
        wrong = await mails.carry(replace(call, password="wrong"))
        strangers = Mails(settings(tmp_path))
        with pytest.raises(NotSent):
            await strangers.carry(call)
    assert (right.status, wrong.status) == (250, 535)
    assert set(box.users) == {(b"support", b"right"), (b"support", b"wrong")}


async def test_tls_from_the_first_byte(
    tmp_path: Path, certificate: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    theirs, trusts = certificate
    box = Mailbox()
    async with a_server(box, ssl_context=theirs) as port:
        call = a_call(port, security="tls")
        reply = await Mails(settings(tmp_path), trusts=trusts).carry(call)
    assert (reply.status, len(box.taken)) == (250, 1)


async def test_where_no_server_is_nothing_has_left(tmp_path: Path) -> None:
    mails = Mails(settings(tmp_path, connect=timedelta(milliseconds=300)))
    with pytest.raises(NotSent):
        await mails.carry(a_call(free_port()))
    with socket.create_server((LOOPBACK, 0)) as silent, pytest.raises(NotSent):
        await mails.carry(a_call(silent.getsockname()[1]))


async def test_a_line_that_breaks_after_the_last_byte_leaves_a_doubt(tmp_path: Path) -> None:
    box = Mailbox(breaks=True)
    async with a_server(box) as port:
        with pytest.raises(Doubtful):
            await Mails(settings(tmp_path)).carry(a_call(port))


def an_account(port: int) -> Any:
    return open_account(
        EMAIL,
        name=MAIL,
        queue=QueueName("general"),
        settings={
            "address": "support@shop.example",
            "signing_key": "k",
            "smtp_host": LOOPBACK,
            "smtp_port": port,
            "smtp_security": "none",
        },
        path_secret="0123456789abcdef",
    )


async def test_an_agents_answer_is_mailed_and_settled(
    sqlite_store: Any, clock: FixedClock, ids: CountingIds, tmp_path: Path
) -> None:
    box, given = Mailbox(), settings(tmp_path)
    async with (
        a_server(box) as port,
        a_rig(sqlite_store, clock, ids, accounts=[an_account(port)], given=given) as rig,
    ):
        lin = await meet(rig.store, "lin@example.org", account=MAIL)
        async with sending(rig.sender(mail=Mails(given).carry)):
            row = await say(rig, lin, "马上为您处理。")
            rows = await rig.settled(row)
    assert rows[row].state is OutboxState.SENT
    (mail,) = box.taken
    assert isinstance(mail.content, bytes)
    assert f"Message-ID: <{row}@shop.example>".encode() in mail.content


@pytest.mark.parametrize(
    ("code", "kind"), [("250 ok", Accepted), ("450 4.2.0 later", Deferred), ("550 no", Refused)]
)
async def test_the_adapter_reads_what_a_real_server_says(
    tmp_path: Path, code: str, kind: type[object]
) -> None:
    box = Mailbox(answers={"data": code})
    async with a_server(box) as port:
        adapter = an_account(port).adapter
        message = Outbound(id="m1", recipient="lin@example.org", content=Text(text="hi"), at=NOW)
        (call,) = adapter.encode(message)
        reply = await Mails(settings(tmp_path)).carry(call)
    assert isinstance(adapter.interpret(call, reply), kind)
