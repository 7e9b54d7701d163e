"""A model of a .snc file."""
import ctypes
import os
import threading
from typing import Dict, List, Optional, Sequence, Tuple, Union, overload

from ._library import Answer, Result, SncError, Tag, Text, check, lib

Input = Union[str, Tuple[str, str]]


def _bytes(text: str) -> bytes:
    if not isinstance(text, str):
        raise TypeError("expected a text or a pair of texts, not %s" % type(text).__name__)
    if "\0" in text:
        raise ValueError("a text holds the NUL character")
    return text.encode("utf-8", "replace")


class _Session:
    """Of one thread: its workspace, and room for the texts of a call."""

    def __init__(self, model: "Classifier"):
        self.pointer = ctypes.c_void_p()
        self.model = model
        check(lib.snc_session_new(ctypes.byref(self.pointer), model._pointer, model.threads))
        self.room = 0
        self._grow(1)

    def _grow(self, n: int) -> None:
        if n > self.room:
            self.texts, self.results, self.room = (Text * n)(), (Result * n)(), n

    def __del__(self):
        if self.pointer:
            lib.snc_session_free(self.pointer)

    def run(self, texts: Sequence[Input]) -> int:
        """Answers are in self.results until the next call."""
        n = len(texts)
        self._grow(n)
        for t, given in zip(self.texts, texts):
            if isinstance(given, str):
                t.a, t.b = _bytes(given), None
            elif isinstance(given, (tuple, list)):
                if len(given) != 2:
                    raise ValueError("%d texts together, expected a pair" % len(given))
                t.a, t.b = _bytes(given[0]), _bytes(given[1])
            else:
                raise TypeError("expected a text or a pair of texts, not %s" % type(given).__name__)
        check(lib.snc_classify(self.results, self.pointer, self.texts, n))
        return n


class Classifier:
    """A model and its tokenizer, of a file that `compress` or `compress export` has written.

    threads: how many a call may use; net: which one of a file that has several, 0 the largest; budget: seconds that a text may take, by the
    file's times: the largest net that keeps it answers. Without either a cascade that the file has is on. Raises SncError where the file
    cannot be read. Pickles by its path.
    """

    def __init__(self, path: Union[str, "os.PathLike[str]"], threads: int = 1, net: Optional[int] = None, budget: Optional[float] = None):
        self.path = os.fspath(path)
        self.threads, self.net, self.budget = threads, net, budget
        self._local = threading.local()
        self._pointer = ctypes.c_void_p()
        if net is not None and budget is not None:
            raise ValueError("net and budget: one of them")
        check(lib.snc_classifier_open(ctypes.byref(self._pointer), os.fsencode(self.path)))
        self.classes = lib.snc_classifier_classes(self._pointer)
        self.nets = lib.snc_classifier_nets(self._pointer)
        self.kind = next((k for k in ("vectors", "tags", "multilabel", "regression") if getattr(lib, "snc_classifier_" + k)(self._pointer)), "classes")
        names = [lib.snc_classifier_label(self._pointer, k) for k in range(self.classes)] if self.kind not in ("vectors", "regression") else []
        self.labels: List[str] = [str(k) if name is None else name.decode() for k, name in enumerate(names)]
        self._session()

    def close(self) -> None:
        """Frees the model once no other thread's call needs it."""
        pointer, self._pointer = self._pointer, ctypes.c_void_p()
        self._local = threading.local()
        lib.snc_classifier_close(pointer)

    def __enter__(self) -> "Classifier":
        return self

    def __exit__(self, *what) -> None:
        self.close()

    def __del__(self):
        if getattr(self, "_pointer", None):
            lib.snc_classifier_close(self._pointer)

    def __reduce__(self):
        return Classifier, (self.path, self.threads, self.net, self.budget)

    def __repr__(self) -> str:
        return "Classifier(%r, %d %s)" % (self.path, self.classes, self.kind)

    def _session(self) -> _Session:
        s = getattr(self._local, "session", None)
        if s is None:
            if not self._pointer:
                raise ValueError("%s: closed" % self.path)
            s = _Session(self)
            if self.net is not None:
                check(lib.snc_session_set_net(s.pointer, self.net))
            if self.budget is not None:
                check(lib.snc_session_set_cascade(s.pointer, 0))
                check(lib.snc_session_set_budget_us(s.pointer, 1e6 * self.budget))
            self._local.session = s
        return s

    @overload
    def classify(self, texts: str) -> Answer: ...
    @overload
    def classify(self, texts: Sequence[Input]) -> List[Answer]: ...

    def classify(self, texts):
        """The answer of a text, or a list of them: of texts, and of pairs as tuples. A tuple of two texts by itself is a pair."""
        one = isinstance(texts, (str, tuple))
        s = self._session()
        n = s.run([texts] if one else texts)
        names = self.labels
        out = [Answer(names[r.index] if names else None, r.score, r.index) for r in s.results[:n]]
        return out[0] if one else out

    def logits(self, texts: Sequence[Input]):
        """NumPy array [texts, classes] of 32-bit floats: what the model gives; of one that makes vectors, these, of length 1."""
        import numpy
        s = self._session()
        n = s.run(texts)
        out = numpy.empty((n, self.classes), numpy.float32)
        for i in range(n):
            ctypes.memmove(out[i].ctypes.data, s.results[i].logits, 4 * self.classes)
        return out

    def embed(self, texts: Sequence[str]):
        """The same of a model that makes vectors; TypeError of any other."""
        if self.kind != "vectors":
            raise TypeError("%s: makes no vectors" % self.path)
        return self.logits(texts)

    def predict_proba(self, texts: Sequence[Input]):
        """NumPy array [texts, classes]: softmax of the logits, of a multilabel model the sigmoid of each."""
        import numpy
        z = self.logits(texts).astype(numpy.float64)
        if self.kind == "multilabel":
            return 1 / (1 + numpy.exp(-z))
        e = numpy.exp(z - z.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    def label_sets(self, texts: Sequence[Input]) -> List[List[str]]:
        """Of a multilabel model the labels of each text that are there, by the file's threshold, the most probable first."""
        s = self._session()
        found, count = (ctypes.c_int * self.classes)(), ctypes.c_int()
        out = []
        for i in range(s.run(texts)):
            check(lib.snc_result_labels(found, None, ctypes.byref(count), self._pointer, ctypes.byref(s.results[i])))
            out.append([self.labels[found[k]] for k in range(count.value)])
        return out

    def tag(self, words: Union[str, Sequence[str]]) -> List[Tag]:
        """The tag of each word of a text, which is parted at blanks where it is no list."""
        words = words.split() if isinstance(words, str) else words
        n, s = len(words), self._session()
        array, results = (ctypes.c_char_p * n)(*map(_bytes, words)), (Result * n)()
        check(lib.snc_tag(results, s.pointer, array, n))
        return [Tag(self.labels[r.index] if r.index >= 0 else None, r.score, r.index) for r in results]

    def evaluate(self, texts: Sequence[Input], labels: Sequence) -> Dict[str, float]:
        """Accuracy of classes, or the mean of squares and the correlation of a regression, on labelled texts."""
        if len(texts) != len(labels):
            raise ValueError("%d texts, but %d labels" % (len(texts), len(labels)))
        if not len(texts):
            raise ValueError("no texts")
        if self.kind not in ("classes", "regression"):
            raise TypeError("%s: %s are not evaluated here: compress eval does it" % (self.path, self.kind))
        answers = self.classify(list(texts))
        if self.kind == "classes":
            unknown = set(map(str, labels)) - set(self.labels)
            if unknown:
                raise ValueError("label %r: the model has %s" % (sorted(unknown)[0], ", ".join(self.labels)))
            return {"n": len(texts), "accuracy": sum(a.label == str(b) for a, b in zip(answers, labels)) / len(texts)}
        import numpy
        x, y = numpy.array([a.score for a in answers]), numpy.asarray(labels, float)
        return {"n": len(texts), "mse": float(((x - y) ** 2).mean()), "pearson": float(numpy.corrcoef(x, y)[0, 1])}
