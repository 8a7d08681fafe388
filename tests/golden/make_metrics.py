#!/usr/bin/env python3
"""Writes tests/data/metrics.safetensors: measures by scikit-learn and mir_eval.

Run by hand; the file is committed. Made with scikit-learn 1.9.1, mir_eval 0.8.2, NumPy 2.4.6 and safetensors 0.8.0:

    python3 -m venv .venv && .venv/bin/pip install scikit-learn mir_eval safetensors
    .venv/bin/python tests/golden/make_metrics.py
"""
import pathlib

import mir_eval
import numpy as np
import safetensors
import sklearn
from safetensors.numpy import save_file
from sklearn import metrics

out = {}


def tags():
    """Sixty clips of seven tags: coarse scores (ties), a tag that no clip has, one that all have, a perfect one."""
    random = np.random.default_rng(3)
    n, tags = 60, 7
    truth = (random.uniform(size=(n, tags)) < [0.5, 0.1, 0.3, 0.02, 0.4, 0, 1]).astype(np.float32)
    truth[7, 3] = 1
    scores = random.uniform(size=(n, tags)) + 0.3 * truth
    scores[:, 4] = truth[:, 4]
    scores[:, :2] = np.round(scores[:, :2], 1)
    scores[:, 2] = 0.5  # one threshold: everything ties
    scores = scores.astype(np.float32)
    weights = np.bincount(random.integers(0, n, n), minlength=n).astype(np.int32)
    out.update({"tags/scores": scores, "tags/truth": truth, "tags/weights": weights})
    for name, weight in (("plain", None), ("weighted", weights)):
        counts = np.ones(n) if weight is None else weight
        both = [t for t in range(tags) if 0 < (counts * truth[:, t]).sum() < n]
        roc = [metrics.roc_auc_score(truth[:, t], scores[:, t], sample_weight=weight) for t in both]
        pr = [metrics.average_precision_score(truth[:, t], scores[:, t], sample_weight=weight) for t in both]
        out[f"tags/{name}/both_kinds"] = np.array(both, np.int32)
        out[f"tags/{name}/roc_auc"] = np.array(roc)
        out[f"tags/{name}/average_precision"] = np.array(pr)
        # scikit-learn's own macro average, over the columns that have both kinds
        out[f"tags/{name}/macro"] = np.array([
            metrics.roc_auc_score(truth[:, both], scores[:, both], average="macro", sample_weight=weight),
            metrics.average_precision_score(truth[:, both], scores[:, both], average="macro", sample_weight=weight)])
    for threshold in (0.3, 0.5, 0.95):
        decided = (scores >= np.float64(threshold)).astype(int)
        out[f"tags/exact_match/{threshold}"] = np.array([metrics.accuracy_score(truth, decided)])
        table = metrics.multilabel_confusion_matrix(truth, decided)  # (tags, truth, predicted)
        out[f"tags/confusion/{threshold}"] = table.reshape(tags, 4).astype(np.float64)


def top_k():
    """One label a clip: scikit-learn's top-k accuracy. Several: by definition, in plain Python."""
    random = np.random.default_rng(4)
    n, tags = 50, 9
    scores = random.uniform(size=(n, tags)).astype(np.float32)
    label = random.integers(0, tags, n)
    out["top_k/scores"] = scores
    out["top_k/label"] = label.astype(np.int32)
    out["top_k/accuracy"] = np.array(
        [metrics.top_k_accuracy_score(label, scores, k=k, labels=range(tags)) for k in range(1, tags)])
    truth = (random.uniform(size=(n, tags)) < 0.35).astype(np.float32)
    truth[5] = 0  # a clip without a label
    out["top_k/truth"] = truth
    order = np.argsort(-scores, axis=1, kind="stable")
    labelled = [i for i in range(n) if truth[i].sum() > 0]
    shares = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    held = np.array([[truth[i, order[i, :k]].sum(dtype=np.float64) / truth[i].sum() for i in labelled] for k in range(1, tags + 1)])
    out["top_k/holding"] = np.array([[(row >= p - 1e-9).mean() for p in shares] for row in held])
    out["top_k/precision"] = np.array(
        [np.mean([truth[i, order[i, :k]].sum(dtype=np.float64) / k for i in labelled]) for k in range(1, tags + 1)])
    captured = np.zeros((tags, 2))
    for i in labelled:
        for tag in np.flatnonzero(truth[i]):
            captured[tag, 0 if tag in order[i, :3] else 1] += 1
    out["top_k/captured_missed_3"] = captured


def classes():
    """Five classes: one never true, one never there; and a set of one class alone."""
    random = np.random.default_rng(5)
    for name, truth, predicted in (("several", random.choice([0, 1, 3], 80), random.choice([0, 1, 2, 3], 80)),
                                   ("one", np.full(10, 1), np.array([1] * 10)),
                                   ("one_wrong", np.full(10, 1), np.array([1] * 7 + [4] * 3))):
        out[f"classes/{name}/truth"] = truth.astype(np.int32)
        out[f"classes/{name}/predicted"] = predicted.astype(np.int32)
        out[f"classes/{name}/accuracy"] = np.array([metrics.accuracy_score(truth, predicted)])
        out[f"classes/{name}/confusion"] = metrics.confusion_matrix(truth, predicted, labels=range(5)).astype(np.float64)
        each = metrics.precision_recall_fscore_support(truth, predicted, labels=range(5), zero_division=0)
        out[f"classes/{name}/per_class"] = np.array(each[:3])
        macro = metrics.precision_recall_fscore_support(truth, predicted, average="macro", zero_division=0)
        out[f"classes/{name}/macro"] = np.array(macro[:3], np.float64)


def keys():
    """mir_eval's score of every estimate for every key, C minor, C major, C# minor, … in rows (truth)."""
    names = [f"{tonic} {mode}" for tonic in "C C# D D# E F F# G G# A A# B".split() for mode in ("minor", "major")]
    out["keys/weighted_score"] = np.array([[mir_eval.key.weighted_score(t, e) for e in names] for t in names])


tags()
top_k()
classes()
keys()
path = pathlib.Path(__file__).resolve().parent.parent / "data" / "metrics.safetensors"
# safetensors writes the memory as it lies: a transposed view would come out wrong
save_file({name: np.ascontiguousarray(array) for name, array in out.items()}, path,
          metadata={"scikit-learn": sklearn.__version__, "mir_eval": mir_eval.__version__, "numpy": np.__version__,
                    "safetensors": safetensors.__version__})
path.chmod(0o644)
