"""What each kind of event is called in the record: “Alice …”."""

from __future__ import annotations

from qunluo.kit.text import Lang, Text

OF_A_PROGRAM = "app_"  # kinds that other programs report, by names of their own

DEEDS: dict[str, Text] = {
    # the community and who works for it
    "staff_appointed": Text("gave a role", "授予了角色"),
    "staff_dismissed": Text("took a role away", "收回了角色"),
    "settings_changed": Text("changed settings", "修改了设置"),
    "duty_began": Text("went on duty", "开始值班"),
    "duty_ended": Text("went off duty", "结束值班"),
    "token_made": Text("made an access token", "新建了访问令牌"),
    "token_revoked": Text("revoked an access token", "吊销了访问令牌"),
    "webhook_made": Text("added a webhook", "添加了 Webhook"),
    "webhook_changed": Text("changed a webhook", "修改了 Webhook"),
    "webhook_removed": Text("removed a webhook", "移除了 Webhook"),
    "webhook_switched_off": Text(
        "switched a webhook off that failed again and again", "停用了多次失败的 Webhook"
    ),
    # groups
    "group_founded": Text("opened a group", "新建了群"),
    "group_changed": Text("changed a group", "修改了群"),
    "group_stage_changed": Text("saw a group enter another stage", "判定群进入新阶段"),
    "group_positioned": Text("judged where a group stands", "判定了群的定位"),
    "launch_planned": Text("planned a group's launch", "生成了建群任务"),
    "task_made": Text("made a task", "新建了任务"),
    "task_done": Text("did a task", "完成了任务"),
    "task_reopened": Text("opened a task again", "重新打开了任务"),
    "group_closing": Text("began to close a group", "开始关闭群"),
    "group_dissolved": Text("dissolved a group", "解散了群"),
    "successor_opened": Text("opened the group that goes on", "开设了接续群"),
    "member_joined": Text("let a member in", "通过了入群"),
    "member_left": Text("noted that a member left", "记录了成员退群"),
    "member_removed": Text("removed a member", "移出了成员"),
    "member_restored": Text("brought a member back", "恢复了成员"),
    "approval_asked": Text("asked to be let in", "申请了入群"),
    "request_decided": Text("decided about a request", "处理了入群申请"),
    "moderator_appointed": Text("made a member moderator", "设成员为群管理员"),
    "moderator_dismissed": Text("took a moderator's powers away", "取消了群管理员"),
    "nickname_set": Text("set a nickname", "设置了群昵称"),
    "nickname_reminded": Text("reminded of the nickname", "提醒了群昵称格式"),
    "case_opened": Text("opened a case", "立案"),
    "case_upheld": Text("upheld a case", "维持了处理"),
    "case_undone": Text("undid a case", "撤销了处理"),
    "case_appealed": Text("appealed", "提出了申诉"),
    "appeal_refused": Text("refused an appeal", "驳回了申诉"),
    # members
    "member_met": Text("met a member", "首次接触了成员"),
    "member_renamed": Text("renamed a member", "修改了成员名字"),
    "member_tagged": Text("set a tag", "打了标签"),
    "member_untagged": Text("took a tag away", "去掉了标签"),
    "member_merged": Text("merged two members", "合并了两位成员"),
    "merge_undone": Text("undid a merge", "撤销了合并"),
    "fields_set": Text("changed a member's fields", "修改了成员资料"),
    "contact_set": Text("changed contact data", "修改了联系方式"),
    "contact_revealed": Text("looked at contact data", "查看了联系方式"),
    "consent_set": Text("noted a consent", "记录了授权"),
    "member_exported": Text("exported a member's data", "导出了成员数据"),
    "member_erased": Text("erased a member", "删除了成员"),
    "members_imported": Text("imported members", "导入了成员"),
    "rejects_downloaded": Text("downloaded rejected lines", "下载了未导入的行"),
    "field_made": Text("made a profile field", "新建了资料字段"),
    "tag_group_made": Text("made a tag group", "新建了标签组"),
    "tag_made": Text("made a tag", "新建了标签"),
    "tag_deleted": Text("deleted a tag", "删除了标签"),
    "segment_made": Text("made a segment", "新建了人群"),
    "segment_changed": Text("changed a segment", "修改了人群"),
    "segment_deleted": Text("deleted a segment", "删除了人群"),
    "channel_code_made": Text("made a channel code", "新建了渠道码"),
    "channel_code_set": Text("changed a channel code", "修改了渠道码"),
    "channel_code_opened": Text("switched a channel code on", "启用了渠道码"),
    "channel_code_closed": Text("switched a channel code off", "停用了渠道码"),
    "channel_code_removed": Text("removed a channel code", "删除了渠道码"),
    # standing and orders
    "standing_changed": Text("moved by the evidence", "状态随证据变化"),
    "standing_corrected": Text("set a standing by hand", "人工修正了状态"),
    "correction_lifted": Text("gave a standing back to the evidence", "取消了人工修正"),
    "order_paid": Text("noted an order", "录入了订单"),
    "order_refunded": Text("noted a refund", "录入了退款"),
    # what is said
    "message_posted": Text("wrote a message", "发了消息"),
    "message_reacted": Text("reacted to a message", "回应了消息"),
    "message_recalled": Text("took a message back", "撤回了消息"),
    "message_hidden": Text("hid a message", "隐藏了消息"),
    "message_restored": Text("showed a message again", "恢复显示了消息"),
    "question_asked": Text("asked a question", "提了问题"),
    "question_assigned": Text("took a question", "认领了问题"),
    "question_answered": Text("answered a question", "回答了问题"),
    "question_dismissed": Text("set a question aside", "搁置了问题"),
    "auto_reply_made": Text("made an auto-reply", "新建了自动回复"),
    "auto_reply_set": Text("changed an auto-reply", "修改了自动回复"),
    "auto_reply_switched": Text("switched an auto-reply", "开关了自动回复"),
    "auto_reply_removed": Text("deleted an auto-reply", "删除了自动回复"),
    "welcome_sent": Text("welcomed a member", "欢迎了成员"),
    # introductions
    "introduction_asked": Text(
        "asked a member about an introduction", "询问了成员是否愿意被介绍"
    ),
    "introduction_answered": Text("answered about an introduction", "答复了牵线"),
    "introduction_made": Text("introduced two members", "介绍两位成员相识"),
    "introduction_withdrawn": Text("took an introduction back", "撤回了牵线"),
    "introduction_dismissed": Text("dismissed an introduction", "搁置了牵线"),
    "introduction_expired": Text("saw an introduction run out", "牵线到期未答复"),
    "introductions_switched": Text(
        "said whether to be asked about introductions", "设置了是否接受牵线"
    ),
    "complement_set": Text("set two tags as complements", "设置了互补标签"),
    "complement_removed": Text("removed two complementary tags", "取消了互补标签"),
    # wishes
    "wish_made": Text("made a wish", "提出了心愿"),
    "wish_voted": Text("voted for a wish", "为心愿投了票"),
    "wish_vote_taken_back": Text("took a vote back", "撤回了投票"),
    "wish_merged": Text("merged two wishes", "合并了两个心愿"),
    "wish_merge_undone": Text("took a merged wish out again", "撤销了心愿合并"),
    "wish_answered": Text("answered a wish", "答复了心愿"),
    "wish_adopted": Text("adopted a member's wish", "采纳了成员的心愿"),
    "wish_set_aside": Text("set a wish aside", "搁置了心愿"),
    "wish_reopened": Text("brought a wish back", "恢复了心愿"),
    "needs_taken": Text("made a wish of what members said", "把成员的需求列入心愿单"),
    "needs_dismissed": Text("dismissed needs found in talk", "忽略了聊天中的需求"),
    # incidents
    "trigger_set": Text("set what opens an incident", "设置了事件触发条件"),
    "incident_opened": Text("opened an incident", "开启了事件"),
    "incident_owned": Text("said whose an incident is", "指定了事件负责人"),
    "incident_noted": Text("went on with an incident", "记录了事件进展"),
    "incident_handled": Text("brought an incident under control", "控制住了事件"),
    "incident_closed": Text("closed an incident", "关闭了事件"),
    "incident_reopened": Text("opened an incident again", "重新开启了事件"),
    # patrols and promises
    "patrol_slot_made": Text("put somebody on the patrol rota", "安排了巡群"),
    "patrol_slot_ended": Text("took a slot off the patrol rota", "取消了巡群安排"),
    "patrol_done": Text("patrolled the groups", "完成了巡群"),
    "attention_promised": Text("promised a member attention", "承诺了定期关怀"),
    "promise_ended": Text("ended a promise of attention", "结束了关怀承诺"),
    "exchange_noted": Text("noted an exchange with a member", "记录了与成员的沟通"),
    # testimonies and gatherings
    "testimony_offered": Text("offered a testimony", "提交了客户见证"),
    "testimony_posted": Text("put a testimony on the pages", "发布了客户见证"),
    "testimony_refused": Text("refused a testimony", "未通过客户见证"),
    "testimony_allowed": Text("allowed a testimony to be shown", "允许展示见证"),
    "testimony_withdrawn": Text("withdrew a testimony", "撤回了见证授权"),
    "gathering_made": Text("planned a gathering", "发起了聚会活动"),
    "gathering_changed": Text("changed a gathering", "修改了聚会活动"),
    "gathering_called_off": Text("called a gathering off", "取消了聚会活动"),
    "gathering_signed_up": Text("signed up for a gathering", "报名了聚会活动"),
    "gathering_waited": Text("went on a waiting list", "进入了候补名单"),
    "gathering_moved_up": Text("got a seat from the waiting list", "从候补转为正式名额"),
    "gathering_signed_off": Text("gave a seat at a gathering back", "取消了活动报名"),
    "gathering_attended": Text("was at a gathering", "参加了聚会活动"),
    "delivery_settled": Text("settled what became of a delivery", "确认了投递结果"),
}


def say_kind(kind: str, lang: Lang) -> str:
    """What happened, in words; what another program reports goes by the name that it gave."""
    if kind in DEEDS:
        return DEEDS[kind](lang)
    said = kind.removeprefix(OF_A_PROGRAM).replace("_", " ")
    return Text("reported “{said}”", "上报了“{said}”").format(said=said)(lang)
