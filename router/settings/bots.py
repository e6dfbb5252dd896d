"""The bots of bot.toml: where each is, what it may cost, and who is answered by it."""

import base64
import binascii
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from router.domain.ids import AccountName, QueueName
from router.service.botport import BUILT_IN, BotChoice, BotKind, BotSpec
from router.settings.accounts import Surroundings, resolved
from router.settings.files import BotFile, OutsideBotFile, duration, read_struct

_FILE = "bot.toml"
_SHORTEST, _LONGEST = timedelta(milliseconds=100), timedelta(seconds=60)


def read_bots(
    table: Mapping[str, Any],
    around: Surroundings,
    *,
    accounts: Collection[AccountName],
    queues: Collection[QueueName],
) -> BotChoice:
    """Return which bots there are and who is answered by which; notes every problem."""
    file = read_struct(BotFile, table, _FILE, around.problems)
    if file is None:
        return BotChoice()
    specs = {
        name: spec
        for name, each in file.bots.items()
        if (spec := _spec(name, each, around)) is not None
    }
    known = {BUILT_IN, *file.bots}
    for key, name in (
        ("use", file.use),
        *((f"accounts.{account}", name) for account, name in file.accounts.items()),
        *((f"queues.{queue}", name) for queue, name in file.queues.items()),
    ):
        if name not in known:
            listed = ", ".join(sorted(known))
            around.problem(_FILE, key, f"{name!r} is no bot; bots are {listed}")
    _check_known("accounts", file.accounts, accounts, around)
    _check_known("queues", file.queues, queues, around)
    models = sorted(name for name, each in file.bots.items() if BotKind(each.kind) is BotKind.MODEL)
    if file.handover and file.handover not in models:
        listed = ", ".join(models) or "none"
        around.problem(_FILE, "handover", f"{file.handover!r} is no model; models are {listed}")
    if BUILT_IN in file.bots:
        around.problem(_FILE, f"bots.{BUILT_IN}", "is the built-in bot's name; choose another")
    return BotChoice(
        specs=specs,
        shop=file.use,
        accounts={AccountName(key): name for key, name in file.accounts.items()},
        queues={QueueName(key): name for key, name in file.queues.items()},
        writer=file.handover,
    )


def _check_known(
    key: str, given: Collection[str], known: Collection[str], around: Surroundings
) -> None:
    for each in given:
        if each not in known:
            listed = ", ".join(sorted(known))
            around.problem(_FILE, f"{key}.{each}", f"is none of the {key}: {listed}")


def _spec(name: str, file: OutsideBotFile, around: Surroundings) -> BotSpec | None:
    key, before = f"bots.{name}", len(around.problems)
    limit = duration(file.time_limit)
    if limit is None or not _SHORTEST <= limit <= _LONGEST:
        around.problem(_FILE, f"{key}.time_limit", "must be between 100ms and 60s, such as 8s")
    if not file.url.startswith(("https://", "http://")):
        around.problem(_FILE, f"{key}.url", f"{file.url!r} is not an http or https address")
    secret = str(resolved(file.secret, _FILE, f"{key}.secret", around) or "")
    if file.secret and isinstance(file.secret, str):
        around.problem(_FILE, f"{key}.secret", 'is not written down; write { env = "NAME" }')
    kind = BotKind(file.kind)
    if kind is BotKind.MODEL and not file.model:
        around.problem(_FILE, f"{key}.model", "is missing; name the model to ask for")
    if kind is BotKind.WEBHOOK and not _is_signing_secret(secret):
        around.problem(
            _FILE, f"{key}.secret", "must be whsec_ and base64 of at least 24 bytes, for signing"
        )
    if limit is None or len(around.problems) > before:
        return None
    is_model = kind is BotKind.MODEL
    return BotSpec(
        name=name,
        kind=kind,
        url=file.url,
        time_limit=limit,
        any_question=not is_model if file.any_question is None else file.any_question,
        fallback=is_model if file.fallback is None else file.fallback,
        secret=secret,
        model=file.model,
        structured=file.structured,
        articles=file.articles,
        answer_tokens=file.answer_tokens,
        conversation_tokens=file.conversation_tokens,
        day_tokens=file.day_tokens,
    )


def _is_signing_secret(secret: str) -> bool:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        return False
    return secret.startswith("whsec_") and len(key) >= 24  # noqa: PLR2004  the standard's least
