"""What the user names becomes files to read; what is hostile becomes a sentence."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from qunluo.archive.archives import safe_name
from qunluo.archive.sources import NothingFoundError, Sources, find_sources
from qunluo.archive.streams import (
    BrokenFileError,
    ClimbingPathError,
    DiskFullError,
    EmptyFileError,
    EncryptedFileError,
    Limits,
    MissingFileError,
    NoPermissionError,
    SpecialFileError,
    TooDeepError,
    TooLargeError,
    TooManyMembersError,
    UnreadableFileError,
    from_os_error,
)
from qunluo.kit.errors import QunluoError

FILES = {"a/one.txt": b"one\n", "a/two.txt": b"two\n" * 500, "b.txt": b"three\n"}


def folder(at: Path, files: dict[str, bytes] = FILES) -> Path:
    for name, content in files.items():
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        (at / name).write_bytes(content)
    return at


def zipped(files: dict[str, bytes] = FILES, packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(files: dict[str, bytes] = FILES) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def saved(at: Path, content: bytes) -> Path:
    at.write_bytes(content)
    return at


def contents(sources: Sources) -> dict[str, bytes]:
    read = {}
    for source in sources:
        with source.open() as stream:
            read[source.name] = stream.read()
    return read


PACKINGS: list[tuple[str, Callable[[], bytes]]] = [
    ("x.zip", zipped),
    ("stored.zip", lambda: zipped(packing=zipfile.ZIP_STORED)),
    ("lzma.zip", lambda: zipped(packing=zipfile.ZIP_LZMA)),
    ("x.tar", tarred),
    ("x.tar.gz", lambda: gzip.compress(tarred())),
    ("x.tar.bz2", lambda: bz2.compress(tarred())),
    ("x.tar.xz", lambda: lzma.compress(tarred())),
    ("wrong-ending.txt", lambda: lzma.compress(tarred())),
    ("zip-without-ending", zipped),
    ("zip.gz", lambda: gzip.compress(zipped())),
]


@pytest.mark.parametrize(("name", "build"), PACKINGS)
def test_it_reads_an_archive_like_its_folder(
    tmp_path: Path, name: str, build: Callable[[], bytes]
) -> None:
    plain = folder(tmp_path / "plain")
    packed = saved(tmp_path / name, build())
    with find_sources([plain]) as outside, find_sources([packed]) as inside:
        assert contents(inside) == contents(outside) == FILES
        assert [s.name for s in inside] == sorted(FILES)
        assert [s.fingerprint() for s in inside] == [s.fingerprint() for s in outside]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_it_streams_a_single_packed_file_under_its_own_name(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = saved(tmp_path / "chat.txt.gz", pack(b"hello\n"))
    with find_sources([path]) as sources:
        assert contents(sources) == {"chat.txt": b"hello\n"}
        assert sources[0].size == sources[0].consumed == path.stat().st_size


def test_it_opens_members_in_any_order_and_more_than_once(tmp_path: Path) -> None:
    with find_sources([saved(tmp_path / "x.tar.xz", lzma.compress(tarred()))]) as sources:
        assert contents(sources) == contents(sources)
        with sources[1].open() as second, sources[0].open() as first:
            assert (second.read(3), first.read(3), second.read(3)) == (b"two", b"one", b"\ntw")


def test_it_tells_how_far_a_file_was_read(tmp_path: Path) -> None:
    with find_sources([saved(tmp_path / "x.txt", b"x" * 3_000_000)]) as sources:
        with sources[0].open() as stream:
            stream.read(1_000_000)
            assert 1_000_000 <= sources[0].consumed < 2_000_000
            stream.read()
        assert sources[0].consumed == sources[0].size == 3_000_000


def test_it_finds_siblings_in_folder_and_archive(tmp_path: Path) -> None:
    packed = saved(tmp_path / "x.zip", zipped())
    plain = folder(tmp_path / "plain")
    for path in (packed, plain, plain / "a" / "one.txt"):
        with find_sources([path]) as sources:
            other = sources[0].sibling("two.txt")
            above = sources[0].sibling("../b.txt")
            assert other is not None
            assert above is not None
            assert above.open().read() == b"three\n"
            assert other.head(4) == b"two\n"
            assert sources[0].sibling("three.txt") is None


def test_siblings_do_not_leave_what_was_named(tmp_path: Path) -> None:
    saved(tmp_path / "secret.txt", b"secret")
    with find_sources([folder(tmp_path / "plain")]) as sources:
        assert sources[2].sibling("../secret.txt") is None
        assert sources[2].sibling(str(tmp_path / "secret.txt")) is None


def test_it_says_where_a_file_lies_for_group_names(tmp_path: Path) -> None:
    zip_path = saved(folder(tmp_path / "up", {"x.txt": b"x"}) / "Chat - Tea.zip", zipped())
    with find_sources([zip_path]) as sources:
        assert sources[2].name == "b.txt"
        assert sources[2].trail == f"{tmp_path.name}/up/Chat - Tea.zip/b.txt"
    with find_sources([tmp_path / "up"]) as sources:
        assert sources[0].name == "Chat - Tea.zip/a/one.txt"
        assert sources[3].trail == f"{tmp_path.parent.name}/{tmp_path.name}/up/x.txt"


def test_the_order_does_not_depend_on_how_paths_were_named(tmp_path: Path) -> None:
    paths = [saved(tmp_path / name, b"x") for name in ("b.txt", "a.txt")]
    with find_sources(paths) as one, find_sources(paths[::-1]) as other:
        assert [s.name for s in one] == [s.name for s in other] == ["a.txt", "b.txt"]


def test_it_passes_over_what_the_system_left_behind(tmp_path: Path) -> None:
    junk = {"__MACOSX/._b.txt": b"x", ".DS_Store": b"x", ".git/config": b"x", "._b.txt": b"x"}
    plain = folder(tmp_path / "plain", FILES | junk)
    packed = saved(tmp_path / "x.zip", zipped(FILES | junk))
    with find_sources([plain]) as outside, find_sources([packed]) as inside:
        assert sorted(contents(outside)) == sorted(contents(inside)) == sorted(FILES)
        assert outside.skipped == inside.skipped == []


def test_a_topic_whose_encoded_name_begins_with_a_dot_is_not_hidden(tmp_path: Path) -> None:
    plain = folder(tmp_path / "plain", {".E2.86.92.20x.json": b"[]"})
    with find_sources([plain]) as sources:
        assert [s.name for s in sources] == [".E2.86.92.20x.json"]


def test_links_are_followed_only_inside_the_folder(tmp_path: Path) -> None:
    plain = folder(tmp_path / "plain")
    saved(tmp_path / "secret.txt", b"secret")
    (plain / "out.txt").symlink_to(tmp_path / "secret.txt")
    (plain / "in.txt").symlink_to(plain / "b.txt")
    (plain / "loop").symlink_to(plain)
    with find_sources([plain]) as sources:
        assert contents(sources) == FILES | {"in.txt": b"three\n"}


def test_an_archive_in_a_folder_or_an_archive_is_read_and_a_third_one_refused(
    tmp_path: Path,
) -> None:
    inner = zipped({"x.txt": b"deep"})
    middle = zipped({"inner.zip": inner, "y.txt": b"less deep"})
    outer = saved(tmp_path / "outer.zip", zipped({"middle.zip": middle, "tar.tar": tarred()}))
    with find_sources([outer]) as sources:
        nested = {f"tar.tar/{name}": content for name, content in FILES.items()}
        assert contents(sources) == nested | {"middle.zip/y.txt": b"less deep"}
        assert [type(s.error) for s in sources.skipped] == [TooDeepError]


def test_a_workbook_is_a_file_not_an_archive(tmp_path: Path) -> None:
    book = zipped({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"})
    with find_sources([saved(tmp_path / "x.xlsx", book)]) as sources:
        assert contents(sources) == {"x.xlsx": book}


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_it_reads_chinese_names_that_old_tools_wrote(tmp_path: Path, encoding: str) -> None:
    name = "福利群/聊天记录.txt"
    with find_sources([saved(tmp_path / "x.zip", old_zip(name.encode(encoding)))]) as sources:
        assert contents(sources) == {name: b"x"}


def old_zip(name: bytes) -> bytes:
    """A zip whose member name has no UTF-8 flag."""
    stand_in = "n" * len(name)
    return zipped({stand_in: b"x"}).replace(stand_in.encode(), name)


CLIMBERS = ["../../etc/x", "/etc/x", "..\\..\\x", "C:\\x.txt", "a/../../x", "\\\\host\\x"]


@pytest.mark.parametrize("name", CLIMBERS)
@pytest.mark.parametrize("build", [zipped, tarred])
def test_paths_that_climb_out_are_left_out_and_reported(
    tmp_path: Path, name: str, build: Callable[[dict[str, bytes]], bytes]
) -> None:
    packed = saved(tmp_path / "x.bin", build({name: b"evil", "good.txt": b"good"}))
    with find_sources([packed]) as sources:
        assert contents(sources) == {"good.txt": b"good"}
        assert [type(s.error) for s in sources.skipped] == [ClimbingPathError]


def test_an_archive_of_climbing_paths_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClimbingPathError):
        find_sources([saved(tmp_path / "x.zip", zipped({"../x": b"evil"}))])


def test_names_cannot_write_to_the_terminal() -> None:
    assert safe_name("a/./b\x1b[2J\u202e.txt") == "a/b\ufffd[2J\ufffd.txt"
    assert safe_name("logs\\a.txt") == "logs/a.txt"


def test_links_and_devices_in_a_tar_are_left_out(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            member = tarfile.TarInfo(f"odd{kind!r}")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    with pytest.raises(NothingFoundError):
        find_sources([saved(tmp_path / "x.tar", out.getvalue())])


SMALL = Limits(total_bytes=20_000_000, ratio=50, ratio_from=1_000_000)
ZEROS = bytes(8_000_000)
BOMBS: list[tuple[str, bytes]] = [
    ("gz", gzip.compress(ZEROS)),
    ("xz", lzma.compress(ZEROS)),
    ("bz2", bz2.compress(ZEROS)),
    ("zip", zipped({"zeros": ZEROS})),
    ("lzma in zip", zipped({"zeros": ZEROS}, zipfile.ZIP_LZMA)),
    ("bz2 in zip", zipped({"zeros": ZEROS}, zipfile.ZIP_BZIP2)),
    ("tar.xz", lzma.compress(tarred({"zeros": ZEROS}))),
    ("zip in zip", zipped({"inner.zip": zipped({"zeros": ZEROS})})),
]


@pytest.mark.parametrize(("name", "bomb"), BOMBS)
def test_a_bomb_is_stopped_by_what_it_really_unpacks_to(
    tmp_path: Path, name: str, bomb: bytes
) -> None:
    def read_all() -> None:
        with find_sources([saved(tmp_path / name, bomb)], SMALL) as sources:
            contents(sources)

    with pytest.raises(TooLargeError, match="zip bomb"):
        read_all()


def test_a_header_that_lies_about_the_size_does_not_help_a_bomb(tmp_path: Path) -> None:
    honest = zipped({"zeros": ZEROS})
    lying = honest.replace(len(ZEROS).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lying != honest
    with pytest.raises(BrokenFileError):
        find_sources([saved(tmp_path / "x.zip", lying)], SMALL)


def test_many_small_members_together_meet_the_total(tmp_path: Path) -> None:
    bomb = zipped({f"{n}": bytes(900_000) for n in range(30)})
    with (
        find_sources([saved(tmp_path / "x.zip", bomb)], SMALL) as sources,
        pytest.raises(TooLargeError),
    ):
        contents(sources)


def test_reading_twice_spends_the_total_once(tmp_path: Path) -> None:
    limits = Limits(total_bytes=1500)
    with find_sources([saved(tmp_path / "x.zip", zipped({"x": b"x" * 1000}))], limits) as found:
        assert contents(found) == contents(found)


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    crowd = {f"{n}.txt": b"x" for n in range(20)}
    for build in (zipped, tarred):
        with pytest.raises(TooManyMembersError):
            find_sources([saved(tmp_path / "x", build(crowd))], Limits(members=10))
    with pytest.raises(TooManyMembersError):
        find_sources([saved(tmp_path / "x", zipped(crowd))], Limits(directory_bytes=500))


def test_a_tar_header_cannot_ask_for_more_memory_than_allowed(tmp_path: Path) -> None:
    member = tarfile.TarInfo("x" * 5000)  # a long name lies in a record of its own
    raw = member.tobuf(tarfile.GNU_FORMAT)
    with pytest.raises(TooManyMembersError):
        find_sources([saved(tmp_path / "x.tar", raw)], Limits(directory_bytes=2000))


def test_an_encrypted_zip_is_named_as_such(tmp_path: Path) -> None:
    raw = bytearray(zipped({"x.txt": b"x"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(signature) + offset] |= 1
    with pytest.raises(EncryptedFileError, match="password"):
        find_sources([saved(tmp_path / "x.zip", bytes(raw))])


NOISE = os.urandom(300_000)


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("zip", zipped({"x": NOISE})),
        ("gz", gzip.compress(NOISE)),
        ("xz", lzma.compress(NOISE)),
        ("bz2", bz2.compress(NOISE)),
        ("tar", tarred({"x": NOISE})),
        ("tar.gz", gzip.compress(tarred({"x": NOISE}))),
    ],
)
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_named_damaged(
    tmp_path: Path, name: str, whole: bytes, kept: float
) -> None:
    def read_all() -> None:
        part = whole[: int(len(whole) * kept)]
        with find_sources([saved(tmp_path / name, part)]) as sources:
            contents(sources)

    with pytest.raises(BrokenFileError, match="damaged or cut off"):
        read_all()


@pytest.mark.parametrize("flip", range(0, 400, 7))
def test_a_flipped_byte_never_escapes_as_another_exception(tmp_path: Path, flip: int) -> None:
    for build in (zipped, tarred, lambda: gzip.compress(tarred())):
        raw = bytearray(build())
        raw[flip % len(raw)] ^= 0xFF
        with (
            suppress(QunluoError),
            find_sources([saved(tmp_path / "x", bytes(raw))]) as sources,
        ):
            assert contents(sources).keys()


def test_an_empty_file_is_refused_when_named_and_noted_in_a_folder(tmp_path: Path) -> None:
    empty = saved(tmp_path / "empty.txt", b"")
    with pytest.raises(EmptyFileError):
        find_sources([empty])
    saved(tmp_path / "x.txt", b"x")
    with find_sources([tmp_path]) as sources:
        assert [s.name for s in sources] == ["x.txt"]
        assert [(s.name, type(s.error)) for s in sources.skipped] == [
            ("empty.txt", EmptyFileError)
        ]


def test_a_broken_archive_in_a_folder_does_not_stop_the_rest(tmp_path: Path) -> None:
    folder(tmp_path)
    saved(tmp_path / "broken.zip", zipped()[:50])
    with find_sources([tmp_path]) as sources:
        assert contents(sources) == FILES
        assert [type(s.error) for s in sources.skipped] == [BrokenFileError]


def test_a_missing_file_and_an_empty_folder_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no-such"):
        find_sources([tmp_path / "no-such"])
    with pytest.raises(NothingFoundError):
        find_sources([tmp_path])


def test_a_file_that_vanishes_before_it_is_read_is_a_sentence(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.txt", b"x")
    with find_sources([path]) as sources:
        path.unlink()
        with pytest.raises(MissingFileError):
            sources[0].open()


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path(os.devnull)):
        with pytest.raises(SpecialFileError):
            find_sources([path])


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.EACCES, NoPermissionError),
        (errno.EPERM, NoPermissionError),
        (errno.ENOSPC, DiskFullError),
        (errno.EIO, UnreadableFileError),
    ],
)
def test_what_the_system_says_becomes_a_sentence(number: int, kind: type[QunluoError]) -> None:
    error = from_os_error(OSError(number, os.strerror(number)), "chat.txt")
    assert type(error) is kind
    assert "chat.txt" in error.message("zh")


def test_a_name_longer_than_the_system_allows_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError):
        find_sources([tmp_path / ("x" * 5000)])


def test_temporary_files_are_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = tmp_path / "temp"
    room.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(room))
    with find_sources([saved(tmp_path / "x.tar.xz", lzma.compress(tarred()))]):
        assert list(room.iterdir())
    assert not list(room.iterdir())
