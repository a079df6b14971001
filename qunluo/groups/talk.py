"""Made examples of what is said in groups: welcome talk and advertising, in Chinese and English.

The classifier's first lesson, before any moderator has decided anything. Everything is invented
and follows from the seed. Advertising hides as it does in life: look-alike signs, blanks between
signs, spaced-out numbers; welcome talk speaks of money, links and contacts too.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from string import Formatter

from qunluo.sample.texts import PURPOSES, text_pool

WELCOME = ("chat", "question", "praise", "complaint", "need", "draw", "answer", "koc", "reply",
           "greet", "tip")  # fmt: skip
SHARE_FROM_SAMPLE = 0.5  # of welcome talk


@dataclass(frozen=True)
class Example:
    text: str
    ad: bool
    kind: str = ""  # of the pattern it was made from; none: one of its own


def make_examples(seed: int, each: int) -> list[Example]:
    """`each` examples of either kind, in a mixed order; the same for the same seed."""
    dice = random.Random(seed)  # noqa: S311 - nothing secret
    ads = [_ad(dice) for _ in range(each)]
    mixed = ads + [_welcome(dice) for _ in range(each)]
    dice.shuffle(mixed)
    return mixed


def _ad(dice: random.Random) -> Example:
    pattern = dice.randrange(len(ADS))
    return Example(_hide(_fill(ADS[pattern], dice), dice), True, f"ad {pattern}")


def _welcome(dice: random.Random) -> Example:
    if dice.random() < SHARE_FROM_SAMPLE:
        return _from_sample(dice)
    pattern = dice.randrange(len(TALK))
    return Example(_fill(TALK[pattern], dice), False, f"talk {pattern}")


def _from_sample(dice: random.Random) -> Example:
    """What members of the sample community say."""
    pool = text_pool()
    trade = dice.randrange(pool.start.shape[0])
    purpose = PURPOSES.index(dice.choice(WELCOME))
    first, size = int(pool.start[trade, purpose]), int(pool.size[trade, purpose])
    text = str(pool.texts[first + dice.randrange(size)])
    return Example(text, False, f"sample {trade} {purpose}")


def _fill(pattern: str, dice: random.Random) -> str:
    names = [name for _, name, _, _ in Formatter().parse(pattern) if name]
    return pattern.format(**{name: _slot(name, dice) for name in names})


def _slot(name: str, dice: random.Random) -> str:
    if name == "digits":
        return "".join(dice.choices("0123456789", k=dice.randint(6, 11)))
    if name == "account":
        letters = "".join(dice.choices("abcdefghijkmnpqrstuvwxyz", k=dice.randint(2, 6)))
        return letters + "".join(dice.choices("0123456789", k=dice.randint(2, 6)))
    if name == "n":
        return str(dice.choice((2, 3, 5, 8, 10, 15, 20, 30, 50)))
    account = _slot("account", dice) if name.endswith("_") else ""  # these hold one
    return dice.choice(SLOTS[name.rstrip("_")]).replace("{x}", account)


_ALIKE = {"微": "薇威徽嶶", "信": "亻言芯", "加": "咖+➕伽", "赚": "馔撰", "钱": "浅米", "兼": "蒹",
          "职": "枳", "群": "裙", "刷": "唰", "单": "単", "q": "扣", "v": "Ⅴ∨"}  # fmt: skip
_NOISE = ("", " ", ".", "-", "*", "❤", "。")
_MARKS = ("", "", "🔥", "💰", "✅", "👉", "❗❗", "🎉", "‼️", "【福利】", "📣")


def _hide(text: str, dice: random.Random) -> str:
    """Some advertising is dressed to get past a filter."""
    if dice.random() < 0.25:
        text = "".join(
            dice.choice(_ALIKE[s]) if s in _ALIKE and dice.random() < 0.6 else s for s in text
        )
    if dice.random() < 0.1:
        text = dice.choice(_NOISE[1:]).join(text) if len(text) < 30 else text
    return dice.choice(_MARKS) + text + dice.choice(_MARKS)


SLOTS: dict[str, Sequence[str]] = {
    "job": ("手机兼职", "打字员", "刷单员", "点赞员", "抄写兼职", "游戏试玩", "客服兼职",
            "视频点赞", "拉新任务",
            "居家手工活", "问卷任务"),
    "pay": ("日赚300", "一天200-500", "日结300元", "月入过万", "一单8元", "时薪80", "日入千元",
            "轻松月入8000",
            "每天稳赚500", "一小时60"),
    "who": ("宝妈", "学生", "上班族", "退休在家的", "有手机就行", "不限男女", "零基础"),
    "join": ("加我微信{x}", "加V {x}", "扫下方二维码进群", "加扣扣{x}", "私聊我", "联系v信：{x}",
             "长按识别二维码",
             "点链接进群 t.{x}.top", "薇 {x}", "威芯{x}", "➕{x}", "进群了解", "加群主{x}"),
    "stock": ("内部消息股", "明日涨停牛股", "十倍牛股", "主力拉升票", "短线金股", "黑马股",
              "数字货币合约", "USDT搬砖套利"),
    "teacher": ("李老师", "王导师", "金牌分析师", "张教授", "首席操盘手", "私募大佬"),
    "loan": ("信用贷款", "极速贷", "工薪贷", "车主贷", "公积金贷款", "网贷", "大额周转金"),
    "rate": ("利息低至0.3%", "低息", "当天放款", "秒批秒到账", "无抵押无担保", "黑户可做",
             "只需身份证"),
    "goods": ("名牌包包", "运动鞋", "手表", "香烟", "口红", "茅台酒", "苹果手机", "减肥茶",
              "祛斑霜", "丰胸霜", "补肾胶囊"),
    "kind": ("高仿", "一比一复刻", "原单尾货", "海关罚没", "厂家直销", "一手货源", "专柜正品代购",
             "内购价"),
    "cert": ("发票", "毕业证", "驾驶证", "各类证件", "营业执照", "代写论文", "职称证书"),
    "shop": ("小区门口新开的健身房", "万达旁美容院", "江景公寓", "精装小户型", "早教中心",
             "英语培训班", "口腔医院",
             "汽车4S店", "儿童摄影馆", "温泉酒店", "家装公司", "火锅店"),
    "deal": ("开业大酬宾", "限时特惠3折起", "办卡立减500", "首付5万起", "免费体验课",
             "充一千送一千", "预约送好礼",
             "全场买一送一", "抢购热线", "名额仅剩10位"),
    "game": ("棋牌", "彩票计划群", "捕鱼", "百家乐", "体育竞猜", "真人视讯"),
    "coupon": ("淘宝内部优惠券", "外卖红包", "京东大额券", "拼多多砍价", "话费五折充值",
               "视频会员一折"),
    "site": ("http://t.{x}.top/a", "https://{x}.vip", "www.{x}.xyz", "{x}点com",
             "https://{x}.shop/?r=88"),
    "ejob": ("data entry", "online survey work", "a part-time typing job", "affiliate marketing",
             "dropshipping", "product review tasks"),
    "epay": ("$300 per day", "$5,000 a month", "$50 an hour", "200% profit in 7 days",
             "guaranteed daily returns", "passive income while you sleep"),
    "ejoin": ("DM me on Telegram @{x}", "WhatsApp +1{x}", "click here: https://{x}.top",
              "join www.{x}.xyz now", "add me on WeChat {x}", "sign up at http://{x}.vip/join"),
    "egoods": ("replica watches", "designer bags", "weight loss pills", "cheap followers",
               "Netflix accounts", "sneakers", "gift cards", "CBD oil"),
    "food": ("coffee", "oolong", "noodles", "dumplings", "the cake", "the new tea", "breakfast"),
    "when": ("today", "tomorrow", "this weekend", "last night", "on Friday", "after work"),
    "day": ("今天", "明天", "昨天", "周末", "下周三", "晚上", "中午", "刚才"),
    "eat": ("火锅", "奶茶", "面包", "粽子", "烧烤", "拉面", "蛋糕", "酸奶", "红烧肉"),
    "kin": ("我妈", "老公", "孩子", "同事", "我姐", "邻居", "室友", "爷爷"),
    "thing": ("优惠券", "快递", "订单", "会员卡", "积分", "发票", "退款", "链接", "二维码",
              "微信支付"),
    "town": ("上海", "成都", "杭州", "广州", "西安", "长沙"),
}  # fmt: skip

ADS = (
    "招{job}，{pay}，{who}都可以做，{join_}", "{job}{pay}，{who}来，{join_}",
    "在家{job}，{who}，{pay}，不收任何费用，{join_}", "急招{job}{n}名，{pay}，当天结算，{join_}",
    "{pay}的项目想了解的{join_}", "不上班也能{pay}，详情{join_}",
    "{teacher}带你抓{stock}，免费进群，{join_}", "今日{stock}已布局，跟单稳赚不赔，{join_}",
    "{teacher}{stock}昨天涨了{n}%，错过的朋友{join_}", "免费推荐{stock}，{join_}，名额有限",
    "{loan}{rate}，额度{n}万，{join_}", "急用钱找我，{loan}，{rate}，电话{digits}",
    "{loan}，{rate}，凭身份证最高{n}万，咨询{digits}", "{kind}{goods}，支持货到付款，{join_}",
    "{kind}{goods}批发零售，招代理，{join_}", "需要{goods}的{join_}，{kind}，量大从优",
    "专业代办{cert}，先办后付款，{join_}", "代开{cert}，税点低，电话{digits}",
    "{shop}{deal}！地址：{town}路{n}号，电话{digits}",
    "{shop}{deal}，凭短信到店领礼品，热线{digits}",
    "亲爱的朋友，{shop}{deal}，详询{digits}", "{deal}！{shop}诚邀您到店，{site_}",
    "{game}首充送{n}8，提现秒到，{site_}", "注册{game}就送彩金{n}8元，{site_}",
    "{game}稳赢计划，{join_}",
    "{coupon}免费领，{join_}", "复制打开{site_} 领{coupon}，先到先得",
    "{coupon}群，每天省一半，{join_}",
    "自用省钱分享赚钱，{coupon}，招募团长，{join_}", "快来帮我点一下{site_}，领现金红包秒到账",
    "{join_}", "{site_}", "想赚钱的{join_}", "需要的{join_}，非诚勿扰", "要资料的{join_} 发你名片",
    "低价出售{n}00个实名账号，{join_}", "涨粉刷赞刷阅读量，{join_}",
    "同城交友，附近小姐姐，{join_}",
    "减肥{n}斤只用一个月，不反弹，{join_}", "祖传秘方治疗腰腿疼，无效退款，电话{digits}",
    "Earn {epay} with {ejob}, no experience needed. {ejoin_}", "{ejob}: {epay}! {ejoin_}",
    "Hiring now! {ejob}, {epay}, limited spots, {ejoin_}",
    "Best {egoods}, 70% off today only, {ejoin_}",
    "Buy {egoods} wholesale, fast shipping. {ejoin_}", "My mentor made me {epay}. {ejoin_}",
    "Crypto signals, {epay}. Free VIP group: {ejoin_}",
    "Congratulations! You won a gift card, {ejoin_}",
    "Need a loan? Approved in {n} minutes, bad credit ok, {ejoin_}", "{ejoin_}",
    "Casino bonus {n}00% on first deposit, {ejoin_}", "Promote your channel with us, {ejoin_}",
)  # fmt: skip

TALK = (
    "{day}吃{eat}了，好撑", "{kin}说{day}想吃{eat}", "{day}{town}下雨，出门带伞",
    "请问{thing}在哪里看？",
    "我的{thing}怎么还没到", "{thing}过期了还能用吗", "{thing}打不开，是我手机的问题吗",
    "谢谢群主，{thing}收到了",
    "{kin}{day}生日，求推荐礼物", "有人{day}一起去吗", "{day}几点开始呀", "这个{eat}热量高不高",
    "多少钱一份{eat}？",
    "我昨天花了{n}块买的{eat}，挺值", "兼职的同事{day}来上班吗", "公司{day}发工资啦",
    "加班到现在，回家煮{eat}",
    "贷款买房压力大呀，聊点开心的", "孩子作业写到十点，累",
    "{kin}手机坏了，微信换号了，我{day}再加他",
    "客服小姐姐在吗，{thing}有问题", "店里的{eat}能送货吗", "老师讲得真好，记了{n}页笔记",
    "{day}直播几点，怕错过",
    "刚跑完{n}公里，舒服", "打卡第{n}天", "第{n}天打卡，继续加油", "+1", "1", "好的收到",
    "哈哈哈哈", "谢谢分享",
    "[强]", "😂😂", "辛苦啦", "晚安", "早", "在吗", "我也想要", "学到了", "怎么报名？",
    "报名接龙 {n}. 小满",
    "{n}号桌还有位置吗", "从{town}寄过来要几天", "退款{day}到账了，谢谢处理",
    "能开发票吗，公司报销用",
    "会员卡里还有{n}元，{day}去用掉", "群里的二维码扫不出来，能再发一次吗",
    "订单号{digits}，麻烦查一下",
    "【快递】您的包裹已到{town}驿站，取件码{digits}", "您尾号{digits}的订单已发货，请注意查收",
    "验证码{digits}，5分钟内有效，请勿告诉他人", "温馨提示：{day}起{town}有大风降温，注意保暖",
    "大家注意，最近有人冒充客服说刷单返利，千万别信", "{kin}差点被股票群骗了，大家小心",
    "有人加我微信推销贷款，是骗子吗",
    "这个广告好烦，群主管管", "幸福不是拥有得多，而是计较得少",
    "人生就像一场旅行，在乎的是沿途的风景",
    "小明问爸爸：为什么鱼不说话？爸爸说：你在水里说一个试试", "亲爱的，{day}记得带伞，爱你",
    "妈，我{day}到{town}，不用等我吃饭", "会议改到{day}{n}点，地点不变，请互相转告",
    "流量还剩{n}MB，省着点用",
    "祝大家中秋快乐，阖家团圆", "新年快乐，万事如意！", "生日快乐呀，越来越年轻",
    "请假半天，{day}带孩子看牙",
    "I had {food} {when}, it was great", "Anyone up for {food} {when}?",
    "Where can I see my order?",
    "My parcel {digits} has not arrived yet, can you check?", "Thanks for sharing!",
    "Good morning all",
    "haha same here", "What time does it start {when}?", "Happy birthday!",
    "I paid ${n} for {food}, worth it",
    "Is the shop open {when}?", "Can I get a refund? The box was broken",
    "Does anybody know a good dentist?",
    "The link you pinned does not open on my phone", "My kid loves {food}", "See you {when}",
    "I will work from home {when}, ping me here", "How do I scan the code in the shop?",
    "+1 from me",
    "Somebody sent me a casino link, please remove them", "Day {n} of the challenge done",
    "The docs at https://docs.python.org explain it well", "Rain again {when}, take an umbrella",
)  # fmt: skip
