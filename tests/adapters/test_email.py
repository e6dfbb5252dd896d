"""Mails against the relays' own packages, and threads that survive what clients do."""

import base64
import hashlib
import hmac
import json
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from mailgun.security import SecurityGuard
from sendgrid import EventWebhook

from adapters.email import CHANNEL
from adapters.email.words import from_html, unquoted
from router.channel.contract import (
    Ignored,
    Malformed,
    Moment,
    Outbound,
    Received,
    Request,
    Unverified,
)
from router.domain.content import Text
from tests.adapters.case_files import NOW
from tests.adapters.vectors import vector

OURS = "support@shop.example"
KEY = "key-mgSigningDemo0001"


def an_adapter(**more: Any) -> Any:
    settings = {"address": OURS, "signing_key": KEY, **more}
    return CHANNEL.build(msgspec.convert(settings, CHANNEL.settings))


def a_request(body: bytes, **headers: str) -> Request:
    return Request(
        method="POST",
        url="https://shop.example/hooks/mail",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=body,
        moment=Moment(now=NOW, entropy=bytes(16)),
    )


def a_mailgun(token: str, signature: str, **fields: str) -> Request:
    stamp = str(int(NOW.timestamp()))
    told = {"timestamp": stamp, "token": token, "signature": signature, **fields}
    return a_request(urlencode(told).encode(), content_type="application/x-www-form-urlencoded")


def raw(mail: EmailMessage) -> Received:
    """Return what a mail says that came whole, by Mailgun, with the signature of its package."""
    stamp = str(int(NOW.timestamp()))
    signature = hmac.new(KEY.encode(), f"{stamp}t".encode(), hashlib.sha256).hexdigest()
    assert SecurityGuard.verify_webhook(KEY, "t", stamp, signature, max_age_seconds=0)
    request = a_mailgun("t", signature, recipient=OURS, **{"body-mime": mail.as_string()})
    adapter = an_adapter()
    (event,) = adapter.decode(adapter.verify(request)).events
    assert isinstance(event, Received)
    return event


@given(st.text(max_size=20), st.sampled_from(["right", "wrong"]))
def test_mailguns_own_package_agrees_on_every_signature(token: str, kind: str) -> None:
    stamp = str(int(NOW.timestamp()))
    token = token.encode("utf-8", "replace").decode() + "x"
    signed = (stamp + token).encode() if kind == "right" else b"something else"
    signature = hmac.new(KEY.encode(), signed, hashlib.sha256).hexdigest()
    theirs = SecurityGuard.verify_webhook(KEY, token, stamp, signature, max_age_seconds=0)
    try:
        an_adapter().verify(a_mailgun(token, signature))
        ours = True
    except Unverified:
        ours = False
    assert ours == theirs == (kind == "right")


@given(st.binary(max_size=60))
def test_sendgrids_own_package_agrees_on_every_signature(told: bytes) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    encoded, stamp = base64.b64encode(public).decode(), str(int(NOW.timestamp()))
    body = json.dumps([{"event": told.hex()}])
    signature = base64.b64encode(key.sign(f"{stamp}{body}".encode(), ec.ECDSA(hashes.SHA256())))
    headers = {
        "x-twilio-email-event-webhook-signature": signature.decode(),
        "x-twilio-email-event-webhook-timestamp": stamp,
    }
    assert EventWebhook(encoded).verify_signature(body, signature.decode(), stamp)
    adapter = an_adapter(public_key_b64=encoded)
    trusted = adapter.verify(a_request(body.encode(), **headers))
    assert isinstance(adapter.decode(trusted).events[0], Ignored)
    with pytest.raises(Unverified):
        adapter.verify(a_request(body.encode() + b" ", **headers))


def test_the_recorded_vectors_are_proven() -> None:
    mailgun, sendgrid = vector("mailgun-inbound"), vector("sendgrid-event-webhook")
    inputs = mailgun["inputs"]
    told = {
        "timestamp": inputs["timestamp"],
        "token": inputs["token"],
        "signature": mailgun["outputs"]["signature"],
    }
    request = a_request(urlencode(told).encode())
    an_adapter(signing_key=inputs["signing_key"], max_age_minutes=4320).verify(request)
    inputs = sendgrid["inputs"]
    headers = {
        "x-twilio-email-event-webhook-signature": sendgrid["outputs"]["signature_b64"],
        "x-twilio-email-event-webhook-timestamp": inputs["timestamp"],
    }
    adapter = an_adapter(public_key_b64=inputs["public_key_b64"])
    adapter.verify(a_request(inputs["payload"].encode(), **headers))


# ----- a conversation by mail --------------------------------------------------------------------


def written(**headers: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Lin <lin@example.org>"
    mail["To"] = OURS
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("还没有人回复我")
    return mail


@pytest.mark.parametrize("keeps", ["references", "in-reply-to only"])
def test_an_answer_to_our_answer_comes_to_the_same_thread(keeps: str) -> None:
    first = raw(written(Message_ID="<first@example.org>", Subject="沙发坏了"))
    message = Outbound(
        id="o1",
        recipient=first.sender,
        content=Text(text="马上处理"),
        at=NOW,
        thread=first.thread,
        reply_handle=first.reply_handle,
        reply_to=first.external_id,
    )
    (call,) = an_adapter().encode(message)
    ours = message_from_bytes(call.body, policy=policy.default)
    assert ours["In-Reply-To"] == "<first@example.org>"
    assert ours["Subject"] == "Re: 沙发坏了"
    more = {"References": f"<first@example.org> {ours['Message-ID']}"}
    answer = written(
        Message_ID="<second@example.org>",
        In_Reply_To=str(ours["Message-ID"]),
        Subject="Re: Re: 沙发坏了",
        **(more if keeps == "references" else {}),
    )
    assert raw(answer).thread == first.thread


def test_two_complaints_with_one_subject_are_two_threads() -> None:
    one = raw(written(Message_ID="<a@example.org>", Subject="投诉"))
    two = raw(written(Message_ID="<b@example.org>", Subject="投诉"))
    assert one.thread != two.thread


# ----- whatever a mail holds ---------------------------------------------------------------------


@given(st.text(max_size=200))
def test_html_of_any_kind_gives_words_or_none(markup: str) -> None:
    assert isinstance(from_html(markup), str)


@given(st.lists(st.text(st.characters(exclude_characters="\r\n"), max_size=20), max_size=10))
def test_what_was_written_above_a_quotation_is_never_cut(lines: list[str]) -> None:
    own = "\n".join(f"x{line}" for line in lines if not line.startswith("-")).strip()
    kept = unquoted(f"{own}\n\n> quoted\n> again")
    assert not own or kept == own or own.startswith(kept)


@given(st.binary(max_size=400))
def test_no_raw_mail_breaks_anything(body: bytes) -> None:
    adapter = an_adapter(basic_user="u", basic_password="p")
    auth = "Basic " + base64.b64encode(b"u:p").decode()
    form = b'--b\r\nContent-Disposition: form-data; name="email"\r\n\r\n' + body + b"\r\n--b--"
    request = a_request(form, authorization=auth, content_type="multipart/form-data; boundary=b")
    try:
        told = str(adapter.decode(adapter.verify(request)))
    except Malformed as refused:
        told = str(refused)
    assert told


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": "nobody"},
        {"smtp_user": "u"},
        {"smtp_user": "u", "smtp_password": "p", "smtp_security": "none"},
        {"public_key_b64": "AAAA"},
        {"sns_certificates": ["x"]},
        {"aws_region": "eu-west-1"},
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        an_adapter(**wrong)
