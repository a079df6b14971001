"""What the API says when something can't be done."""

from __future__ import annotations

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text


class NoTokenError(QunluoError):
    code = "no_token"
    sentence = Text(
        "This needs a valid token: send “Authorization: Bearer qun_…”. Tokens are made in the "
        "console, under API.",
        "此处需要有效的令牌：请发送“Authorization: Bearer qun_…”。令牌可在控制台的 API 页面创建。",
    )


class NoScopeError(QunluoError):
    """The token lacks the scope, or its maker's role has lost the permission."""

    code = "no_scope"
    sentence = Text(
        "This token may not do that: it needs the scope {scope}, and its maker's role must "
        "allow it. Make a token with that scope.",
        "该令牌无此权限：需要范围 {scope}，且创建者的角色也须允许。请创建带有此范围的令牌。",
    )


class TooManyCallsError(QunluoError):
    code = "too_many_calls"
    sentence = Text(
        "This token makes more than {limit} calls a minute. Try again in {wait_s} s.",
        "该令牌每分钟调用超过 {limit} 次，请 {wait_s} 秒后再试。",
    )


class TooLargeError(QunluoError):
    """A body larger than any call needs."""

    code = "body_too_large"
    sentence = Text(
        "The body is larger than {limit} bytes. Send less at a time.",
        "请求体超过 {limit} 字节，请分批发送。",
    )


class NotThereError(QunluoError):
    """There is none, or it is another community's: both look the same from outside."""

    code = "not_there"
    sentence = Text("There is nothing here.", "这里没有内容。")


class WrongMethodError(QunluoError):
    code = "wrong_method"
    sentence = Text(
        "This address can't be used that way; “Allow” says how it can.",
        "此地址不支持该请求方法，可用方法见“Allow”。",
    )


class WrongBodyError(QunluoError):
    code = "wrong_body"
    sentence = Text(
        "The request can't be read: its body must be JSON in UTF-8, without null characters "
        "and numbers without end.",
        "无法读取请求：请求体须为 UTF-8 编码的 JSON，且不含空字符和无穷数。",
    )


class WrongRequestError(QunluoError):
    code = "wrong_request"
    sentence = Text(
        "The request does not fit: {count} of its values can't be used. See “errors”.",
        "请求不符合要求：有 {count} 个值无法使用，详见“errors”。",
    )


class WrongCursorError(QunluoError):
    code = "wrong_cursor"
    sentence = Text(
        "This cursor is not one of this list. Start again without a cursor.",
        "该游标不属于此列表，请不带游标重新开始。",
    )


class WrongKeyError(QunluoError):
    code = "wrong_idempotency_key"
    sentence = Text(
        "An Idempotency-Key has 1 to 120 visible ASCII characters.",
        "Idempotency-Key 须为 1 到 120 个可见 ASCII 字符。",
    )


class KeyReusedError(QunluoError):
    code = "key_reused"
    sentence = Text(
        "This Idempotency-Key was used for another request. Use a new key for a new request.",
        "该 Idempotency-Key 已用于另一个请求，新请求请使用新的键。",
    )


class WrongScopesError(QunluoError):
    code = "wrong_scopes"
    sentence = Text(
        "A token needs one scope or more, of those your role allows.",
        "令牌至少需要一个范围，且须在你的角色权限之内。",
    )


class NoTokenNameError(QunluoError):
    code = "no_token_name"
    sentence = Text(
        "Say what the token is for, in 1 to 80 characters.",
        "请用 1 到 80 个字说明令牌的用途。",
    )


class WrongAddressError(QunluoError):
    code = "wrong_webhook_address"
    sentence = Text(
        "Events can't be sent to {url}: {reason}",
        "无法向 {url} 发送事件：{reason}",
    )


class TooManyWebhooksError(QunluoError):
    code = "too_many_webhooks"
    sentence = Text(
        "A community has {most} webhooks at most. Remove one that is not needed.",
        "每个社群最多 {most} 个 webhook，请先删除不需要的。",
    )


class BrokenError(QunluoError):
    code = "broken"
    sentence = Text(
        "Something went wrong on our side, and nothing was changed. Try again in a moment.",
        "系统出现问题，没有任何改动。请稍后再试。",
    )
