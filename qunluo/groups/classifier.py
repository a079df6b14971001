"""Is it advertising? A linear model on character n-grams, trained here, quick to load.

Character n-grams (one to three) need no word boundaries, so one model reads Chinese and English.
The score is a probability (Platt 1999, on decisions that cross-validation made for texts it had
not seen) and, above one half, stretched where need be so that `REMOVE_AT` is reached by no more
than `STRICT` of the welcome texts seen in training: nobody is removed on a coin's flip.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from qunluo.groups.detectors import tidy
from qunluo.groups.talk import Example, make_examples

FEATURES = 1 << 17
FOLDS = 5
SEED = 20
EACH = 1500  # generated examples of either kind
TAUGHT_BY = 50  # decisions; before, no message goes by this score alone
UNTAUGHT_MOST = 0.8
DECISION_WEIGHT = 5  # a moderator's decision counts as much as so many generated examples
REMOVE_AT = 0.9
STRICT = 0.005
VERSION = 1  # of the features and the fit; a stored model of another one is not read
WORDS_SHOWN = 5
LESSONS = 32
FEW = 2000  # examples

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Model:
    """Weights and calibration: score = sigmoid(stretch(slope · decision + offset)), at most `most`."""

    weights: NDArray[np.float32]
    bias: float
    slope: float
    offset: float
    stretch: float  # of log-odds above 0
    most: float = 1.0  # no score is higher

    def decide(self, texts: Sequence[str]) -> Floats:
        found: Floats = np.asarray(_features(texts) @ self.weights, float) + self.bias
        return found

    def score(self, texts: Sequence[str]) -> Floats:
        """How likely each text is advertising, from 0 to 1."""
        odds = self.slope * self.decide(texts) + self.offset
        stretched = np.where(odds > 0, odds * self.stretch, odds)
        found: Floats = np.minimum(1 / (1 + np.exp(-np.clip(stretched, -60, 60))), self.most)
        return found

    def words(self, text: str) -> list[str]:
        """The parts of a text that speak most for advertising."""
        plain = tidy(text)
        parts = list(dict.fromkeys(plain[i : i + 3] for i in range(len(plain) - 2)))[:300]
        if not parts:
            return [plain]
        gained = np.asarray(_features(parts) @ self.weights)
        best = np.argsort(-gained, kind="stable")[:WORDS_SHOWN]
        return [parts[k] for k in best if gained[k] > 0]

    def save(self, path: Path) -> None:
        """Whole or not at all: two processes may train at once."""
        fresh = path.with_name(f".{path.name}.{id(self)}.npz")
        numbers = [self.bias, self.slope, self.offset, self.stretch, self.most]
        np.savez_compressed(fresh, weights=self.weights, numbers=np.array(numbers))
        fresh.replace(path)


def load_model(path: Path) -> Model:
    """A stored model; numbers only, nothing in the file is executed."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        return Model(stored["weights"], *map(float, stored["numbers"]))


_DIGIT = re.compile(r"\d")


def _prepare(text: str) -> str:
    """Which digits a number has says nothing: every one is a 0."""
    return _DIGIT.sub("0", tidy(text))


@cache
def _hasher() -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer  # noqa: PLC0415 - slow to load

    return HashingVectorizer(
        analyzer="char", ngram_range=(1, 3), n_features=FEATURES, alternate_sign=False,
        norm="l2", binary=True, preprocessor=_prepare,
    )  # fmt: skip


def warm_up() -> None:
    """Loads what judging needs (about a second), so that no message waits for it."""
    _hasher()


def _features(texts: Sequence[str]) -> Any:
    return _hasher().transform(texts)


def train(examples: Sequence[Example], weights: Sequence[float] | None = None) -> Model:
    """A calibrated model of these examples; the same for the same ones."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - slow to load

    ads = np.array([example.ad for example in examples])
    counts = np.ones(len(ads)) if weights is None else np.asarray(weights, float)
    features = _features([example.text for example in examples])
    line = LogisticRegression(
        C=STRENGTH, solver="liblinear", dual=len(ads) < FEW, max_iter=2000, random_state=SEED
    )  # the same line; dual is quicker for few
    unseen = _unseen(line, features, ads, counts, _kinds(examples))
    line.fit(features, ads, sample_weight=counts)
    slope, offset = _calibrate(unseen, ads, counts)
    stretch = _stretch(slope * unseen[~ads] + offset)
    weights32 = line.coef_[0].astype(np.float32)
    return Model(weights32, float(line.intercept_[0]), slope, offset, stretch)


STRENGTH = 100.0  # inverse regularisation; the rows have length one


def _kinds(examples: Sequence[Example]) -> list[str]:
    return [example.kind or f"own {k}" for k, example in enumerate(examples)]


def _unseen(
    line: Any, features: Any, ads: NDArray[np.bool_], counts: Floats, kinds: list[str]
) -> Floats:
    """What a model that has seen neither a text nor one of its kind says of it: a sentence with
    another name in it is no new sentence."""
    from sklearn.base import clone  # noqa: PLC0415 - slow to load
    from sklearn.model_selection import StratifiedGroupKFold  # noqa: PLC0415

    found = np.zeros(len(ads))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED)
    for known, held_out in folds.split(features, ads, kinds):
        fitted = clone(line).fit(features[known], ads[known], sample_weight=counts[known])
        found[held_out] = fitted.decision_function(features[held_out])
    return found


def _calibrate(
    decisions: Floats, ads: NDArray[np.bool_], counts: Floats
) -> tuple[float, float]:
    """Platt's slope and offset, from decisions to log-odds."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - slow to load

    fitted = LogisticRegression(C=1e6).fit(decisions[:, None], ads, sample_weight=counts)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def _stretch(welcome: Floats) -> float:
    """By how much log-odds above 0 shrink, so that few welcome texts reach `REMOVE_AT`."""
    worst = float(np.quantile(welcome, 1 - STRICT))
    wanted = math.log(REMOVE_AT / (1 - REMOVE_AT))
    return min(1.0, wanted / worst) if worst > 0 else 1.0


# the model in use


@lru_cache(maxsize=LESSONS)
def fingerprint(decisions: tuple[Example, ...]) -> str:
    """Tells models of different lessons apart."""
    found = hashlib.sha256(f"{VERSION},{SEED},{EACH},{FEATURES}".encode())
    found.update(_shipped())
    for decision in decisions:
        found.update(hashlib.sha256(f"{decision.ad:d}{decision.text}".encode()).digest())
    return found.hexdigest()[:24]


@cache
def _shipped() -> bytes:
    """The module of examples itself: another version is another lesson."""
    return hashlib.sha256(Path(__file__).with_name("talk.py").read_bytes()).digest()


def find_model(folder: Path, decisions: Sequence[Example] = ()) -> Model | None:
    """The model of the shipped examples and these decisions; the shipped one as long as that is
    not made, None as long as there is none. Milliseconds the first time, then nothing."""
    return _kept(_path(folder, decisions)) or _kept(_path(folder, ()))


def make_model(folder: Path, decisions: Sequence[Example] = ()) -> bool:
    """Trains and keeps the model, if it lacks (seconds: work of the background); whether it did.
    A file that can't be read is made again."""
    path = _path(folder, decisions)
    if _kept(path):
        return False
    shipped = make_examples(SEED, EACH)
    weights = [1.0] * len(shipped) + [DECISION_WEIGHT] * len(decisions)
    model = train([*shipped, *decisions], weights)
    if len(decisions) < TAUGHT_BY:
        model = replace(model, most=UNTAUGHT_MOST)
    path.parent.mkdir(parents=True, exist_ok=True)
    model.save(path)
    return True


def _path(folder: Path, decisions: Sequence[Example]) -> Path:
    return folder / f"{fingerprint(tuple(decisions))}.npz"


_loaded: dict[Path, Model] = {}
LOADED = 8  # models; one for each community that taught it


def _kept(path: Path) -> Model | None:
    if path not in _loaded and path.exists():
        try:
            model = load_model(path)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None
        while len(_loaded) >= LOADED:
            _loaded.pop(next(iter(_loaded)))
        _loaded[path] = model
    return _loaded.get(path)
