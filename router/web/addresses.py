"""Where an account's deliveries arrive: what an operator enters at the platform."""

from router.channel.accounts import Account
from router.channel.connection import Dials, Holds, OverBroker

#: In the place of the path's secret, which `mainstem secret` reads.
HIDDEN_PATH = "/…"


def address_of(account: Account, public_url: str) -> str:
    """Return the address, without the secret of its path; for a broker, the broker's own."""
    adapter = account.adapter
    match account.channel.transport:
        case "mqtt" if isinstance(adapter, OverBroker):
            return adapter.broker.url
        case "socket":
            return f"{public_url}/ws/v1"
        case "upload":
            return f"{public_url}/v1/transcripts"
        case _:
            secret = HIDDEN_PATH if account.path_secret else ""
            return f"{public_url}/hooks/{account.name}{secret}"


def we_connect(account: Account) -> bool:
    """Return whether we open the connection ourselves; then nothing is entered at the platform."""
    adapter = account.adapter
    return (
        isinstance(adapter, OverBroker)
        or (isinstance(adapter, Dials) and adapter.dials)
        or (isinstance(adapter, Holds) and adapter.holds)
    )
