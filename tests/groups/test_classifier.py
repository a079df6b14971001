"""The classifier reads both languages, is the same each time, and learns from decisions."""

from __future__ import annotations

from pathlib import Path

import pytest

from qunluo.groups import classifier
from qunluo.groups.classifier import (
    REMOVE_AT,
    UNTAUGHT_MOST,
    Model,
    find_model,
    fingerprint,
    load_model,
    make_model,
    train,
)
from qunluo.groups.talk import ADS, TALK, Example, make_examples

SMALL = 400


@pytest.fixture(scope="module")
def model() -> Model:
    return train(make_examples(1, SMALL))


@pytest.mark.parametrize("text", [
    "招打字员，日赚300，加微信 abc888",
    "高仿名牌包包一手货源，招代理，加V kk2200",
    "低息贷款秒批秒到账，电话13800000000",
    "Earn $300 per day with data entry, DM me on Telegram @zz99",
    "Casino bonus 500% click here: https://qq1.top",
])  # fmt: skip
def test_advertising_is_known(model: Model, text: str) -> None:
    assert model.score([text])[0] > 0.5
    assert model.words(text)


@pytest.mark.parametrize("text", [
    "早上好，下班了吗",
    "请问桂花拿铁还有货吗？",
    "哈哈哈哈笑死我了",
    "明天几点开始呀",
    "Good morning, anyone up for coffee?",
    "My parcel has not arrived yet, can you check?", "谢谢群主，快递收到了",
])  # fmt: skip
def test_welcome_talk_passes(model: Model, text: str) -> None:
    assert model.score([text])[0] < 0.5


def test_at_the_removing_threshold_hardly_any_welcome_talk_is_hit(model: Model) -> None:
    unseen = [e.text for e in make_examples(2, SMALL) if not e.ad]
    assert (model.score(unseen) >= REMOVE_AT).mean() <= 0.01


def test_examples_and_model_are_the_same_each_time(model: Model) -> None:
    assert make_examples(1, 50) == make_examples(1, 50) != make_examples(2, 50)
    again = train(make_examples(1, SMALL))
    assert (again.weights == model.weights).all()
    assert (again.slope, again.offset, again.stretch) == (
        model.slope,
        model.offset,
        model.stretch,
    )


def test_all_patterns_can_be_filled() -> None:
    examples = make_examples(3, 4 * (len(ADS) + len(TALK)))
    assert not any("{" in example.text for example in examples)


def test_a_stored_model_says_the_same(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "m.npz")
    texts = ["加微信 abc888 日赚300", "早上好"]
    assert (load_model(tmp_path / "m.npz").score(texts) == model.score(texts)).all()
    assert [p.name for p in tmp_path.iterdir()] == ["m.npz"]


def test_another_lesson_is_another_model() -> None:
    lessons = (Example("buy tea", True), Example("buy tea", False))
    assert len({fingerprint(()), *(fingerprint((lesson,)) for lesson in lessons)}) == 3


def test_it_is_made_once_kept_and_made_again_when_it_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier, "EACH", 100)
    fingerprint.cache_clear()
    assert find_model(tmp_path) is None
    assert make_model(tmp_path)
    assert not make_model(tmp_path)
    (kept,) = tmp_path.glob("*.npz")
    kept.write_bytes(b"PK\x03\x04 broken")
    classifier._loaded.clear()
    assert find_model(tmp_path) is None
    assert make_model(tmp_path)
    classifier._loaded.clear()
    fingerprint.cache_clear()


def test_it_learns_from_moderators_and_until_then_removes_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier, "EACH", 150)
    fingerprint.cache_clear()
    make_model(tmp_path)
    untaught = find_model(tmp_path)
    assert untaught is not None
    assert untaught.most == UNTAUGHT_MOST
    said = "拼车去机场的朋友看我头像第{}行小字"
    lessons = [Example(said.format(n), True) for n in range(60)]
    assert find_model(tmp_path, lessons) is untaught  # until the new one is made
    make_model(tmp_path, lessons)
    taught = find_model(tmp_path, lessons)
    assert taught is not None
    new = [said.format(99)]
    assert untaught.score(new)[0] < 0.5
    assert taught.score(new)[0] > 0.8
    classifier._loaded.clear()
    fingerprint.cache_clear()
