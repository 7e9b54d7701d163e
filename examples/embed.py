"""The lines of a file that mean what a question does, by vectors of a compressed embedding model.

    python examples/embed.py vectors.snc "a question" < lines        cosine TAB line, the nearest five
"""
import sys

from snc import Classifier

if __name__ == "__main__":
    model, lines = Classifier(sys.argv[1]), [line.rstrip("\n") for line in sys.stdin]
    near = model.embed(lines) @ model.embed([sys.argv[2]])[0]  # vectors have length 1
    for i in near.argsort()[::-1][:5]:
        print("%.4f\t%s" % (near[i], lines[i]))
