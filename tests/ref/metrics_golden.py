"""Writes tests/golden/data_metrics.json: scores by scikit-learn and SciPy for seeded and awkward inputs.

    python tests/ref/metrics_golden.py

Seed 20240607. Made with scikit-learn 1.9.1, SciPy 1.17.1, NumPy 2.4.6 (the file records its own versions).
Values are rounded to float32 first, since that is what the program holds, and scored in float64.
"""
import json
import os
import warnings

import numpy as np
import scipy
import scipy.stats
import sklearn
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, matthews_corrcoef
from sklearn.utils.class_weight import compute_class_weight

warnings.simplefilter("ignore")
rng = np.random.default_rng(20240607)
cases = []


def number(x):
    x = float(x)
    return None if np.isnan(x) else x


def add(name, pred, target, of_classes):
    pred = np.asarray(pred, dtype=np.float32)
    target = np.asarray(target, dtype=np.float32)
    p, t = pred.astype(np.float64), target.astype(np.float64)
    if of_classes:
        p, t = p.astype(int), t.astype(int)
        scores = {"accuracy": accuracy_score(t, p), "matthews": matthews_corrcoef(t, p), "micro_f1": f1_score(t, p, average="micro"),
                  "macro_f1": f1_score(t, p, average="macro"), "balanced_accuracy": balanced_accuracy_score(t, p)}
        if max(p.max(), t.max()) < 2:
            scores["f1"] = f1_score(t, p)
    else:
        scores = {"pearson": scipy.stats.pearsonr(p, t)[0], "spearman": scipy.stats.spearmanr(p, t)[0]}
    cases.append({
        "name": name,
        "pred": [float(v) for v in pred],
        "target": [float(v) for v in target],
        "scores": {k: number(v) for k, v in scores.items()},
    })


def classes(name, n, k, agree):
    target = rng.integers(0, k, n)
    pred = np.where(rng.random(n) < agree, target, rng.integers(0, k, n))
    add(name, pred, target, True)


classes("two classes", 400, 2, 0.8)
classes("two classes, chance", 101, 2, 0.0)
classes("two classes, few rows", 7, 2, 0.5)
classes("three classes", 300, 3, 0.7)
classes("twenty classes", 500, 20, 0.4)
add("all right", [0, 1, 1, 0], [0, 1, 1, 0], True)
add("all wrong", [1, 0, 0, 1], [0, 1, 1, 0], True)
add("only class 0 on both sides", [0, 0, 0], [0, 0, 0], True)
add("only class 1 on both sides", [1, 1, 1], [1, 1, 1], True)
add("constant prediction 0", [0, 0, 0, 0], [0, 1, 1, 0], True)
add("constant prediction 1", [1, 1, 1, 1], [0, 1, 1, 0], True)
add("constant target", [0, 1, 1, 0], [1, 1, 1, 1], True)
add("three classes, constant prediction", [2, 2, 2, 2, 2], [0, 1, 2, 1, 0], True)
add("one row", [1], [1], True)
add("rare positives", (rng.random(300) < 0.02).astype(int), (rng.random(300) < 0.03).astype(int), True)


def values(name, n, noise, step=None):
    target = rng.random(n) * 5
    pred = target + noise * rng.standard_normal(n)
    if step:
        target, pred = np.round(target / step) * step, np.round(pred / step) * step
    add(name, pred, target, False)


values("values", 400, 0.7)
values("values, many ties", 400, 1.0, 0.5)
values("values, weak relation", 250, 20.0)
values("values, whole numbers", 60, 1.0, 1.0)
base = rng.random(50)
add("values, exact line", 2 * base, base, False)
add("values, falling", -base, base, False)
add("values, far from zero", 1e5 + rng.random(100), 1e5 + 10 * rng.random(100), False)
add("values, tiny", 1e-20 * rng.random(80), rng.random(80), False)
add("values, wide range", np.exp(8 * rng.standard_normal(120)), rng.random(120), False)
add("values, constant prediction", np.full(10, 2.7), rng.random(10), False)
add("values, constant target", rng.random(10), np.full(10, 0.1), False)
add("values, both constant", np.full(5, 1.0), np.full(5, 2.0), False)
add("values, all but one tied", [1, 1, 1, 1, 2], [3, 1, 2, 5, 4], False)
add("values, two rows", [1, 2], [5, 3], False)
add("values, zeros of both signs", [0.0, -0.0, 1.0, -1.0], [1, 2, 3, 0], False)

classes("six classes, some not there", 80, 6, 0.5)
add("one class for all rows", np.zeros(300), (rng.random(300) < 0.03).astype(int), True)
add("an answer that is never right", [0, 1, 2, 2, 3], [0, 1, 0, 1, 1], True)
add("a class that is never answered", [0, 0, 1, 1, 0], [0, 2, 1, 2, 0], True)

sets = []


def add_sets(name, pred, target):
    p, t = np.asarray(pred, dtype=int), np.asarray(target, dtype=int)
    sets.append({"name": name, "labels": p.shape[1], "pred": p.ravel().tolist(), "target": t.ravel().tolist(),
                 "scores": {"accuracy": accuracy_score(t, p), "micro_f1": f1_score(t, p, average="micro"), "macro_f1": f1_score(t, p, average="macro")}})


def label_sets(name, n, k, share, agree):
    t = rng.random((n, k)) < share
    add_sets(name, np.where(rng.random((n, k)) < agree, t, rng.random((n, k)) < share), t)


label_sets("five labels", 200, 5, 0.3, 0.8)
label_sets("twenty-eight rare labels", 300, 28, 0.03, 0.9)
label_sets("two labels, few rows", 6, 2, 0.5, 0.5)
add_sets("nothing answered", np.zeros((20, 3)), rng.random((20, 3)) < 0.4)
add_sets("nothing there", rng.random((20, 3)) < 0.4, np.zeros((20, 3)))
add_sets("nothing on both sides", np.zeros((5, 4)), np.zeros((5, 4)))
add_sets("a label that never occurs", [[1, 0, 0], [0, 0, 1]], [[1, 0, 0], [1, 0, 1]])

weights = []


def add_weights(name, target):
    t = np.asarray(target, dtype=int)
    weights.append({"name": name, "target": t.tolist(), "classes": np.unique(t).tolist(),
                    "balanced": compute_class_weight("balanced", classes=np.unique(t), y=t).tolist()})


add_weights("even", [0, 1, 0, 1])
add_weights("one in thirty", (rng.random(600) < 0.03).astype(int))
add_weights("seven classes", rng.choice(7, 500, p=[0.5, 0.2, 0.1, 0.1, 0.05, 0.03, 0.02]))
add_weights("a class without rows", [0, 0, 0, 2, 2, 5])
add_weights("one class", [3, 3, 3])

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "data_metrics.json")
with open(out, "w") as f:
    versions = {"scikit-learn": sklearn.__version__, "scipy": scipy.__version__, "numpy": np.__version__}
    json.dump({"versions": versions, "cases": cases, "sets": sets, "weights": weights}, f, separators=(",", ":"))
    f.write("\n")
print(len(cases), "cases", versions)
