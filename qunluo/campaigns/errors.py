"""What a person can put right about campaigns."""

from __future__ import annotations

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text


class NotRunningError(QunluoError):
    """Not begun, paused, stopped or over."""

    code = "campaign_not_running"
    sentence = Text(
        "“{name}” is not running at the moment. Its page says when it begins and ends.",
        "“{name}”目前没有在进行，活动页面写有开始和结束时间。",
    )


class NotAudienceError(QunluoError):
    code = "campaign_not_for_you"
    sentence = Text(
        "“{name}” is for other members. Ask in the group which one is for you.",
        "“{name}”面向其他成员开放，可以在群里问问哪个活动适合你。",
    )


class NotYoursError(QunluoError):
    """An act of the operator or of the clock."""

    code = "campaign_not_yours"
    sentence = Text(
        "This is done by the people who run the campaign. Ask them in the group.",
        "这一步由活动组织者操作，请在群里联系他们。",
    )


class CampaignMovedError(QunluoError):
    code = "campaign_moved"
    sentence = Text(
        "This campaign is {state} now, so this can't be done. Load the page again.",
        "活动当前状态为“{state}”，不能这样操作，请刷新页面。",
    )


class WrongCampaignError(QunluoError):
    """Rules or a window that can't be."""

    code = "wrong_campaign"
    sentence = Text("“{field}”: {reason}", "“{field}”：{reason}")


class LintError(QunluoError):
    """Errors of the rules, or warnings without a reason."""

    code = "campaign_lint"
    sentence = Text("It can't be published yet: {first}", "暂时不能发布：{first}")


class BudgetShortError(QunluoError):
    code = "campaign_budget"
    sentence = Text(
        "The budget has {have} of the {needed} {unit} that the worst case takes. Add to it, or "
        "make the rewards or the number of plays smaller.",
        "最坏情况需要 {needed} {unit}，预算只有 {have}。请追加预算，或减少奖励、缩小规模。",
    )


class DecidedError(QunluoError):
    """Somebody else was quicker, or it was decided for good."""

    code = "friend_decided"
    sentence = Text(
        "This was decided already. Load the page again to see how.",
        "这一条已经处理过了，请刷新页面查看结果。",
    )


class NoWhyError(QunluoError):
    code = "why_missing"
    sentence = Text("Say why: who is concerned reads it.", "请写明理由，当事人会看到。")


class NothingToVoidError(QunluoError):
    code = "nothing_to_void"
    sentence = Text(
        "Nothing can be taken back here: this model gave nothing for this friend alone, or it is "
        "void already. Stop the campaign if it is misused.",
        "这里没有可收回的奖励：该玩法没有单独为这位好友发放奖励，或已作废。如被滥用，请停止活动。",
    )


class AppealedError(QunluoError):
    """One appeal each, by those whom the decision concerns."""

    code = "friend_appealed"
    sentence = Text(
        "This can't be appealed (again): an appeal was made, or it does not concern you.",
        "不能（再次）申诉：已经申诉过，或与你无关。",
    )


class CouponTakenError(QunluoError):
    """Somebody (the same member, elsewhere) was quicker, or its time is over."""

    code = "coupon_taken"
    sentence = Text("The coupon can't be used here. {why}", "这张券现在不能使用。{why}")


class PriceChangedError(QunluoError):
    """What was shown is not what it would cost now."""

    code = "price_changed"
    sentence = Text(
        "Something changed since you looked: it is {now} now. Look again, then order.",
        "刚才看到的价格有变化，现在是 {now}。请核对后重新下单。",
    )


class GiftGoneError(QunluoError):
    code = "gift_gone"
    sentence = Text(
        "The gift of “{name}” went to somebody else just now. Look again, then order.",
        "“{name}”的赠品刚刚送完了。请核对后重新下单。",
    )


class NoFontError(QunluoError):
    """No font of this machine writes Chinese."""

    code = "no_font"
    sentence = Text(
        "This machine has no font that can write Chinese, so pages draw the poster with the "
        "fonts of each phone. To get pictures, install fonts-noto-cjk (or any Chinese font), or "
        "put a font file into “fonts” of the data folder.",
        "这台机器没有中文字体，海报改由手机自带字体绘制。如需生成图片，请安装 fonts-noto-cjk"
        "（或任一中文字体），或把字体文件放入数据目录的 fonts 文件夹。",
    )


class DisputeOverError(QunluoError):
    """A swap of which there is nothing to decide any more."""

    code = "dispute_over"
    sentence = Text(
        "This swap is decided already: both have confirmed, or somebody of the team was quicker.",
        "这笔交换已有结果：双方已确认，或团队中已有人裁定。",
    )
