"""An account: our presence on a channel, with its settings read and its adapter built."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from router.channel.contract import Channel
from router.domain.ids import AccountName, QueueName

_HIDDEN = "••••••"
_SHORTEST_SECRET = 16


class BadSettings(Exception):
    """An account's settings cannot be used; ``problems`` names each key and what was expected."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account of one channel.

    ``settings`` is an instance of ``channel.settings``; ``adapter`` was built from it and fulfils
    `Adapter`. ``path_secret`` is the unguessable segment of the webhook's path, where there is one.
    """

    name: AccountName
    channel: Channel
    queue: QueueName
    settings: Any
    adapter: Any
    path_secret: str = ""


def open_account(
    channel: Channel,
    *,
    name: AccountName,
    queue: QueueName,
    settings: Mapping[str, Any],
    path_secret: str = "",
) -> Account:
    """Return the account, or raise `BadSettings` with every problem at once."""
    problems = []
    if channel.needs_secret_path and len(path_secret) < _SHORTEST_SECRET:
        problems.append(
            f"path_secret: {channel.name} signs too little to do without it; "
            f"give at least {_SHORTEST_SECRET} unguessable characters"
        )
    try:
        read = read_settings(channel, settings)
        adapter = channel.build(read)
    except BadSettings as error:
        raise BadSettings((*problems, *error.problems)) from error
    if problems:
        raise BadSettings(problems)
    able = channel.capabilities if channel.able is None else channel.able(read)
    return Account(
        name=name,
        channel=replace(channel, capabilities=able),
        queue=queue,
        settings=read,
        adapter=adapter,
        path_secret=path_secret,
    )


def read_settings(channel: Channel, given: Mapping[str, Any]) -> Any:
    """Return ``given`` as the channel's settings, or raise `BadSettings` with every problem."""
    problems = (*_wrong_keys(channel, given), *_wrong_values(channel, given))
    if problems:
        raise BadSettings(problems)
    try:
        return msgspec.convert(dict(given), channel.settings)
    except msgspec.ValidationError as error:
        raise BadSettings((_said(error, "settings"),)) from error


def setting_names(channel: Channel) -> tuple[str, ...]:
    """Return the keys that an account of ``channel`` may set."""
    return tuple(field.encode_name for field in msgspec.structs.fields(channel.settings))


def shown_settings(account: Account) -> dict[str, Any]:
    """Return the settings in force with the secrets hidden; an unset secret shows as empty."""
    secrets = account.channel.secrets
    return {
        field.encode_name: _HIDDEN if field.name in secrets and value else value
        for field in msgspec.structs.fields(account.channel.settings)
        for value in (getattr(account.settings, field.name),)
    }


def _wrong_keys(channel: Channel, given: Mapping[str, Any]) -> tuple[str, ...]:
    allowed = setting_names(channel)
    unknown = tuple(
        f"{key}: {channel.name} has no such setting; allowed are {', '.join(allowed)}"
        for key in given
        if key not in allowed
    )
    missing = tuple(
        f"{field.encode_name}: missing, {channel.name} needs it"
        for field in msgspec.structs.fields(channel.settings)
        if field.required and field.encode_name not in given
    )
    return (*unknown, *missing)


def _wrong_values(channel: Channel, given: Mapping[str, Any]) -> tuple[str, ...]:
    problems = []
    for field in msgspec.structs.fields(channel.settings):
        if field.encode_name not in given:
            continue
        try:
            msgspec.convert(given[field.encode_name], field.type)
        except msgspec.ValidationError as error:
            problems.append(_said(error, field.encode_name))
    return tuple(problems)


def _said(error: msgspec.ValidationError, where: str) -> str:
    said, _, path = str(error).partition(" - at `$")
    return f"{where}{path.rstrip('`')}: {said[:1].lower()}{said[1:]}"
