"""What an operator sets for one instance of the call centre."""

from typing import Annotated

from msgspec import Meta, Struct


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One instance.

    ``access_key_id`` and ``access_key_secret`` ask for calls and what was said in them.
    ``agent_roles`` and ``customer_roles`` are the platform's words for who speaks; letters' case
    does not matter.
    """

    instance_id: str
    access_key_id: str
    access_key_secret: str
    agent_roles: tuple[str, ...] = ("agent", "坐席", "客服", "service")
    customer_roles: tuple[str, ...] = ("customer", "client", "user", "客户", "用户")
    trust_caller_id: bool = True
    region: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "CN"
    api_base: str = "https://ccc.cn-shanghai.aliyuncs.com"

    def __post_init__(self) -> None:
        """Refuse what no call could be asked for with."""
        if not (self.instance_id and self.access_key_id and self.access_key_secret):
            raise ValueError("instance_id, access_key_id and access_key_secret must not be empty")
