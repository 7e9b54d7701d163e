"""Documents in the order in which they answer a query, by a compressed cross-encoder (docs/heads.md, "Rerankers").

    python examples/rerank.py reranker.snc "the query" < documents        score TAB document, the best first
"""
import sys

from snc import Classifier


def rerank(model, query, documents):
    """[(score, document)], the best first; one call for all pairs."""
    answers = model.classify([(query, d) for d in documents])
    return sorted(((a.score, d) for a, d in zip(answers, documents)), key=lambda x: -x[0])


if __name__ == "__main__":
    for score, document in rerank(Classifier(sys.argv[1]), sys.argv[2], [line.rstrip("\n") for line in sys.stdin]):
        print("%.4f\t%s" % (score, document))
