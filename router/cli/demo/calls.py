"""Customers who ring: calls uploaded afterwards as transcripts, and calls transcribed live."""

import json
from datetime import timedelta
from email.utils import format_datetime

from router.cli.demo.scripts import Customer, language_of
from router.cli.demo.signing import twilio_signature
from router.cli.demo.stage import Stage

#: Seconds that one turn of a call takes.
TURN = 4.0
_SHOP_NUMBER = "+8657100000000"


async def on_phone(stage: Stage, customer: Customer) -> None:
    """Upload the transcript of a call that has just ended."""
    length = timedelta(seconds=TURN * len(customer.says))
    document = {
        "schema": "pam.transcript/1",
        "call_id": f"demo-{stage.ids.new()}",
        "started_at": (stage.clock.now() - length).isoformat(),
        "language": language_of(customer.says[0].text),
        "caller": customer.number,
        "callee": _SHOP_NUMBER,
        "participants": [
            {"id": "customer", "role": "customer", "name": customer.name, "phone": customer.number},
            {"id": "agent", "role": "agent", "name": "电话坐席"},
        ],
        "turns": [
            {
                "id": f"t{number}",
                "participant": said.by,
                "begin_ms": int(number * TURN * 1000),
                "end_ms": int((number + 1) * TURN * 1000) - 200,
                "text": said.text,
            }
            for number, said in enumerate(customer.says)
        ],
        "complete": True,
    }
    await stage.bring(
        stage.address("/v1/transcripts"),
        data=json.dumps(document, ensure_ascii=False).encode(),
        headers={
            "Authorization": f"Bearer {stage.account('phone').settings.api_key}",
            "Content-Type": "application/json",
        },
    )


async def on_twilio(stage: Stage, customer: Customer) -> None:
    """Play a call that Twilio transcribes while it lasts."""
    call, transcription = (f"{kind}{stage.ids.entropy(16).hex()}" for kind in ("CA", "GT"))
    stage.platforms.people[call].number = customer.number
    await _state(stage, customer, call, "in-progress")
    for number, said in enumerate(customer.says):
        await stage.wait(TURN)
        await _callback(
            stage,
            {
                "CallSid": call,
                "TranscriptionSid": transcription,
                "TranscriptionEvent": "transcription-content",
                "Track": "inbound_track" if said.by == "customer" else "outbound_track",
                "SequenceId": str(number + 2),
                "Final": "true",
                "LanguageCode": "zh-CN" if language_of(said.text) == "zh" else "en-US",
                "Timestamp": stage.clock.now().isoformat().replace("+00:00", "Z"),
                "TranscriptionData": json.dumps(
                    {"transcript": said.text, "confidence": 0.97}, ensure_ascii=False
                ),
            },
        )
    await stage.wait(TURN)
    await _state(stage, customer, call, "completed")


async def _state(stage: Stage, customer: Customer, call: str, status: str) -> None:
    await _callback(
        stage,
        {
            "CallSid": call,
            "AccountSid": stage.account("hotline").settings.account_sid,
            "CallStatus": status,
            "Direction": "inbound",
            "From": customer.number,
            "To": _SHOP_NUMBER,
            "CallerName": customer.name,
            "Timestamp": format_datetime(stage.clock.now(), usegmt=False),
        },
    )


async def _callback(stage: Stage, fields: dict[str, str]) -> None:
    url = stage.hook("hotline")
    signature = twilio_signature(
        url, fields, auth_token=stage.account("hotline").settings.auth_token
    )
    await stage.bring(url, data=fields, headers={"X-Twilio-Signature": signature})
