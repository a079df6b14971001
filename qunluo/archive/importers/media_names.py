"""The kind of a file by its name or MIME type."""

from __future__ import annotations

ENDINGS = {
    "image": (
        "jpg",
        "jpeg",
        "png",
        "webp",
        "bmp",
        "heic",
        "heif",
        "avif",
        "tif",
        "tiff",
        "svg",
    ),
    "gif": ("gif",),
    "video": ("mp4", "mov", "webm", "mkv", "avi", "m4v", "3gp"),
    "voice": ("ogg", "opus", "amr", "silk"),
    "music": ("mp3", "m4a", "flac", "wav", "aac"),
}
KINDS = {ending: kind for kind, endings in ENDINGS.items() for ending in endings}


def kind_of_name(name: str | None) -> str:
    """`image` for `a.JPG`; `file` for what is not known."""
    return KINDS.get((name or "").rpartition(".")[2].lower(), "file")


def kind_of_mime(mime: str | None, name: str | None = None) -> str:
    """`image` for `image/png`; by its name where the type says nothing."""
    main, _, sub = (mime or "").lower().partition("/")
    if main == "image":
        return "gif" if sub == "gif" else "image"
    if main in ("video", "audio"):
        return "video" if main == "video" else "music"
    return kind_of_name(name)
