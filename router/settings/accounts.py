"""The accounts from ``channels/*.toml``, with their secrets fetched from where they are kept."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from router.channel.accounts import Account, BadSettings, open_account
from router.channel.contract import Channel
from router.channel.registry import BrokenChannel, channels
from router.domain.ids import AccountName, QueueName
from router.domain.policy import ShopPolicy
from router.settings.files import ChannelFile, Problem, read_struct

_GENERATED_BYTES = 32
_POINTERS = ({"env"}, {"generate"})
_HIDDEN = "••••••"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where secrets come from, and where problems go."""

    env: Mapping[str, str]
    data: Path
    problems: list[Problem]

    def problem(self, file: str, key: str, what: str) -> None:
        """Note one problem."""
        self.problems.append(Problem(file=file, key=key, what=what))


def is_pointer(value: Any) -> bool:
    """Return whether a value points at a secret: ``{ env = … }`` or ``{ generate = … }``."""
    return isinstance(value, Mapping) and set(value) in _POINTERS


def read_accounts(
    files: Mapping[str, dict[str, Any]], around: Surroundings, policy: ShopPolicy | None
) -> tuple[dict[AccountName, Account], dict[str, Any]]:
    """Return the accounts, and their settings as they may be shown."""
    try:
        known = channels()
    except BrokenChannel as error:
        around.problem("channels", "", str(error))
        return {}, {}
    found: dict[AccountName, Account] = {}
    shown: dict[str, Any] = {}
    for name, table in files.items():
        where = f"channels/{name}"
        file = read_struct(ChannelFile, table, where, around.problems)
        if file is None or not file.enabled:
            continue
        channel = known.get(file.channel)
        if channel is None:
            listed = ", ".join(sorted(known))
            around.problem(where, "channel", f"{file.channel!r} is not one of {listed}")
            continue
        if policy is not None and file.queue not in policy.queues:
            around.problem(where, "queue", f"{file.queue!r} is no queue")
        if AccountName(file.account) in found:
            around.problem(where, "account", f"{file.account!r} is used by another file")
        account = _account(channel, file, where, around)
        if account is not None:
            found[account.name] = account
            shown[file.account] = {
                key: _HIDDEN if key in channel.secrets or is_pointer(value) else value
                for key, value in file.settings.items()
            }
    return found, shown


def _account(
    channel: Channel, file: ChannelFile, where: str, around: Surroundings
) -> Account | None:
    before = len(around.problems)
    settings = {
        key: resolved(value, where, f"settings.{key}", around)
        for key, value in file.settings.items()
    }
    secret = resolved(file.path_secret, where, "path_secret", around)
    if len(around.problems) > before:
        return None
    try:
        return open_account(
            channel,
            name=AccountName(file.account),
            queue=QueueName(file.queue),
            settings=settings,
            path_secret=str(secret or ""),
        )
    except BadSettings as error:
        for problem in error.problems:
            around.problem(where, "settings", problem)
        return None


def resolved(value: Any, where: str, key: str, around: Surroundings) -> Any:
    """Return a setting with every pointer to a secret followed; notes what is not there."""
    if not isinstance(value, Mapping):
        return value
    if not is_pointer(value):
        return {
            each: resolved(inner, where, f"{key}.{each}", around) for each, inner in value.items()
        }
    if "generate" in value:
        try:
            return generated(around.data, str(value["generate"]))
        except ValueError as error:
            around.problem(where, key, str(error))
            return ""
    found = around.env.get(str(value["env"]))
    if not found:
        around.problem(where, key, f"environment variable {value['env']} is not set")
    return found or ""


def generated(data: Path, name: str) -> str:
    """Return the secret ``name``; made on first use, kept in the data folder, mode 600.

    Raises ValueError for a name that is more than letters, digits, dashes and underscores.
    """
    if not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError(f"{name!r}: a generated secret's name has letters, digits and dashes")
    folder = data / "secrets"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / name
    if not path.exists():
        draft = folder / f".{name}.{secrets.token_hex(4)}"
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(_GENERATED_BYTES))
        with suppress(FileExistsError):  # another process was first: its secret is taken
            os.link(draft, path)
        draft.unlink()
    return path.read_text("utf-8").strip()
