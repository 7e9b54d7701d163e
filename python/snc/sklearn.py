"""A scikit-learn estimator that runs the whole job of `compress` on lists of texts.

    from snc.sklearn import CompressedClassifier
    model = CompressedClassifier(pretrained="all-MiniLM-L6-v2", target_latency="0.5x").fit(texts, labels)
    model.predict(["a fine film"])
"""
import json
import os
import shutil
import subprocess
import tempfile
import weakref

import numpy
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from .classifier import Classifier


def _texts(X):
    """Texts and pairs as the runtime takes them."""
    if isinstance(X, (str, bytes)) or not hasattr(X, "__len__"):
        raise ValueError("X: expected a list of texts or of pairs, not %s" % type(X).__name__)
    out = []
    for i, x in enumerate(X):
        pair = isinstance(x, (tuple, list)) or (isinstance(x, numpy.ndarray) and x.ndim == 1)
        if pair and len(x) == 2 and all(isinstance(t, str) for t in x):
            out.append((str(x[0]), str(x[1])))
        elif isinstance(x, str):
            out.append(str(x))
        else:
            raise ValueError("X[%d]: expected a text or a pair of texts, not %r" % (i, type(x).__name__))
    if len({isinstance(x, str) for x in out}) > 1:
        raise ValueError("X: texts and pairs together")
    return out


class CompressedClassifier(ClassifierMixin, BaseEstimator):
    """pretrained: what `compress --pretrained` takes. target_latency, time_limit, seed: options of that name. options: any others, as
    {"max-drop": 1, "eval": "dev"}. output: the job's folder, which the fitted model lives in and pickles by; None: a new temporary one, gone
    with the estimator. program: the compress program.

    After fit: classes_, the model_ (snc.Classifier), folder_, report_ (report.json) and missed_, whether a target was missed.
    """

    def __init__(self, pretrained=None, target_latency="0.5x", time_limit=None, seed=42, output=None, options=None, program="compress"):
        self.pretrained = pretrained
        self.target_latency = target_latency
        self.time_limit = time_limit
        self.seed = seed
        self.output = output
        self.options = options
        self.program = program

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.two_d_array = True, False
        tags.non_deterministic = True  # latencies are measured
        return tags

    def _command(self, data, out):
        given = {"pretrained": self.pretrained, "task": "custom", "data": data, "output": out, "target-latency": self.target_latency,
                 "time-limit": self.time_limit, "seed": self.seed, **(self.options or {})}
        command = [self.program]
        for name, value in given.items():
            if value is None or value is False:
                continue
            command += ["--" + name.replace("_", "-")] + ([] if value is True else [str(value)])
        return command

    def _temporary_folder(self):
        folder = tempfile.mkdtemp(prefix="snc-")
        weakref.finalize(self, shutil.rmtree, folder, True)
        return os.path.join(folder, "out")

    def fit(self, X, y):
        """X: texts or pairs; y: labels, any that print as different texts. Raises RuntimeError with the program's line where it fails."""
        texts, labels = _texts(X), list(y)
        if len(texts) != len(labels):
            raise ValueError("%d texts, but %d labels" % (len(texts), len(labels)))
        if any(label is None or label != label for label in labels):
            raise ValueError("y: a label is missing")
        self.classes_ = numpy.unique(numpy.asarray(labels))
        if len(self.classes_) < 2:
            raise ValueError("y: %d class, expected two at least" % len(self.classes_))
        if self.pretrained is None:
            raise ValueError("pretrained: expected a model for compress --pretrained")
        self.folder_ = os.path.abspath(self.output) if self.output else self._temporary_folder()
        data = tempfile.mkdtemp(prefix="snc-rows-")
        try:
            with open(os.path.join(data, "train.jsonl"), "w", encoding="utf-8") as f:
                for text, label in zip(texts, labels):
                    row = {"text": text} if isinstance(text, str) else {"text": text[0], "text_b": text[1]}
                    f.write(json.dumps({**row, "label": str(label)}) + "\n")
            try:
                done = subprocess.run(self._command(data, self.folder_), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                      errors="replace")
            except OSError as e:
                raise RuntimeError("%s: %s: the estimator runs the compress program" % (self.program, e.strerror)) from None
        finally:
            shutil.rmtree(data, ignore_errors=True)
        if done.returncode not in (0, 3):
            raise RuntimeError((done.stderr.strip().splitlines() or ["exit code %d" % done.returncode])[-1])
        self.missed_ = done.returncode == 3
        with open(os.path.join(self.folder_, "report.json"), encoding="utf-8") as f:
            self.report_ = json.load(f)
        self.model_ = Classifier(os.path.join(self.folder_, "compressed.snc"))
        self._column = [self.model_.labels.index(str(c)) for c in self.classes_]
        return self

    def predict_proba(self, X):
        check_is_fitted(self)
        return self.model_.predict_proba(_texts(X))[:, self._column]

    def predict(self, X):
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(1)]

    def __getstate__(self):
        if hasattr(self, "model_") and not self.output:
            raise TypeError("a model in a temporary folder is not pickled, since the pickle holds its path: fit with output=FOLDER")
        return super().__getstate__()
