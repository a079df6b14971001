"""What a member of the web room can put right."""

from __future__ import annotations

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text


class NotAnImageError(QunluoError):
    """The file's content is no picture, whatever its name says."""

    code = "not_an_image"
    sentence = Text(
        "This file is no picture that can be shown. Send a JPEG, PNG, WebP or GIF.",
        "这个文件不是可以显示的图片。请发送 JPEG、PNG、WebP 或 GIF。",
    )


class ImageTooLargeError(QunluoError):
    code = "image_too_large"
    sentence = Text(
        "This picture is too large: {limit} MB and {pixels} megapixels are the most. "
        "Send a smaller one.",
        "图片太大：最多 {limit} MB、{pixels} 百万像素。请发送小一点的图片。",
    )
