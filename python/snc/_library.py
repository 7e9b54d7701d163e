"""snc.h's runtime half by ctypes: structs as they lie in memory, and each function with its types."""
import ctypes
import os
from typing import NamedTuple, Optional


class Answer(NamedTuple):
    """What a model says of a text. label is None where it has no classes; score is the label's probability, or the value of a regression."""
    label: Optional[str]
    score: float
    index: int


class Tag(NamedTuple):
    """What a model says of a word; label is None, score 0 and index -1 where it was not read."""
    label: Optional[str]
    score: float
    index: int


class SncError(RuntimeError):
    """The library's line about what failed; code is its snc_err."""

    def __init__(self, code: int, text: str):
        super().__init__(text)
        self.code = code

    def __reduce__(self):
        return SncError, (self.code, self.args[0])


class Text(ctypes.Structure):
    _fields_ = [("a", ctypes.c_char_p), ("b", ctypes.c_char_p)]


class Result(ctypes.Structure):
    _fields_ = [("label", ctypes.c_char_p), ("index", ctypes.c_int), ("score", ctypes.c_float), ("logits", ctypes.POINTER(ctypes.c_float))]


def _load():
    here = os.path.dirname(os.path.abspath(__file__))
    name = os.environ.get("SNC_LIBRARY") or os.path.join(here, "libsnc.so.0")
    lib = ctypes.CDLL(name)
    P, I, D = ctypes.c_void_p, ctypes.c_int, ctypes.c_double
    for f, result, arguments in (
            ("snc_version", ctypes.c_char_p, []), ("snc_err_text", ctypes.c_char_p, []),
            ("snc_classifier_open", I, [ctypes.POINTER(P), ctypes.c_char_p]), ("snc_classifier_close", None, [P]),
            ("snc_classifier_classes", I, [P]), ("snc_classifier_nets", I, [P]), ("snc_classifier_regression", I, [P]),
            ("snc_classifier_multilabel", I, [P]), ("snc_classifier_tags", I, [P]), ("snc_classifier_vectors", I, [P]),
            ("snc_classifier_label", ctypes.c_char_p, [P, I]),
            ("snc_session_new", I, [ctypes.POINTER(P), P, I]), ("snc_session_free", None, [P]),
            ("snc_session_set_net", I, [P, I]), ("snc_session_set_budget_us", I, [P, D]), ("snc_session_set_cascade", I, [P, I]),
            ("snc_session_answered_by", I, [P, I]),
            ("snc_classify", I, [P, P, P, I]), ("snc_tag", I, [P, P, P, I]),
            ("snc_result_labels", I, [P, P, ctypes.POINTER(I), P, P])):
        getattr(lib, f).restype = result
        getattr(lib, f).argtypes = arguments
    return lib


lib = _load()


def version() -> str:
    """Of the library."""
    return lib.snc_version().decode()


def check(code: int) -> None:
    if code:
        raise SncError(code, lib.snc_err_text().decode("utf-8", "replace"))
