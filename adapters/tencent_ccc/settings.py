"""What an operator sets for one application of the contact centre."""

from typing import Annotated

from msgspec import Meta, Struct


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One application (``sdk_app_id``).

    ``username`` and ``password`` are those of the push's Basic authentication; without them the
    path's secret alone is the proof. ``secret_id`` and ``secret_key`` ask for what was said;
    without them only the records of calls are taken. ``rating_keys`` says which pressed key of the
    survey after the call means which score from 1 to 5.
    """

    sdk_app_id: str = ""
    username: str = ""
    password: str = ""
    secret_id: str = ""
    secret_key: str = ""
    rating_keys: dict[str, Annotated[int, Meta(ge=1, le=5)]] = {}
    trust_caller_id: bool = True
    region: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "CN"
    api_base: str = "https://ccc.tencentcloudapi.com"

    def __post_init__(self) -> None:
        """Refuse half a key."""
        if bool(self.username) != bool(self.password):
            raise ValueError("username and password belong together: give both or neither")
        asks = (self.sdk_app_id, self.secret_id, self.secret_key)
        if any(asks[1:]) and not all(asks):
            raise ValueError("sdk_app_id, secret_id and secret_key belong together")
        if self.sdk_app_id and not self.sdk_app_id.isdigit():
            raise ValueError("sdk_app_id must be the number of the application")
