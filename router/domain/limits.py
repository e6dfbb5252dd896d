"""The words that limit what a bot may say: lists, and nothing that decides.

They err on the side of silence: what is refused here is asked back or given to a person.
"""

import re
from collections.abc import Mapping
from typing import Final

#: What no bot may say, whatever an article says: it is no person, hides no way to one, closes no
#: complaint, asks for no secret and tells nothing of its instructions.
_NEVER: Final = (
    r"(?:投诉|工单|案件|举报).{0,8}(?:关闭|关掉|撤销|撤回|结案|删除|取消|解决了|处理完|不予|不受理)"
    r"|(?:关闭|撤销|撤回|删除|取消|忽略|隐藏).{0,6}(?:投诉|工单|举报)"
    r"|(?:不要|别|无需|不必|不用|没必要).{0,4}(?:投诉|举报|差评|维权|找人工|转人工)"
    r"|(?:没有|无法|不能|不提供|不会|拒绝).{0,6}(?:转人工|人工客服|真人)"
    r"|我(?:就)?是(?:一[名位个])?(?:真人|人类|人工|客服人员|店长|经理|老板|管理员)"
    r"|我不是(?:机器人|智能|AI)|系统提示|提示词|我的(?:指令|设定|规则)|开发者模式|越狱"
    r"|好评返现|五星好评|(?:提供|发送|告诉|输入|回复|索要|报一下).{0,6}(?:密码|验证码|银行卡号?|身份证)"
    r"|\b(?:complaint|case|ticket)s?\b.{0,20}"
    r"\b(?:closed|withdrawn|resolved|deleted|dismissed|dropped)"
    r"|\b(?:close|withdraw|delete|ignore|hide|drop)\w*\b.{0,16}\b(?:complaint|case|ticket)"
    r"|\b(?:no|not|don't|do not|never|needn't)\b.{0,12}\b(?:complain|file a|human agent"
    r"|speak to a|real person|transfer you)"
    r"|\bi(?:'m| am)\s(?:really |actually |in fact )?(?:a |an |the )?(?:human|person|real|manager"
    r"|owner|admin|supervisor|not a bot|dan\b)"
    r"|\bsystem prompt|\bmy (?:instructions|rules|prompt|guidelines)|\bdeveloper mode|\bjailbr"
    r"|\b(?:send|give|tell|provide|enter|confirm)\b.{0,16}\b(?:password|passcode"
    r"|verification code|card number|cvv)|\b(?:5|five)[- ]star"
)
#: What a model may not say besides: it cannot act, and it grants nothing.
_ACTS: Final = (
    r"已经?(?:为|帮|给|替)(?:您|你)|(?:为|帮|给|替)(?:您|你).{0,10}(?:好了|完成|成功|完毕)"
    r"|(?:我|我们)(?:会|将|可以|来|这就|马上|同意|批准|保证|承诺|答应|负责)"
    r".{0,12}(?:退|赔|补|送|免|换|取消|修改|关闭|撤|删)"
    r"|\b(?:i|we)(?:'ve| have|'ll| will| can| hereby| just)?\s?(?:already |now |gladly |happily )?"
    r"(?:refund|cancel|clos|approv|credit|issu|process|compensat|delet|withdr[ae]w|guarantee"
    r"|promis|waiv|upgrad|grant)\w*"
)
NEVER_SAID: Final = re.compile(_NEVER, re.IGNORECASE)
ACTS_SAID: Final = re.compile(_ACTS, re.IGNORECASE)

#: Words that bind the shop or lead away from it. One of a group may be said only if the cited
#: articles say one of the same group.
WEIGHTY: Final[tuple[re.Pattern[str], ...]] = tuple(
    re.compile(each, re.IGNORECASE)
    for each in (
        r"退款|退钱|退费|refund|money back",
        r"赔|补偿|补贴|compensat|reimburs|make it up to",
        r"免费|赠|送您|礼品|礼物|白送|\bfree\b|\bgift|complimentary|no charge|on the house",
        r"优惠券|红包|代金券|折扣|打折|满减|立减|coupon|voucher|discount|% off|promo code",
        r"保证|承诺|担保|一定会|绝对|必须|肯定|guarantee|promise|assure|pledge|definitely|certainly",
        r"马上|立刻|立即|今天|今晚|immediately|right away|at once|\btoday\b|\btonight\b|instantly",
        r"换货|换新|补发|重发|replace|resend|exchange",
        r"律师|起诉|法律责任|\blawyer|\bsue\b|liab|lawsuit|legal",
        r"治愈|疗效|治疗|无毒|无害|\bcure|\bheal|harmless|non-toxic",
        r"微信|扫码|二维码|私聊|加我|\bqq\b|whatsapp|telegram|\bdm me",
        r"汇款|转账|打款|wire |bank transfer|gift card|western union|bitcoin|crypto",
        r"密码|验证码|password|passcode|verification code|\bcvv\b",
        r"投诉|举报|complain|ombudsman",
        r"翻倍|双倍|两倍|三倍|十倍|double|triple|twice|half price|半价",
        r"所有|全部|任何|无条件|every|\ball\b|\bany\b|unconditional|no matter",
    )
)
FUNCTION_ZH: Final = frozenset(
    "的了吗呢吧啊呀是在有和与或及也都就还会能可以要请您你我们他她它这那此其为被把让给对从到"
    "个些上下中里后前时会将再很更最如果则若且但而所于之等哦哈嗯即"
)
FUNCTION_EN: Final = frozenset(
    re.findall(
        "[a-z]+",
        "a an the is are was were be been being am do does did have has had will would can "
        "could should may might must shall to of in on at by for from with as and or but if "
        "then that this these those it its you your yours we our ours i my me they their them "
        "he she his her there here so just also please when which what who how where than "
        "into out up about after before within yes not no once via per each ",
    )
)
#: Courtesies that carry no fact; they are cut out before the rest is looked at.
COURTESY: Final = re.compile(
    r"(?:亲爱的)?(?:顾客|客户|亲)?(?:您好|你好)|感谢(?:您的)?(?:咨询|耐心|理解|支持)|谢谢(?:您)?"
    r"|(?:希望|但愿)(?:以上)?(?:信息|内容|回答)?对您有(?:所)?帮助|祝您(?:购物|生活)?愉快"
    r"|如(?:果)?(?:您)?还有(?:其他|别的)(?:问题|疑问)(?:请)?(?:随时)?(?:联系|咨询|告诉)?(?:我|我们)?"
    r"|请问还有(?:什么|其他)可以帮(?:到)?您(?:的)?(?:吗)?|关于您的问题|根据(?:我们的)?(?:规定|说明|资料)"
    r"|\b(?:hello|hi there|hi|dear customer"
    r"|thank you(?: for (?:asking|your (?:question|patience)))?"
    r"|thanks(?: for (?:asking|your question))?|you're welcome|i hope (?:this|that) helps"
    r"|let (?:me|us) know if you have (?:any )?(?:other|more|further) questions"
    r"|have a (?:nice|great|good) day|good question|sure)\b",
    re.IGNORECASE,
)

#: English numbers in words, from two on; "one" says too little.
EN_NUMBERS: Final[Mapping[str, int]] = {
    word: value
    for value, word in enumerate(
        (
            *("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
            *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
            *("eighteen", "nineteen", "twenty"),
        ),
        start=2,
    )
} | {
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
    "hundred": 100,
    "thousand": 1000,
    "million": 10**6,
}
