"""What arrives from a channel, and what became of it: plain values of intake."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from router.channel.accounts import Account
from router.channel.contract import Capabilities, Event, Family
from router.domain.ids import AccountName, ChannelName, ConversationId, InteractionId, QueueName
from router.domain.timeline import Interaction
from router.service.records import MediaRow, RawDelivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The account that a delivery came to."""

    account: AccountName
    channel: ChannelName
    family: Family
    queue: QueueName
    capabilities: Capabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What one delivery says, with the raw bytes if they are to be kept.

    ``files`` are those that came inside it, by their ``ref``: on the disk already, or refused.
    ``urgent`` are the platform's ids of the messages in it that cannot wait to be read.
    """

    source: Source
    events: tuple[Event, ...]
    received_at: datetime
    raw: RawDelivery | None = None
    files: Mapping[str, MediaRow] = field(default_factory=dict)
    urgent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What became of a delivery: interactions that are new, and how many events were known."""

    added: tuple[Interaction, ...]
    known: int
    ignored: int
    #: (external id of the event, interaction) for those who must answer with our ids.
    named: tuple[tuple[str, InteractionId, int], ...]
    conversations: tuple[ConversationId, ...]
    bells: int


def source_of(account: Account) -> Source:
    """Return what intake must know of an account."""
    return Source(
        account=account.name,
        channel=ChannelName(account.channel.name),
        family=account.channel.family,
        queue=account.queue,
        capabilities=account.channel.capabilities,
    )
