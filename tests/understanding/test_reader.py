"""Reading messages: what a customer means, by the lexicon."""

from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.domain.reading import Alarm, Entity, EntityKind, Intent
from router.understanding.reader import RuleReader

READER = RuleReader()
LONGEST = 100_000
PATIENCE = 10.0  # seconds for the longest text on a busy machine; a backtracking rule takes hours


@pytest.mark.parametrize(
    "text",
    [
        "再不处理我就打12315",
        "我已經找了律師，法院見",
        "等着吧，我会发到抖音让大家看看",
        "银行那边已经申请拒付",
        "你们就是骗子，卖的全是假货",
        "孩子用了以后满脸红疹，现在在医院",
        "插上电就冒烟了，差点起火",
        "再不退款我就打幺二三幺五",
        "I am taking you to small claims court",
        "I have opened a chargeback with my bank",
        "my solicitor will write to you",
        "the heater caught fire and burnt my hand",
        "I'm reporting you to Trading Standards",
        "I will post this on Twitter so everyone knows",
    ],
)
def test_what_cannot_wait_is_an_alert_of_the_highest_severity(text: str) -> None:
    reading = READER.read(text)
    assert (reading.complaint, reading.severity) == (Alarm.ALERT, 3)


@pytest.mark.parametrize(
    "text",
    [
        "说好的赠品呢",
        "到现在还没收到，都两个星期了",
        "这已经是第三次了",
        "你们客服态度太差了",
        "打了五个电话都没人接",
        "真行啊你们",
        "退货退了一个月，钱也没见着",
        "thanks for nothing",
        "you promised it would be here on Monday",
        "this is the third time I am asking",
        "nobody has replied to any of my emails",
        "the table arrived with a broken leg and I waited six weeks for it",
        "still waiting for my refund",
    ],
)
def test_a_complaint_without_the_word_is_noticed(text: str) -> None:
    assert READER.read(text).complaint is not Alarm.NONE


@pytest.mark.parametrize(
    "text",
    [
        "不是要投诉，就想问问什么时候发货",
        "我没生气，就问一下",
        "质量没问题，谢谢",
        "no complaints at all, thank you",
        "I'm not complaining, just asking when it ships",
        "这个卷发棒会不会烫伤",
        "敏感肌用这个会不会过敏？",
        "can I return it if it doesn't fit?",
        "is the kettle safe, could it burn a child?",
        "页面写着“如有假货可向工商局举报”，这个怎么理解？",
        'your site says "damaged items are refunded by our fraud team", what does it mean?',
        "垃圾袋有大号的吗",
        "哈哈太好用了，已经推荐给朋友",
        "怎么申请七天无理由",
        "is this sofa available in grey?",
        "你好",
    ],
)
def test_a_question_with_an_alarming_word_is_no_complaint(text: str) -> None:
    assert READER.read(text).complaint is Alarm.NONE


@pytest.mark.parametrize(
    "text",
    [
        "转人工",
        "請轉真人客服",
        "叫你们经理来",
        "别让机器人回我了",
        "可以给我回个电话吗",
        "agent",
        "I want to speak to a human",
        "get me your supervisor",
    ],
)
def test_a_wish_for_a_person_is_heard(text: str) -> None:
    assert READER.read(text).wants_human


@pytest.mark.parametrize(
    "text", ["不用转人工，我自己看看", "什么时候发货", "where is my order", "客服电话是多少"]
)
def test_nobody_is_sent_to_a_person_who_did_not_ask(text: str) -> None:
    assert not READER.read(text).wants_human


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("我的快递到哪了", Intent.LOGISTICS),
        ("怎么申请退款", Intent.AFTER_SALES),
        ("发票抬头能改吗", Intent.PAYMENT),
        ("这张优惠券怎么用", Intent.PROMOTION),
        ("忘记密码了", Intent.ACCOUNT),
        ("帮我取消订单", Intent.ORDER),
        ("这款沙发是什么材质", Intent.PRODUCT),
        ("转人工", Intent.HUMAN_REQUEST),
        ("谢谢你", Intent.CHITCHAT),
        ("I will sue you", Intent.COMPLAINT),
        ("has my parcel been dispatched", Intent.LOGISTICS),
        ("do you have a student discount", Intent.PROMOTION),
    ],
)
def test_the_topic_of_a_message_is_told(text: str, intent: Intent) -> None:
    assert READER.read(text).intent is intent


def test_traditional_characters_are_read_like_simplified_ones() -> None:
    simplified, traditional = READER.read("客服态度太差了"), READER.read("客服態度太差了")
    assert simplified.because == traditional.because
    assert traditional.complaint is Alarm.ALERT


def test_numbers_and_emoji_take_the_language_of_the_conversation() -> None:
    read = [READER.read("👍", language=language).language for language in ("zh", "en", None)]
    assert read == ["zh", "en", "zh"]


def test_words_outrank_the_language_of_the_conversation() -> None:
    assert READER.read("where is my parcel", language="zh").language == "en"
    assert READER.read("我的包裹在哪", language="en").language == "zh"


def test_every_decision_names_its_rules() -> None:
    reading = READER.read("叫你们经理来，我要投诉，快递三天没动了")
    assert {each.partition(":")[0] for each in reading.because} == {"complaint", "human", "intent"}
    assert any(each.startswith("complaint:says-complaint") for each in reading.because)


def test_a_graver_message_scores_higher() -> None:
    scores = [
        READER.read(text).complaint_score
        for text in ("谢谢，很喜欢", "能换吗", "有点失望", "太差了，骗子，我要去工商局投诉")
    ]
    assert scores == sorted(scores)
    assert scores[0] < 0.1
    assert scores[-1] > 0.9


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("我手机13812345678", EntityKind.PHONE, "+8613812345678"),
        ("打我186 0000 1234", EntityKind.PHONE, "+8618600001234"),
        ("我号码是一三九零零一一二二三三", EntityKind.PHONE, "+8613900112233"),
        ("call +44 7700 900123", EntityKind.PHONE, "+447700900123"),
        ("call 415-555-0132 after five", EntityKind.PHONE, "+14155550132"),
        ("座机0571-88776655", EntityKind.PHONE, "+8657188776655"),
        ("my order number is 4471-2290", EntityKind.ORDER, "4471-2290"),
        ("订单号：20251103778899", EntityKind.ORDER, "20251103778899"),
        ("单号SF1390022817745", EntityKind.TRACKING, "SF1390022817745"),
        ("快递是中通的，776655443322110", EntityKind.TRACKING, "776655443322110"),
        ("DHL 1234567890", EntityKind.TRACKING, "1234567890"),
        ("order nr 5567", EntityKind.ORDER, "5567"),
        ("UPS 1Z999AA10123456784", EntityKind.TRACKING, "1Z999AA10123456784"),
        ("Mail Jane.Doe@Example.com", EntityKind.EMAIL, "jane.doe@example.com"),
        ("sam dot reed at example dot org", EntityKind.EMAIL, "sam.reed@example.org"),
    ],
)
def test_numbers_and_addresses_are_found(text: str, kind: EntityKind, value: str) -> None:
    assert READER.read(text).entities == (Entity(kind=kind, value=value),)


@pytest.mark.parametrize(
    "text",
    [
        "12315我已经打过了",
        "尺寸1800*600*2400",
        "身份证330106199001011234",
        "银行卡6222020200112233445",
        "I paid 1299 in 2024",
        "part 415-555-0132 is for which chair",
        "手机号后四位5678",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert READER.read(text).entities == ()


def test_a_threat_at_the_end_of_a_long_mail_is_not_missed() -> None:
    long = "请问这款沙发有货吗，谢谢。" * 2_000
    reading = READER.read(f"{long}再不退款我就起诉你们。我的电话13812345678")
    assert (reading.complaint, reading.severity) == (Alarm.ALERT, 3)
    assert Entity(kind=EntityKind.PHONE, value="+8613812345678") in reading.entities


@settings(deadline=None)
@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=300))
def test_any_text_is_read(text: str) -> None:
    reading = READER.read(text)
    assert reading.language in {"zh", "en"}
    assert 0 <= reading.complaint_score <= 1
    assert -1 <= reading.sentiment <= 1
    assert (reading.severity > 0) == (reading.complaint is not Alarm.NONE)
    assert reading.reader == READER.name


def test_lone_surrogates_are_read() -> None:
    assert READER.read("\ud83d投诉\udc00").complaint is Alarm.ALERT


@settings(deadline=None, max_examples=30)
@given(st.text(st.sampled_from('没不我说等了天“"a1@ .-?!你们退款没人()+'), min_size=1, max_size=12))
def test_the_longest_text_takes_bounded_time(unit: str) -> None:
    text = (unit * (LONGEST // len(unit) + 1))[:LONGEST]
    before = perf_counter()
    READER.read(text)
    assert perf_counter() - before < PATIENCE


SENTENCES = (
    "再不处理我就打12315",
    "你们就是骗子，卖的全是假货",
    "说好的赠品呢",
    "你好，在吗",
    "这不是投诉，只是问一下",
    "真行啊你们，第三次了，没人管",
    "the heater caught fire and burnt my hand",
    "still waiting for my refund",
    "could it burn me?",
    "thank you, all good",
    "这已经是第三次了，你们客服态度太差了，到现在还没收到",
    "“如有质量问题请联系客服投诉”",
)


@given(st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=4), st.text(max_size=12))
def test_what_is_heard_at_the_door_is_what_is_read_as_an_alert(
    said: list[str], between: str
) -> None:
    text = between.join(said)
    assert READER.is_alert(text) == (READER.read(text).complaint is Alarm.ALERT)


def test_an_alert_in_any_piece_of_a_long_text_is_heard_at_the_door() -> None:
    long = "请问什么时候发货。" * 1000
    assert not READER.is_alert(long)
    assert READER.is_alert(f"{long}我要投诉你们，打12315{long}")
