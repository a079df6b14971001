"""The text classifier on real short messages: `python checks/real_spam.py DATA`.

DATA holds `zh_sms_spamham.csv` (`label,text`). Five folds, shuffled by a fixed seed: in each the
classifier is trained on four and judges the fifth, beside a naive Bayes on character bigrams. It
must be right more often than that baseline, and at the removing threshold take at most 1 % of
the ham for spam. What the model that ships says of these texts without having seen any like them
is printed for comparison: they are notices to phones, not talk in groups.
"""

from __future__ import annotations

import csv
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

from qunluo.groups.classifier import EACH, REMOVE_AT, SEED, train
from qunluo.groups.talk import Example, make_examples

FILE = "zh_sms_spamham.csv"
BASELINE = 0.919  # published with the data
MOST_HAM = 0.01
REMIND_AT = 0.5

Scores = NDArray[np.float64]
Labels = NDArray[np.bool_]


def read_examples(path: Path) -> list[Example]:
    with path.open(encoding="utf-8", newline="") as file:
        return [Example(row["text"], row["label"] == "spam") for row in csv.DictReader(file)]


def judge_folds(examples: list[Example], spam: Labels) -> tuple[Scores, Labels]:
    """The classifier's scores and the baseline's answers, each on texts not trained on."""
    scores, baseline = np.zeros(len(spam)), np.zeros(len(spam), bool)
    texts = [example.text for example in examples]
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    for known, unseen in folds.split(texts, spam):
        model = train([examples[k] for k in known])
        scores[unseen] = model.score([texts[k] for k in unseen])
        bayes = make_pipeline(
            CountVectorizer(analyzer="char", ngram_range=(2, 2)), MultinomialNB()
        )
        bayes.fit([texts[k] for k in known], spam[known])
        baseline[unseen] = bayes.predict([texts[k] for k in unseen])
    return scores, baseline


def tell(name: str, scores: Scores, spam: Labels) -> float:
    """Prints precision and recall at both thresholds; the share of ham at the removing one."""
    for threshold in (REMIND_AT, REMOVE_AT):
        hit = scores >= threshold
        precision, recall = spam[hit].mean() if hit.any() else 1.0, hit[spam].mean()
        print(
            f"  {name} at {threshold}: precision {precision:.4f}, recall {recall:.4f}, "
            f"accuracy {(hit == spam).mean():.4f}, ham taken for spam {hit[~spam].mean():.4f}"
        )
    return float((scores[~spam] >= REMOVE_AT).mean())


def tell_calibration(scores: Scores, spam: Labels) -> None:
    """How often a score comes true."""
    edges = np.linspace(0, 1, 6)
    for low, high in pairwise(edges):
        there = (scores >= low) & ((scores < high) | (high == 1))
        if there.any():
            share = spam[there].mean()
            print(f"  scores {low:.1f} to {high:.1f}: {there.sum()} texts, {share:.3f} spam")


def main(folder: Path) -> int:
    examples = read_examples(folder / FILE)
    spam = np.array([example.ad for example in examples])
    print(f"{FILE}: {len(spam)} messages, {spam.sum()} spam")
    scores, bayes = judge_folds(examples, spam)
    removed = tell("classifier", scores, spam)
    tell_calibration(scores, spam)
    right, baseline = ((scores >= REMIND_AT) == spam).mean(), (bayes == spam).mean()
    print(f"  bigram naive Bayes: accuracy {baseline:.4f} here, {BASELINE} published")
    shipped = train(make_examples(SEED, EACH))
    tell("as shipped, untrained here", shipped.score([e.text for e in examples]), spam)
    wrong = []
    if right <= max(baseline, BASELINE):
        wrong.append(f"accuracy {right:.4f} does not beat the baseline")
    if removed > MOST_HAM:
        wrong.append(f"{removed:.4f} of ham would be removed, more than {MOST_HAM}")
    for sentence in wrong:
        print(f"  WRONG {sentence}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
