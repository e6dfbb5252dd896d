"""Five lines over all channels: the most important first, in the words of who said them."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from router.domain.content import Text
from router.domain.digest import MOST_POINTS, About, digest, gist
from router.domain.ids import AgentId, ChannelName, ConversationId, InteractionId
from router.domain.timeline import Direction, Interaction
from tests.builders import NOW, a_case, an_interaction

HERE, THERE = ConversationId("here"), ConversationId("there")


def said(number: int, text: str, **changes: object) -> Interaction:
    return an_interaction(
        f"i-{number}",
        content=Text(text=text),
        at=NOW + timedelta(minutes=number),
        **{"conversation": HERE, **changes},
    )


def test_complaints_come_first_then_the_wish_then_other_channels_then_promises() -> None:
    complaint = said(1, "沙发坏了，我要投诉", conversation=THERE, channel=ChannelName("phone"))
    timeline = [
        said(6, "好的"),
        said(5, "已为您登记。", direction=Direction.OUT, author="bot"),
        said(4, "你好，发票怎么开？订单 2026031112345678"),
        said(3, "明天上午给您回电话。", direction=Direction.OUT, author=AgentId("lin")),
        said(2, "颜色能换吗？", conversation=THERE, channel=ChannelName("weibo")),
        complaint,
    ]
    case = a_case(summary="沙发坏了，我要投诉", opened_by=InteractionId("i-1"))
    points = digest(HERE, timeline, [case])
    assert [(each.about, each.text, each.channel) for each in points] == [
        (About.COMPLAINT, "沙发坏了，我要投诉", "phone"),
        (About.WANTS, "订单 2026031112345678", "wechat"),
        (About.ELSEWHERE, "颜色能换吗？", "weibo"),
        (About.PROMISED, "明天上午给您回电话。", "wechat"),
        (About.BOT, "已为您登记。", "wechat"),
    ]


def test_what_was_taken_back_and_empty_words_are_left_out() -> None:
    gone = said(1, "算了", recalled_at=NOW)
    assert digest(HERE, [gone, said(2, "  ")], []) == ()


def test_a_greeting_says_nothing() -> None:
    assert gist("你好") == ""
    assert gist("您好，请问几天能到？") == "请问几天能到？"
    assert gist("Hi, where is my parcel?") == "where is my parcel?"


@given(
    st.lists(st.text(max_size=300), max_size=8),
    st.lists(st.sampled_from((HERE, THERE)), min_size=8, max_size=8),
)
def test_there_are_never_more_than_five_short_lines(
    texts: list[str], where: list[ConversationId]
) -> None:
    timeline = [
        said(number, text, conversation=place)
        for number, (text, place) in enumerate(zip(texts, where, strict=False))
    ]
    points = digest(HERE, timeline, [a_case(f"c-{number}") for number in range(4)])
    assert len(points) <= MOST_POINTS
    assert all(0 < len(each.text) <= 120 for each in points)
