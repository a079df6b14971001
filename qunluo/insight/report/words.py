"""Every word of the report's own interface, in both languages. Templates hold none."""

from __future__ import annotations

from qunluo.insight.figures import Need
from qunluo.kit.text import Text

WORDS: dict[str, Text] = {
    "title": Text("Community report", "社群报告"),
    "skip": Text("Skip to the findings", "跳到结论"),
    "masked": Text(
        "Names and quotations are masked in this copy.", "此份报告已隐去姓名、群名与原话。"
    ),
    "totals": Text("The archive in numbers", "数据总览"),
    "messages": Text("messages", "条消息"),
    "speakers": Text("people who spoke", "人发过言"),
    "groups": Text("groups", "个群"),
    "days": Text("days", "天"),
    "messages_1": Text("message", "条消息"),
    "speakers_1": Text("person who spoke", "人发过言"),
    "groups_1": Text("group", "个群"),
    "days_1": Text("day", "天"),
    "joins_1": Text("join", "次入群"),
    "leaves_1": Text("leave", "次退群"),
    "joins": Text("joins", "次入群"),
    "leaves": Text("leaves", "次退群"),
    "moves": Text("The most useful moves", "最值得做的事"),
    "no_moves": Text(
        "Nothing in these figures asks for action yet.", "目前的数据还没有提示需要采取的行动。"
    ),
    "why": Text("Why?", "为什么？"),
    "contents": Text("Contents", "目录"),
    "absent": Text("needs more data", "缺少数据"),
    "how": Text("How is this counted?", "这是怎么算的？"),
    "definition": Text("Definition", "定义"),
    "unit": Text("Unit", "单位"),
    "window": Text("Window", "时间范围"),
    "needs": Text("Needs", "所需数据"),
    "needs_nothing": Text("only the messages themselves", "只需要消息本身"),
    "sample_size": Text("n = {n}", "样本 n = {n}"),
    "interval": Text("95% interval {low} to {high}", "95% 区间 {low} 至 {high}"),
    "interval_of": Text("{of}: {words}", "{of}：{words}"),
    "few": Text("few data, read with care", "样本很少，请谨慎解读"),
    "reference": Text("Reference study", "参考研究"),
    "numbers": Text("The numbers of this chart", "图中数据"),
    "row_1": Text("{title} ({n} row)", "{title}（{n} 行）"),
    "rows_n": Text("{title} ({n} rows)", "{title}（{n} 行）"),
    "filter": Text("Filter rows", "筛选"),
    "show_all": Text("Show all {n} rows", "显示全部 {n} 行"),
    "show_less": Text("Show fewer", "收起"),
    "no_match": Text("No row matches.", "没有匹配的行。"),
    "more_rows": Text(
        "{n} more rows are not in this page; the JSON report may hold them.",
        "另有 {n} 行未列入本页，可在 JSON 报告中查看。",
    ),
    "empty_table": Text(
        "No rows: nothing of this kind was found.", "没有记录：未发现此类内容。"
    ),
    "empty_chart": Text(
        "Nothing to draw: no data for this in the period.",
        "没有可画的内容：该时段内没有相关数据。",
    ),
    "thinned": Text("{shown} of {n} points are drawn.", "图中显示 {n} 个点中的 {shown} 个。"),
    "missing": Text("Nothing to show for these", "以下指标暂无数据"),
    "or": Text(" or ", "或"),
    "sources": Text("Sources, and where every line went", "数据来源与逐行去向"),
    "file": Text("File", "文件"),
    "format": Text("Format", "格式"),
    "lines": Text("Lines", "行数"),
    "events": Text("Events", "事件"),
    "rejects": Text("Unreadable", "无法解析"),
    "blank": Text("Blank", "空行"),
    "continuation": Text("Further lines of a message", "消息续行"),
    "header": Text("File headers", "文件头"),
    "count_messages": Text("Messages", "消息"),
    "no_sources": Text("No files were read.", "没有读取任何文件。"),
    "rejects_note": Text(
        "{n} lines could not be read. They are kept with line number and reason in the "
        "archive's rejects file.",
        "有 {n} 行无法解析，已连同行号和原因保存在归档的 rejects 文件中。",
    ),
    "zone_note": Text(
        "Days and hours are those of {zone}; months are calendar months.",
        "日期与钟点按 {zone} 时区计算，月份为自然月。",
    ),
    "made_by": Text(
        "Made with Qunluo {version} on your own machine; this page asks no network.",
        "由 Qunluo {version} 在本机生成，本页不访问网络。",
    ),
    "member_n": Text("Member {n}", "成员 {n}"),
    "group_n": Text("Group {n}", "群 {n}"),
    "file_n": Text("File {n}", "文件 {n}"),
    "quote_hidden": Text("(hidden)", "（已隐去）"),
    "chart_of": Text("Chart: {title}.", "图：{title}。"),
    "chart_range": Text(
        "{name}: from {low} to {high}, highest at {at}.",
        "{name}：最低 {low}，最高 {high}，最高处在 {at}。",
    ),
    "chart_one": Text("{name}: {y}.", "{name}：{y}。"),
    "chart_graph": Text(
        "A network of {nodes} nodes and {links} ties in {communities} communities; the largest: "
        "{largest}.",
        "关系网络：{nodes} 个节点、{links} 条关系、{communities} 个社区；最大的是：{largest}。",
    ),
    "list_comma": Text(", ", "、"),
    "yes": Text("yes", "是"),
    "no": Text("no", "否"),
}

NEED_NOUNS: dict[Need, Text] = {
    "staff": Text("a staff list", "品牌账号名单"),
    "roster": Text("a roster", "群成员名单"),
    "orders": Text("orders", "订单表"),
    "corporate": Text("corporate status of accounts", "账号的企业认证状态"),
    "joins": Text("recorded joins and leaves", "入群与退群记录"),
    "replies": Text("recorded replies", "回复关系"),
    "threads": Text("topics or threads", "话题或讨论串"),
    "text": Text("message text", "消息正文"),
    "reactions": Text("reactions", "表情回应"),
}
"""Needs as nouns, for lists; `insight.needs` says as sentences how to bring them."""
