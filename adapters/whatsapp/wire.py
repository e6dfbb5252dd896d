"""What WhatsApp delivers: changes with messages, receipts and contacts; every value is text.

https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/payload-examples
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from adapters._common.fields import inside, many, word

OBJECT = "whatsapp_business_account"


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """The other side of a message. ``user_id`` is scoped to the business, and may stand alone."""

    user_id: str
    phone: str
    name: str

    @property
    def key(self) -> str:
        """Return what names the person on this account: the scoped id, or else the number."""
        return self.user_id or self.phone


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the field ``messages``."""

    number: str
    contacts: Sequence[Any]
    messages: Sequence[Any]
    statuses: Sequence[Any]
    errors: Sequence[Any]

    def person(self, message: Mapping[str, Any]) -> Person:
        """Return who said ``message``: its number may be absent, its contact may stand alone."""
        phone = word(message, "from")
        return self._person(phone, word(message, "from_user_id"))

    def recipient(self, status: Mapping[str, Any]) -> Person:
        """Return whom a message of ours was for."""
        return self._person(word(status, "recipient_id"), word(status, "recipient_user_id"))

    def _person(self, phone: str, user_id: str) -> Person:
        contact: Any = next((each for each in self.contacts if _is(each, phone, user_id)), None)
        if contact is None and len(self.contacts) == 1 and not (phone or user_id):
            contact = self.contacts[0]
        return Person(
            user_id=word(contact, "user_id") or user_id,
            phone=phone or word(contact, "wa_id"),
            name=word(inside(contact, "profile"), "name"),
        )


def _is(contact: Any, phone: str, user_id: str) -> bool:
    """Return whether ``contact`` is the person with one of these ids."""
    same_phone = bool(phone) and word(contact, "wa_id") == phone
    return same_phone or (bool(user_id) and word(contact, "user_id") == user_id)


def read_change(value: Mapping[str, Any]) -> Change:
    """Return what a change of the field ``messages`` holds."""
    return Change(
        number=word(inside(value, "metadata"), "phone_number_id"),
        contacts=many(value, "contacts"),
        messages=many(value, "messages"),
        statuses=many(value, "statuses"),
        errors=many(value, "errors"),
    )
