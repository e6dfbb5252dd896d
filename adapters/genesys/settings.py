"""What an operator sets for one organisation of Genesys Cloud."""

from typing import Annotated

from msgspec import Meta, Struct


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One organisation.

    ``api_key`` is what EventBridge gives with each notification; without it the path's secret alone
    is the proof. ``organization_id`` refuses those
    of others. ``client_id`` and ``client_secret`` are an OAuth client's and ask who rang;
    ``login_base`` and ``api_base`` are those of the organisation's region. ``partial_results``
    shows words that are still being recognised.
    """

    api_key: str = ""
    organization_id: str = ""
    client_id: str = ""
    client_secret: str = ""
    partial_results: bool = False
    trust_caller_id: bool = True
    region: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "CN"
    login_base: str = "https://login.mypurecloud.com"
    api_base: str = "https://api.mypurecloud.com"

    def __post_init__(self) -> None:
        """Refuse half a key."""
        if bool(self.client_id) != bool(self.client_secret):
            raise ValueError("client_id and client_secret belong together: give both or neither")
