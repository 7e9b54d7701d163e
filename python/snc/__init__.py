"""Models that compress has made, in Python: labels, values, tags and vectors of texts, by the runtime library alone.

    from snc import Classifier
    model = Classifier("compressed.snc")
    model.classify("a fine film")                   # Answer(label='positive', score=0.998, index=1)
    model.classify(["a fine film", ("a pair", "of texts")])
    model.logits(["a fine film"])                   # NumPy, [1, classes]

A model is shared by all threads, each of which gets a session of its own; calls run without the interpreter's lock. snc.sklearn has an
estimator that runs the whole job.
"""
from ._library import Answer, SncError, Tag, version
from .classifier import Classifier

__all__ = ["Answer", "Classifier", "SncError", "Tag", "version"]
__version__ = version()
