"""Splitting loses no character and keeps to the limit; degrading drops no word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.channel.text import as_text, characters, split, utf8_bytes
from router.domain.content import (
    Content,
    Link,
    Media,
    MediaKind,
    Menu,
    Option,
    Place,
    Pressed,
    Text,
    Unsupported,
)


@given(st.text(st.sampled_from("ab 。！，.\n你好😀👨‍👩‍👧🏽é🇨🇳"), max_size=80), st.integers(4, 30))
def test_the_parts_join_to_the_text_and_none_is_too_long(text: str, limit: int) -> None:
    for measure in (characters, utf8_bytes):
        parts = split(text, limit, measure)
        assert "".join(parts) == text
        assert all(0 < measure(part) <= limit for part in parts)


def test_a_cut_falls_at_the_end_of_a_sentence() -> None:
    assert split("您好。请稍等，我们正在查。", 8) == ("您好。请稍等，", "我们正在查。")


@pytest.mark.parametrize("whole", ["👨‍👩‍👧", "👍🏽", "é", "🇨🇳"])
def test_no_visible_character_is_torn_apart(whole: str) -> None:
    assert split(f"a{whole}", len(whole)) == ("a", whole)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (Text(text="您好"), ["您好"]),
        (
            Media(kind=MediaKind.IMAGE, link="https://a/1", caption="看", name="1.png"),
            ["看", "https://a/1", "1.png", "图片", "picture"],
        ),
        (Place(latitude=23.1, longitude=113.3, label="展厅"), ["23.1", "113.3", "展厅"]),
        (Link(title="书桌", url="https://a", description="实木"), ["书桌", "https://a", "实木"]),
        (Pressed(payload="1", label="满意"), ["满意"]),
        (Menu(text="请选择", options=(Option(id="1", label="退货"),)), ["请选择", "1. 退货"]),
        (Unsupported(kind="sticker", text="生气"), ["sticker", "生气"]),
    ],
)
def test_what_a_channel_cannot_show_is_said_in_words(content: Content, words: list[str]) -> None:
    assert all(word in as_text(content) for word in words)
