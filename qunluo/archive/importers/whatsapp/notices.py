"""Lines that no account wrote: who joined, left, was added or removed, what was changed.

Each language is a small table of wordings. `{a}` is who did it, `{s}` whom it happened to (one or
several), `{n}` a new name. Wordings that no table knows are notices with their text kept.
"""

# ruff: noqa: E501  (one wording is one line)

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property

from qunluo.archive.importers.whatsapp.words import MARKS
from qunluo.archive.schema import EventKind

YOU = "You"
"""Who made the export, where a notice says "you": the file never tells their name."""

LONGEST_NAME = 80
LONGEST_NOTICE = 400


@dataclass(frozen=True)
class Notice:
    """What one notice says. `subjects` is empty where nothing happened to a membership."""

    kind: EventKind
    raw_kind: str
    subjects: tuple[str, ...] = ()
    actor: str | None = None
    new_name: str | None = None


@dataclass(frozen=True)
class Wording:
    kind: EventKind
    raw_kind: str
    source: str  # of a regular expression, compiled when first needed
    key: str  # a literal part, to rule a wording out quickly
    actor: str | None  # where the wording itself says who
    subject: str | None
    list_words: str  # what stands between the last two names

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self.source, re.S)


# language: "and", then wordings; "You …" forms name who made the export
_TABLE: dict[str, tuple[str, str]] = {
    "en": (r" and | & ", """
join link|{s} joined using (?:this group's|a group|your|this community's|an?) (?:invite )?link
join link|{s} joined using (?:your|an) invite
join community|{s} joined from the community
join request|{s} joined (?:this|the) group(?: via .+)?
join|{s} joined
join added|{s} (?:was|were) added(?: by {a})?
join added|{a} added {s}(?: to the group)?
remove|{s} (?:was|were) removed(?: by {a})?
remove|{a} removed {s}(?: from (?:this|the) group)?
leave|{s} left(?: the group)?
rename number|{s} changed to {n}
rename number|{s} changed their phone number to {n}
invite|{a} invited {s}(?: to the group)?
notice created|{a} created (?:this )?group(?: .+)?
notice subject|{a} changed the (?:subject|group name) .+
notice icon|{a} changed (?:this group's|the group) icon
"""),
    "zh-CN": (r"和|及|与", """
join link|{s}\\s?(?:已)?(?:通过|使用|经由)(?:此|该|本)?群组?的?(?:邀请)?链接加入(?:了)?(?:此|该|本)?(?:群组?)?
join added|{a}\\s?(?:已)?(?:添加|新增)(?:了)?\\s?{s}(?:到群组?)?
join added|{a}\\s?(?:已)?将\\s?{s}\\s?(?:添加到|加入)(?:了)?(?:此)?群组?
join|{s}\\s?(?:已)?加入(?:了)?(?:此|该|本)?群组?
remove|{a}\\s?(?:已)?将\\s?{s}\\s?(?:移除|移出)(?:了)?(?:此)?(?:群组?)?
remove|{a}\\s?(?:已)?移除(?:了)?\\s?{s}
leave|{s}\\s?(?:已)?(?:退出|离开)(?:了)?(?:此|该|本)?(?:群组?)?
rename number|{s}\\s?(?:已)?(?:更改为|换成|更换为)(?:了)?\\s?{n}
notice created|{a}\\s?(?:已)?(?:创建|建立)了?(?:此|该|本)?群组?.*
notice subject|{a}\\s?(?:已)?(?:将|把)(?:群组?)?(?:主题|名称).+
"""),
    "zh-TW": (r"和|及|與", """
join link|{s}\\s?(?:已)?(?:透過|使用|經由|通過)(?:此|該|本)?群組的?(?:邀請)?連結加入(?:了)?(?:此|該|本)?(?:群組)?
join added|{a}\\s?(?:已)?(?:新增|加入|添加)(?:了)?\\s?{s}(?:到群組)?
join added|{a}\\s?(?:已)?將\\s?{s}\\s?(?:新增至|加入)(?:了)?(?:此)?群組
join|{s}\\s?(?:已)?加入(?:了)?(?:此|該|本)?群組
remove|{a}\\s?(?:已)?將\\s?{s}\\s?(?:移除|移出)(?:了)?(?:此)?(?:群組)?
remove|{a}\\s?(?:已)?移除(?:了)?\\s?{s}
leave|{s}\\s?(?:已)?(?:退出|離開)(?:了)?(?:此|該|本)?(?:群組)?
rename number|{s}\\s?(?:已)?(?:變更為|更改為|換成)(?:了)?\\s?{n}
notice created|{a}\\s?(?:已)?(?:建立|創建)了?(?:此|該|本)?群組.*
notice subject|{a}\\s?(?:已)?(?:將|把)?(?:更改|變更)?(?:了)?(?:群組)?(?:主題|主旨|名稱).+
"""),
    "es": (" y | e ", """
join link|{s} se uni[oó] (?:usando|mediante|con) (?:el|un) enlace de (?:invitaci[oó]n )?(?:de este|del) grupo
join link|Te uniste (?:usando|mediante|con) el enlace de invitaci[oó]n (?:de este|del) grupo=YOU
join|{s} se uni[oó](?: (?:al|a este) grupo)?(?: desde la comunidad)?
join added|{a} te a[ñn]adi[oó]=YOU
join added|{a} (?:a[ñn]adi[oó]|agreg[oó]) a {s}
join added|(?:A[ñn]adiste|Agregaste) a {s}=BY
join added|Se (?:a[ñn]adi[oó]|agreg[oó]) a {s}
remove|{a} (?:elimin[oó]|sac[oó]|expuls[oó]) a {s}(?: del grupo)?
remove|(?:Eliminaste|Sacaste) a {s}=BY
remove|{a} te elimin[oó]=YOU
remove|Se elimin[oó] a {s}
leave|{s} (?:sali[oó]|ha salido)(?: del grupo)?
leave|Saliste del grupo=YOU
rename number|{s} cambi[oó] a {n}
notice created|{a} cre[oó] (?:el|este) grupo.*
notice subject|{a} cambi[oó] el (?:asunto|nombre) del grupo .+
"""),
    "pt": (" e ", """
join link|{s} entrou usando (?:o|um) link de convite (?:deste|do) grupo
join link|{s} (?:aderiu|juntou-se|entrou) (?:através do|com o|usando o) (?:link|ligação) de convite(?: (?:deste|do) grupo)?
join community|{s} entrou (?:neste grupo )?(?:através|a partir) da comunidade
join|{s} entrou(?: no grupo)?
join added|{a} adicionou {s}
join added|{s} (?:foi|foram) adicionad[oa]s?(?: por {a})?
remove|{a} removeu {s}
remove|{s} (?:foi|foram) removid[oa]s?(?: por {a})?
leave|{s} saiu(?: do grupo)?
rename number|{s} mudou para {n}
notice created|{a} criou (?:o|este) grupo.*
notice subject|{a} (?:mudou|alterou) o (?:assunto|nome)(?: do grupo)? .+
"""),
    "de": (" und ", """
join link|{s} ist (?:der Gruppe )?(?:mit|über|via) (?:de[mn]|einen?) Einladungslink(?: (?:der|dieser) Gruppe)? beigetreten
join link|{s} (?:ist|bist|sind) (?:dieser|der) Gruppe (?:mit|über|via) (?:de[mn]|einen?) Einladungslink beigetreten
join|{s} (?:ist|bist|sind) (?:(?:der|dieser) Gruppe )?beigetreten
join added|{a} (?:hat|hast) {s} hinzugefügt
join added|{s} (?:wurde|wurden|wurdest) (?:von {a} )?hinzugefügt
remove|{a} (?:hat|hast) {s} entfernt
remove|{s} (?:wurde|wurden|wurdest) (?:von {a} )?entfernt
leave|{s} (?:hat|hast) die Gruppe verlassen
rename number|{s} hat zu {n} gewechselt
notice created|{a} (?:hat|hast) (?:die|diese) Gruppe .*erstellt
notice subject|{a} (?:hat|hast) den (?:Betreff|Gruppennamen|Namen der Gruppe).+
"""),
    "fr": (" et ", """
join link|{s} (?:a|avez) rejoint (?:le groupe )?(?:en utilisant|via|avec|grâce à|à l'aide du) (?:le|un)?\\s?lien d'invitation(?: (?:de ce|du) groupe)?
join|{s} (?:a|avez) rejoint (?:le|ce) groupe(?: .+)?
join added|{a} (?:a|avez) ajouté {s}
join added|{s} (?:a|ont|avez) été ajoutée?s?(?: par {a})?
join added|{a} vous a ajoutée?=YOU
remove|{a} (?:a|avez) (?:retiré|supprimé|expulsé) {s}
remove|{s} (?:a|ont|avez) été (?:retiré|supprimé|expulsé)e?s?(?: par {a})?
leave|{s} (?:a quitté|est parti|est partie|avez quitté)(?: (?:le|ce) groupe)?
leave|{s} est parti\\(e\\)
rename number|{s} a changé pour {n}
notice created|{a} (?:a|avez) créé (?:le|ce) groupe.*
notice subject|{a} (?:a|avez) (?:changé|modifié) (?:le sujet|l'objet|le nom)(?: du groupe)? .+
"""),
    "it": (" e ", """
join link|{s} (?:è|sei) entrato(?:/a)?(?: nel gruppo)? (?:usando|tramite|con) il link d'invito(?: (?:al|del|di questo) gruppo)?
join|{s} (?:è|sei) entrat[oa](?: nel gruppo)?
join added|{a} (?:ha|hai) aggiunto {s}
join added|{a} ti ha aggiunto=YOU
join added|{s} (?:è stato aggiunto|è stata aggiunta|sono stati aggiunti)(?: da {a})?
remove|{a} (?:ha|hai) rimosso {s}
remove|{s} (?:è stato rimosso|è stata rimossa)(?: da {a})?
leave|{s} (?:ha|hai) (?:abbandonato|lasciato)(?: il gruppo)?
leave|{s} è uscit[oa](?: dal gruppo)?
rename number|{s} è stato cambiato con {n}
notice created|{a} (?:ha|hai) creato (?:il|questo) gruppo.*
notice subject|{a} (?:ha|hai) (?:cambiato|modificato) (?:l'oggetto|il nome)(?: del gruppo)? .+
"""),
    "ru": (" и ", """
join link|{s} (?:присоединил(?:ся|ась|ся\\(-ась\\)|ись)|вступил(?:а|\\(-а\\))?) (?:к группе |в группу )?(?:по|с помощью|через|используя) (?:ссылке-приглашению|ссылки-приглашения|ссылку-приглашение|пригласительной ссылке|ссылке).*
join|{s} (?:присоединил(?:ся|ась|ся\\(-ась\\)|ись)|вступил(?:а|\\(-а\\))?)(?: (?:к группе|в группу))?
join added|{a} добавил(?:а|\\(-а\\)|\\(а\\)|и)? {s}
join added|{s} добавлен(?:а|ы|\\(-а\\)|\\(а\\))?
remove|{a} (?:удалил|исключил)(?:а|\\(-а\\)|\\(а\\)|и)? {s}
remove|{s} (?:удал[её]н|исключ[её]н)(?:а|ы|\\(-а\\)|\\(а\\))?
leave|{s} (?:вышел|вышла|вышел\\(-шла\\)|покинул(?:а|\\(-а\\)|\\(а\\))?)(?: (?:из группы|группу))?
rename number|{s} сменил(?:а|\\(-а\\))? номер на {n}
notice created|{a} создал(?:а|\\(-а\\)|\\(а\\)|и)? (?:эту )?группу.*
notice subject|{a} изменил(?:а|\\(-а\\)|\\(а\\)|и)? (?:тему|название)(?: группы)? .+
"""),
    "id": (" dan ", """
join link|{s} (?:telah )?bergabung menggunakan tautan undangan(?: grup ini)?
join|{s} (?:telah )?bergabung(?: (?:ke|dengan) grup)?
join added|{a} (?:telah )?menambahkan {s}
join added|{s} (?:telah )?ditambahkan(?: oleh {a})?
remove|{a} (?:telah )?mengeluarkan {s}
remove|{s} (?:telah )?dikeluarkan(?: oleh {a})?
leave|{s} (?:telah )?keluar(?: dari grup)?
rename number|{s} (?:telah )?(?:berubah menjadi|berganti ke) {n}
notice created|{a} (?:telah )?membuat grup.*
notice subject|{a} (?:telah )?mengubah (?:subjek|nama)(?: grup)? .+
"""),
    "tr": (" ve ", """
join link|{s},? (?:bu )?grubun davet bağlantısını kullanarak katıldı(?:nız)?
join link|{s},? grup davet bağlantısını kullanarak katıldı(?:nız)?
join|{s},? (?:gruba )?katıldı(?:nız)?
join added|{a},? {s} (?:kişisini|kullanıcısını|adlı kişiyi) (?:gruba )?ekledi(?:niz)?
join added|{a},? {s} ekledi(?:niz)?
join added|{s} (?:gruba )?eklendi(?:niz)?
remove|{a},? {s} (?:kişisini|kullanıcısını|adlı kişiyi) (?:gruptan )?çıkardı(?:nız)?
remove|{s} (?:gruptan )?çıkarıldı(?:nız)?
leave|{s},? (?:gruptan )?ayrıldı(?:nız)?
notice created|{a},? .*grubu? oluşturdu(?:nuz)?
notice subject|{a},? (?:grup )?(?:konusunu|adını|ismini) .+
"""),
    "ar": (r" و ?|، ", """
join link|(?:انضم|انضمت|لقد انضممت) {s} (?:باستخدام|عبر|عن طريق) (?:رابط|رابط الدعوة).*
join link|{s} انضم(?:ت)? (?:إلى المجموعة )?(?:باستخدام|عبر|من خلال) رابط.*
join|(?:انضم|انضمت) {s}(?: إلى المجموعة)?
join added|(?:أضاف|أضافت) {a} {s}
join added|قام {a} بإضافة {s}
join added|{a} أضاف(?:ت)? {s}
join added|تمت إضافة {s}
remove|(?:أزال|أزالت) {a} {s}
remove|قام {a} بإزالة {s}
remove|{a} أزال(?:ت)? {s}
remove|تمت إزالة {s}
leave|(?:غادر|غادرت|خرج|خرجت) {s}(?: المجموعة)?
leave|{s} (?:غادر|غادرت|خرج|خرجت)(?: المجموعة)?
notice created|.*(?:أنشأ|أنشأت|بإنشاء).* ?(?:المجموعة|مجموعة).*
notice subject|.*(?:غيّر|غيّرت|بتغيير|غير).* (?:موضوع|اسم) .+
"""),
    "hi": (r" और | व ", """
join link|{s} (?:इस )?(?:ग्रुप|समूह) के (?:इनवाइट|आमंत्रण|इन्वाइट) लिंक (?:का (?:इस्तेमाल|उपयोग|प्रयोग) करके|से|के ज़रिए) (?:ग्रुप में )?(?:शामिल|जुड़े|जुड़ा|जुड़).*
join added|{a} ने {s} को (?:ग्रुप में )?(?:जोड़ा|जोड़ दिया)
join added|{s} को (?:ग्रुप में )?जोड़ा गया
join|{s} (?:ग्रुप में )?(?:शामिल हुए|शामिल हुआ|शामिल हुई|जुड़ गए|जुड़े)
remove|{a} ने {s} को (?:ग्रुप से )?(?:निकाला|हटाया|निकाल दिया|हटा दिया)
remove|{s} को (?:ग्रुप से )?(?:निकाला|हटाया) गया
leave|{s} ने (?:ग्रुप|समूह) छोड़ (?:दिया|दी)
leave|{s} (?:ग्रुप से )?(?:बाहर हो गए|बाहर निकल गए|चले गए|निकल गए)
notice created|{a} ने (?:ग्रुप|समूह|यह ग्रुप).* बनाया
notice subject|{a} ने .*(?:विषय|नाम|सब्जेक्ट).*
"""),
    "ja": (r"と|、", """
join link|{s}\\s?(?:さん)?(?:が|は)(?:、)?(?:この)?グループの?招待リンク(?:を使用して|を使って|から|で|を利用して)(?:グループに)?参加しました
join|{s}\\s?(?:さん)?(?:が|は)(?:、)?(?:グループに)?参加しました
join added|{a}\\s?(?:さん)?(?:が|は)(?:、)?{s}\\s?(?:さん)?を(?:グループに)?追加しました
join added|{s}\\s?(?:さん)?が(?:グループに)?追加されました
remove|{a}\\s?(?:さん)?(?:が|は)(?:、)?{s}\\s?(?:さん)?を(?:グループから)?(?:削除|退出)(?:さ せ)?(?:させ)?(?:し)?ました
remove|{s}\\s?(?:さん)?が(?:グループから)?削除されました
leave|{s}\\s?(?:さん)?(?:が|は)(?:、)?(?:グループ(?:から|を))?(?:退出|退会)(?:し)?ました
notice created|{a}\\s?(?:さん)?(?:が|は)(?:、)?(?:この)?グループ.*作成しました
notice subject|{a}\\s?(?:さん)?(?:が|は)(?:、)?(?:グループの)?(?:件名|名前|グループ名).*
"""),
    "ko": (r" 및 |, |와 |과 ", """
join link|{s}\\s?님이 (?:(?:이 )?(?:그룹|단체방|채팅방)의? )?초대 ?링크(?:를|로|를 통해|를 사용해|를 사용하여)?\\s?.*(?:참여했습니다|참가했습니다|입장했습니다|들어왔습니다|가입했습니다)
join added|{a}\\s?님이 {s}\\s?님을 (?:그룹에 )?(?:추가했습니다|초대했습니다)
join added|{s}\\s?님이 (?:그룹에 )?추가되었습니다
join|{s}\\s?님이 (?:그룹에 )?(?:참여했습니다|참가했습니다|입장했습니다|들어왔습니다|가입했습니다)
remove|{a}\\s?님이 {s}\\s?님을 (?:그룹에서 )?(?:삭제했습니다|제거했습니다|내보냈습니다|강퇴했습니다)
remove|{s}\\s?님이 (?:그룹에서 )?(?:삭제되었습니다|제거되었습니다)
leave|{s}\\s?님이 (?:그룹(?:에서|을) )?(?:나갔습니다|퇴장했습니다|떠났습니다)
notice created|{a}\\s?님이 .*그룹.*(?:만들었습니다|생성했습니다)
notice subject|{a}\\s?님이 .*(?:제목|이름|주제).*
"""),
}  # fmt: skip

_YOU_WORDS = {
    "you", "tú", "ti", "você", "voce", "te", "du", "dich", "vous", "tu", "вы", "вас", "anda",
    "siz", "sizi", "أنت", "आप", "आपको", "あなた", "您", "你", "사용자님", "회원님",
}  # fmt: skip


@cache
def _wordings() -> tuple[tuple[Wording, ...], ...]:
    """The wordings by language."""
    return tuple(
        tuple(_wording(line, joining) for line in lines.strip().splitlines())
        for joining, lines in _TABLE.values()
    )


def _wording(line: str, joining: str) -> Wording:
    head, text = line.split("|", 1)
    kind, _, raw = head.partition(" ")
    text, _, who = text.rpartition("=") if text.endswith(("=YOU", "=BY")) else (text, "", "")
    pattern = text.replace("{a}", "(?P<a>.+?)").replace("{s}", "(?P<s>.+?)")
    pattern = pattern.replace("{n}", "(?P<n>.+?)")
    literals = re.findall(r"[^\W\d_]{2,}", _plain(text))
    return Wording(
        kind=_KINDS[kind],
        raw_kind=raw or kind,
        source=rf"{pattern}[.。।]?",
        key=max(literals, key=len, default=""),
        actor=YOU if who == "BY" else None,
        subject=YOU if who == "YOU" else None,
        list_words=joining,
    )


_KINDS: dict[str, EventKind] = {
    "join": "join", "leave": "leave", "remove": "remove",
    "invite": "invite", "rename": "rename", "notice": "notice",
}  # fmt: skip


def _plain(text: str) -> str:
    """A wording without its optional and alternative parts: only what is always there."""
    text = re.sub(r"\{\w\}|\[[^\]]*\]\??|\\s\??|\\.|\.[*+]", "|", text)
    while "(" in text:
        reduced = re.sub(r"\([^()]*\)[?*]?", "|", text)
        if reduced == text:
            break
        text = reduced
    return re.sub(r".\?", "|", text)


class NoticeReader:
    """Reads the notices of one file, which are all in one language: the last that fitted is
    tried first."""

    def __init__(self) -> None:
        self._languages = list(_wordings())

    def read(self, text: str) -> Notice:
        """What a notice says; kind `notice` where it says nothing of a membership."""
        text = _bare(text)
        if len(text) <= LONGEST_NOTICE:
            for number, language in enumerate(self._languages):
                if found := _first_fitting(language, text):
                    self._languages.insert(0, self._languages.pop(number))
                    return found
        return Notice("notice", "system")


def _first_fitting(language: tuple[Wording, ...], text: str) -> Notice | None:
    for wording in language:
        if wording.key in text and (found := wording.pattern.fullmatch(text)):
            notice = _notice(wording, found.groupdict())
            if notice:
                return notice
    return None


def _notice(wording: Wording, parts: dict[str, str | None]) -> Notice | None:
    if wording.kind == "notice":
        return Notice("notice", wording.raw_kind, actor=_person(parts.get("a")))
    subjects = (wording.subject,) if wording.subject else _people(parts.get("s"), wording)
    actor = wording.actor or _person(parts.get("a"))
    if (
        not subjects
        or any(s is None for s in subjects)
        or _bad(parts.get("a"))
        or _bad(parts.get("n"))
    ):
        return None
    named = tuple(s for s in subjects if s)
    new_name = (parts.get("n") or "").strip() or None
    return Notice(wording.kind, wording.raw_kind, named, actor, new_name)


def _people(text: str | None, wording: Wording) -> tuple[str | None, ...]:
    """The names of a list (`Bob, Carla and Dani`); None for what can't be a name."""
    if not text:
        return ()
    cut = re.compile(
        rf"\s*[,،、]\s+(?:and\s+|{wording.list_words.strip()}\s*)?|、|{wording.list_words}"
    )
    pieces = cut.split(text) if wording.kind in ("join", "remove", "invite") else [text]
    return tuple(_person(piece) for piece in pieces if piece and piece.strip())


def _person(text: str | None) -> str | None:
    name = _bare(text or "")
    if name.casefold() in _YOU_WORDS:
        return YOU
    return None if _bad(name) else name


def _bad(name: str | None) -> bool:
    """Not the name of a person: too long, a sentence, or a group in quotation marks."""
    if name is None:
        return False
    return not name.strip() or len(name) > LONGEST_NAME or bool(_NO_NAME.search(name))


_NO_NAME = re.compile(r": |[“”\"]|\b(?:this group|the community|este grupo|la comunidad)\b")


_EDGES = re.compile(rf"[{MARKS}\u200f]")


def _bare(text: str) -> str:
    text = _EDGES.sub("", text).replace("’", "'").replace("\u00a0", " ").replace("\u202f", " ")
    return text.strip().removeprefix("~").strip()


_OPENING_QUOTE = re.compile('[“«„「『]|(?:(?<=\\s)|(?<=[一-鿿]))"')
_CLOSING = {"“": "”", "«": "»", "„": "“", "「": "」", "『": "』"}


def breaks_a_quote(sender: str) -> bool:
    """Whether a text before `: ` opens a quotation that it does not close.

    Then it is no name but the start of a notice: `Ann changed the subject to "a: b"`.
    """
    found = _OPENING_QUOTE.search(sender)
    if found is None:
        return False
    closing = _CLOSING.get(found[0], '"')
    return closing not in sender[found.end() :]
