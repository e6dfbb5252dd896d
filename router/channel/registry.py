"""Which channels there are: every folder under ``adapters``, and what other packages register.

The router names no channel, so they are found by name at start; nothing is kept between calls.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points

import msgspec

from router.channel.contract import Channel

_PACKAGE = "adapters"
_GROUP = "router.channels"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LOADING = (ImportError, SyntaxError, NameError, AttributeError, TypeError, ValueError)
_LANGUAGES = ("en", "zh")


class BrokenChannel(Exception):
    """A channel was found but cannot be used; the message names it and says what to mend."""


def channels(*, package: str = _PACKAGE, group: str = _GROUP) -> Mapping[str, Channel]:
    """Return every channel by its name, or raise `BrokenChannel` for the first that is broken.

    A folder whose name starts with an underscore is shared code and not a channel.
    """
    found: dict[str, Channel] = {}
    for where, channel in (*_in_folders(package), *_registered(group)):
        if channel.name in found:
            raise BrokenChannel(f"{where}: the channel name {channel.name} is already taken")
        found[channel.name] = channel
    return found


def _in_folders(package: str) -> Iterator[tuple[str, Channel]]:
    home = importlib.import_module(package)
    names = sorted(
        module.name
        for module in pkgutil.iter_modules(home.__path__)
        if module.ispkg and not module.name.startswith("_")
    )
    for name in names:
        where = f"{package}.{name}"
        try:
            exported = getattr(importlib.import_module(where), "CHANNEL", None)
        except _LOADING as error:
            raise BrokenChannel(f"{where}: it cannot be imported: {error}") from error
        channel = _checked(where, exported)
        if channel.name != name:
            raise BrokenChannel(f"{where}: CHANNEL.name is {channel.name!r}, expected {name!r}")
        yield where, channel


def _registered(group: str) -> Iterator[tuple[str, Channel]]:
    for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
        where = f"entry point {entry.name} = {entry.value}"
        yield where, _checked(where, _loaded(where, entry))


def _loaded(where: str, entry: EntryPoint) -> object:
    try:
        return entry.load()
    except _LOADING as error:
        raise BrokenChannel(f"{where}: it cannot be loaded: {error}") from error


def _checked(where: str, exported: object) -> Channel:
    if not isinstance(exported, Channel):
        raise BrokenChannel(f"{where}: expected CHANNEL to be a router.channel.contract.Channel")
    wrong = _complaint(exported)
    if wrong:
        raise BrokenChannel(f"{where}: {wrong}")
    return exported


def _complaint(channel: Channel) -> str:
    if not _NAME.fullmatch(channel.name):
        return f"the name {channel.name!r} must be lower-case letters, digits and underscores"
    missing = [language for language in _LANGUAGES if not channel.title.get(language)]
    if missing:
        return f"the title lacks {', '.join(missing)}"
    struct = channel.settings
    if not (isinstance(struct, type) and issubclass(struct, msgspec.Struct)):
        return "settings must be a msgspec.Struct class"
    if not struct.__struct_config__.forbid_unknown_fields:
        return "the settings struct must be declared with forbid_unknown_fields=True"
    unknown = channel.secrets - set(struct.__struct_fields__)
    if unknown:
        return f"secrets names no setting: {', '.join(sorted(unknown))}"
    return ""
