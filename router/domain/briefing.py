"""A handover summed up by a model: what it is told, and which of its lines may be shown.

Only what stands on the timeline may be said: each line names the facts it rests on, and is made of
their words, their numbers and their addresses. One line that is not, and all are thrown away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from router.domain.digest import MOST_POINTS
from router.domain.grounding import Grounded, Source, check

#: Words with which a line may tell who said or did something; no fact needs to hold them.
_TELLING: Final = (
    "客户 顾客 用户 买家 对方 反映 反馈 表示 说 询问 咨询 想 希望 要求 投诉 抱怨 提到 提供 问题 "
    "目前 仍 之前 曾 又 再次 多次 我们 客服 坐席 同事 机器人 回复 答复 承诺 已 未 没有 尚未 解决 "
    "处理 等待 在 通过 电话 微博 微信 网页 渠道 订单 商品 情绪 生气 着急\n"
    "customer the they their says said asks asked wants wanted requests requested reports reported "
    "complains complained complaint mentions mentioned about order number product agent colleague "
    "bot we replied answered promised will not yet still again earlier before now on by phone "
    "weibo wechat chat web channel waiting resolved angry upset"
)
#: Each word stands alone, so that none of them is taken for a sentence that denies something.
_APART: Final = ", ".join(_TELLING.split())
_LONGEST: Final = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing on the timeline, private numbers masked; ``by`` is contact, bot, agent or case."""

    id: str
    by: str
    channel: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a summary, and the facts that it rests on."""

    text: str
    facts: tuple[str, ...]


def fault_in(lines: Sequence[Line], facts: Sequence[Fact]) -> str:
    """Return why the lines may not be shown, as a stable code; empty if they may."""
    if not lines:
        return "empty"
    if len(lines) > MOST_POINTS:
        return "too_long"
    sources = [Source(id=each.id, text=f"{each.text}\n{_APART}") for each in facts]
    for line in lines:
        if len(line.text) > _LONGEST:
            return "too_long"
        verdict = check(line.text, line.facts, sources)
        if not isinstance(verdict, Grounded):
            return verdict.fault.value
    return ""
