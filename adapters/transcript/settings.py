"""What an operator sets for one source of transcripts."""

from typing import Annotated

from msgspec import Meta, Struct

_AGENT = ("agent", "客服", "坐席", "座席", "人工", "人工客服", "客服人员", "话务员", "接线员")
_AGENT_EN = ("representative", "rep", "operator", "advisor", "support", "staff")
_CUSTOMER = ("customer", "客户", "用户", "顾客", "买家", "来电人", "caller", "client", "user")
_BOT = ("bot", "ivr", "robot", "voicebot", "virtual agent", "机器人", "智能客服", "语音机器人")
_SYSTEM = ("system", "系统")


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One phone system.

    ``trust_caller_id`` says whether a number in the call's data proves who called. ``region`` is
    where a number without country code belongs. The four lists say what a speaker's name in a file
    means; letters' case and trailing digits do not matter ("客服2", "Agent 1").
    """

    api_key: str
    trust_caller_id: bool = True
    region: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "CN"
    agent_names: tuple[str, ...] = _AGENT + _AGENT_EN
    customer_names: tuple[str, ...] = _CUSTOMER
    bot_names: tuple[str, ...] = _BOT
    system_names: tuple[str, ...] = _SYSTEM

    def __post_init__(self) -> None:
        """Refuse an empty key, which anybody could give."""
        if not self.api_key:
            raise ValueError("api_key must not be empty")
