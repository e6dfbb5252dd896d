"""How calls out are made: limits of time, size and number. The daemon fills it from ``config/``."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportSettings:
    """How we speak to platforms.

    ``media`` is the folder of stored files. ``private_links`` allows links of media to lead to
    addresses of this machine and its network, which only tests and the demo want.
    """

    media: Path
    private_links: bool = False

    #: One call: time to connect, time altogether, and the largest answer (bytes).
    connect: timedelta = timedelta(seconds=5)
    total: timedelta = timedelta(seconds=20)
    most_answer: int = 2 * MIB
    most_media: int = 20 * MIB

    #: The outbox: calls at once an account, how often it looks without being woken, how long a
    #: claim outlives the time limit of one call, how long an account rests that is refused as such.
    at_once: int = 8
    poll: timedelta = timedelta(seconds=15)
    claim_margin: timedelta = timedelta(seconds=40)
    pause: timedelta = timedelta(minutes=5)

    #: Deferred messages: the first wait, the longest that we choose ourselves, and when we give up.
    first_wait: timedelta = timedelta(seconds=2)
    longest_wait: timedelta = timedelta(minutes=10)
    most_attempts: int = 12
    oldest: timedelta = timedelta(hours=36)

    #: Tokens are renewed this long before the platform's own end; how often one looks whether
    #: another daemon has renewed it.
    token_margin: timedelta = timedelta(seconds=30)
    token_poll: timedelta = timedelta(milliseconds=200)

    #: Media, pulls and profiles: how many at once, and how often a failing one is tried.
    chores_at_once: int = 4
    chore_attempts: int = 6

    #: Notices over MQTT: how long they gather, and the waits between attempts to connect.
    notice_every: timedelta = timedelta(milliseconds=50)
    first_reconnect: timedelta = timedelta(seconds=1)
    longest_reconnect: timedelta = timedelta(seconds=30)

    @property
    def claim(self) -> timedelta:
        """Return how long a claim lasts: longer than any one call can take."""
        return self.total + self.claim_margin
