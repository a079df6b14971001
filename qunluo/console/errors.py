"""What a user of the first page can put right."""

from __future__ import annotations

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text


class NothingChosenError(QunluoError):
    code = "nothing_chosen"
    sentence = Text(
        "No chat export was chosen. Pick one or more files, a folder or a zip, and try again.",
        "还没有选择聊天记录。请选择一个或多个文件、文件夹或 zip，再试一次。",
    )


class UploadTooLargeError(QunluoError):
    code = "upload_too_large"
    sentence = Text(
        "These files are larger than {limit} MB together. Give their path on this computer "
        "instead, or raise QUNLUO_MAX_UPLOAD_MB.",
        "文件合计超过 {limit} MB。请改为填写文件在本机的路径，或调大 QUNLUO_MAX_UPLOAD_MB。",
    )


class NoRoomError(QunluoError):
    code = "no_room"
    sentence = Text(
        "The disk has not enough room for these files. "
        "Delete old reports or files, and try again.",
        "磁盘空间不足，放不下这些文件。请先删除旧报告或其他文件，再试一次。",
    )


class UploadBrokenError(QunluoError):
    code = "upload_broken"
    sentence = Text(
        "The upload broke off before its end. Nothing was kept; please try again.",
        "上传中途断开，未保存任何内容。请再试一次。",
    )


class PathNotFoundError(QunluoError):
    code = "path_not_found"
    sentence = Text(
        "There is no readable file or folder “{path}” on this computer. "
        "Give the whole path, starting at the root.",
        "本机上没有可读取的文件或文件夹“{path}”。请填写从根目录开始的完整路径。",
    )


class PathsRefusedError(QunluoError):
    code = "paths_refused"
    sentence = Text(
        "Paths can be given only where the page is opened on the computer that serves it. "
        "Upload the files instead.",
        "只有在运行群落的这台电脑上打开本页时才能填写路径。请改为上传文件。",
    )


class ChoiceUnknownError(QunluoError):
    code = "choice_unknown"
    sentence = Text(
        "“{value}” is not a choice of “{field}”. Pick one from the list.",
        "“{field}”没有“{value}”这个选项。请从列表中选择。",
    )


class JobBrokeError(QunluoError):
    code = "job_broke"
    sentence = Text(
        "The report could not be finished. Try again; if it happens again, "
        "the reason is written in {log}.",
        "报告未能完成。请重试；如果再次出现，原因记录在 {log}。",
    )
