"""Why a start is refused."""

from __future__ import annotations

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text


class PortTakenError(QunluoError):
    code = "port_taken"
    sentence = Text(
        "Port {port} on {host} is taken or not allowed. "
        "Name a free one with QUNLUO_PORT, or name none and a free one is found.",
        "{host} 的端口 {port} 已被占用或不允许使用。"
        "请用 QUNLUO_PORT 换一个端口；不指定则自动寻找。",
    )


class AlreadyServedError(QunluoError):
    code = "already_served"
    sentence = Text(
        "Qunluo already serves the data folder {folder} at {address}. "
        "Open that address, or stop that one first.",
        "群落已在 {address} 使用数据文件夹 {folder}。请直接打开该地址，或先停止它。",
    )
