"""A semantic router: which of several handlers a prompt goes to, by a classifier's label, and to nobody where it is not sure.

    python examples/router.py topics.snc < prompts        a label a line, or "-" below the threshold

The threshold is chosen on labelled rows: the lowest at which those that are routed are right as often as asked.
"""
import sys

from snc import Classifier


class Router:
    def __init__(self, path, threshold=0.5):
        self.model, self.threshold = Classifier(path), threshold

    def calibrate(self, texts, labels, right=0.98):
        """The lowest threshold at which `right` of the texts that are routed go where their labels say; 1 where none does."""
        answers = sorted(zip(self.model.classify(texts), labels), key=lambda a: -a[0].score)
        self.threshold, hits = 1.0, 0
        for n, (answer, label) in enumerate(answers, 1):
            hits += answer.label == label
            if hits >= right * n:
                self.threshold = answer.score
        return self.threshold

    def route(self, texts):
        return [a.label if a.score >= self.threshold else None for a in self.model.classify(texts)]


if __name__ == "__main__":
    router = Router(sys.argv[1])
    for label in router.route([line.rstrip("\n") for line in sys.stdin]):
        print(label or "-")
