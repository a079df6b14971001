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
    "channel_code_made": Text("made a channel code", "新建了渠道码"),
    "channel_code_set": Text("changed a channel code", "修改了渠道码"),
    "channel_code_opened": Text("switched a channel code on", "启用了渠道码"),
    "channel_code_closed": Text("switched a channel code off", "停用了渠道码"),
    "channel_code_removed": Text("removed a channel code", "删除了渠道码"),
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
    "delivery_settled": Text("settled what became of a delivery", "确认了投递结果"),
}


def say_kind(kind: str, lang: Lang) -> str:
    """What happened, in words; what another program reports goes by the name that it gave."""
    if kind in DEEDS:
        return DEEDS[kind](lang)
    said = kind.removeprefix(OF_A_PROGRAM).replace("_", " ")
    return Text("reported “{said}”", "上报了“{said}”").format(said=said)(lang)
