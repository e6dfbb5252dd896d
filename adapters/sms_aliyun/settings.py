"""What an operator sets for one Alibaba Cloud SMS account."""

from typing import Annotated

from msgspec import Meta, Struct


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account's pushes.

    ``trust_caller_id`` says whether the sender's number proves who wrote; the path's secret is all
    that stands between a stranger and such a claim. ``region`` is where a number without country
    code belongs. ``utc_offset_hours`` is the clock that times are told by (Beijing).
    """

    trust_caller_id: bool = True
    region: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "CN"
    utc_offset_hours: Annotated[int, Meta(ge=-12, le=14)] = 8
