"""What the operating system says, in the reader's language."""

from __future__ import annotations

import errno

from qunluo.kit.text import Text

_CHINESE = {
    errno.ENOENT: "文件或文件夹不存在",
    errno.EACCES: "没有权限",
    errno.EPERM: "操作不被允许",
    errno.EROFS: "磁盘为只读",
    errno.EISDIR: "这是一个文件夹",
    errno.ENOTDIR: "路径中有一段不是文件夹",
    errno.EEXIST: "已存在同名文件",
    errno.ENOTEMPTY: "文件夹不是空的",
    errno.ENAMETOOLONG: "文件名过长",
    errno.ELOOP: "符号链接层数过多",
    errno.ENOSPC: "磁盘已满",
    errno.EDQUOT: "磁盘配额已用完",
    errno.EFBIG: "文件超过允许的大小",
    errno.EIO: "磁盘读写出错",
    errno.EMFILE: "打开的文件过多",
    errno.ENFILE: "打开的文件过多",
    errno.EBUSY: "文件正被占用",
    errno.EINVAL: "参数无效",
    errno.ENXIO: "设备不存在",
}


def system_words(error: OSError) -> Text:
    """Why a file could not be read or written, as part of a sentence."""
    number = error.errno or 0
    said = error.strerror or str(error) or type(error).__name__
    if "No space left" in said:  # Arrow wraps the system's words in its own
        number, said = errno.ENOSPC, "No space left on device"
    return Text(said, _CHINESE.get(number, said))
