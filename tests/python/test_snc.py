"""The wheel, installed: answers as the program's, threads, pickles, failures; the estimator against scikit-learn's own checks.

    python tests/python/test_snc.py COMPRESS MAKE_NANO        in a scratch folder, in an environment that has the wheel
"""
import json
import os
import pickle
import platform
import shutil
import subprocess
import sys
import threading
import time
import unittest
import warnings

import numpy
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import snc
from snc.sklearn import CompressedClassifier

COMPRESS, MAKE_NANO = (os.path.abspath(p) for p in sys.argv[1:3])
EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples")
TEXTS = ["good film", "bad movie", "very bad", "the film was good !", ""] * 9


def run(*command, input=""):
    return subprocess.run(command, input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True).stdout


def setUpModule():
    run(MAKE_NANO, "nano")
    run(COMPRESS, "finetune", "--pretrained", "nano/nano.snc", "--task", "nano/task.json", "--data", "nano", "--epochs", "2", "--lr", "2e-3",
        "--threads", "1", "--output", "t.snc", "--quiet")
    run(COMPRESS, "export", "t.snc", "--policy", "int8", "--output", "m.snc", "--quiet")


class Models(unittest.TestCase):
    def test_answers_are_the_programs(self):
        said = [json.loads(line) for line in run(COMPRESS, "predict", "m.snc", "-o", "jsonl", "--logits", input="\n".join(TEXTS) + "\n").splitlines()]
        with snc.Classifier("m.snc") as model:
            self.assertEqual((model.kind, model.labels, model.nets), ("classes", ["negative", "positive"], 1))
            answers, z, p = model.classify(TEXTS), model.logits(TEXTS), model.predict_proba(TEXTS)
            for i, want in enumerate(said):
                self.assertEqual(answers[i].label, want["label"])
                self.assertAlmostEqual(answers[i].score, want["probability"], places=5)
                for k, name in enumerate(model.labels):
                    self.assertAlmostEqual(float(z[i, k]), want["logits"][name], places=4)
                    self.assertAlmostEqual(float(p[i, k]), want["probabilities"][name], places=5)
            self.assertEqual(model.classify("good film"), answers[0])
            self.assertEqual(model.classify(("good film", "bad")), model.classify([("good film", "bad")])[0])
            self.assertEqual(model.classify([]), [])
            self.assertEqual(z.dtype, numpy.float32)
            right = model.evaluate(TEXTS, [a.label for a in answers])
            self.assertEqual(right, {"n": len(TEXTS), "accuracy": 1.0})
        self.assertRaises(ValueError, model.classify, "closed")

    @unittest.skipUnless(platform.machine() == "x86_64" and shutil.which("qemu-x86_64"), "an emulator of other x86-64 CPUs")
    def test_a_cpu_without_avx_answers(self):
        said = run("qemu-x86_64", "-cpu", "Nehalem", sys.executable, "-c", "import snc; print(snc.Classifier('m.snc').classify('good film').label)")
        with snc.Classifier("m.snc") as model:
            self.assertEqual(said.strip(), model.classify("good film").label)

    def test_threads_have_the_same_bits(self):
        model = snc.Classifier("m.snc")
        want, bad = model.logits(TEXTS), []

        def ask():
            for _ in range(20):
                if not numpy.array_equal(model.logits(TEXTS), want):
                    bad.append(1)
        threads = [threading.Thread(target=ask) for _ in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertFalse(bad)

    def test_other_threads_run_meanwhile(self):
        model, turns, stop = snc.Classifier("m.snc"), [0], threading.Event()

        def count():
            while not stop.is_set():
                turns[0] += 1
                time.sleep(0)
        t = threading.Thread(target=count)
        t.start()
        before = turns[0]
        model.logits(["good bad film " * 12] * 20000)  # one call, of a second or so
        during = turns[0] - before
        stop.set()
        t.join()
        self.assertGreater(during, 100)

    def test_pickles_and_prints(self):
        model = snc.Classifier("m.snc", threads=2)
        again = pickle.loads(pickle.dumps(model))
        self.assertEqual((again.path, again.threads), (model.path, 2))
        self.assertTrue(numpy.array_equal(again.logits(TEXTS), model.logits(TEXTS)))
        self.assertEqual(repr(model), "Classifier('m.snc', 2 classes)")
        error = pickle.loads(pickle.dumps(snc.SncError(-3, "x")))
        self.assertEqual((error.code, str(error)), (-3, "x"))

    def test_failures(self):
        for bad, what in (("none.snc", "none.snc"), ("nano/nano.snc", "no trained classifier"), ("nano/task.json", "task.json")):
            with self.assertRaisesRegex(snc.SncError, what):
                snc.Classifier(bad)
        model = snc.Classifier("m.snc")
        for bad in (3, None, [3], [None], [b"x"], [("a", 3)]):
            self.assertRaises(TypeError, model.classify, bad)
        self.assertRaises(ValueError, model.classify, [("a", "b", "c")])
        self.assertRaises(ValueError, model.classify, "a\0b")
        self.assertEqual(len(model.classify(["\ud800 lone"])), 1)
        self.assertRaises(TypeError, model.embed, ["x"])
        with self.assertRaisesRegex(snc.SncError, "answers whole texts"):
            model.tag("good film")
        self.assertRaises(ValueError, model.evaluate, ["a"], [])
        self.assertRaises(ValueError, model.evaluate, ["a"], ["other"])
        self.assertRaises(ValueError, snc.Classifier, "m.snc", 1, 0, 0.001)
        with self.assertRaises(snc.SncError):
            snc.Classifier("m.snc", net=1)
        with self.assertRaises(snc.SncError):
            snc.Classifier("m.snc", budget=0.001)  # the file has no times


class Examples(unittest.TestCase):
    def test_router(self):
        sys.path.insert(0, EXAMPLES)
        import router
        r = router.Router("m.snc")
        answers = r.model.classify(TEXTS)
        labels = [a.label for a in answers]
        self.assertEqual(r.calibrate(TEXTS, labels, 1.0), min(a.score for a in answers))
        self.assertEqual(r.route(TEXTS), labels)
        self.assertEqual(r.calibrate(TEXTS, ["other"] * len(TEXTS)), 1.0)
        self.assertEqual(set(r.route(TEXTS)), {None})
        said = run(sys.executable, os.path.join(EXAMPLES, "router.py"), "m.snc", input="good film\nbad movie\n").splitlines()
        self.assertEqual(len(said), 2)
        self.assertTrue(set(said) <= {"negative", "positive", "-"})

    def test_rerank(self):
        with open("values.tsv", "w") as f:
            f.write("a\tb\ts\n" + "".join("%s\tgood film\t%d\n" % (t, "good" in t) for t in ("good %d film" % i if i % 2 else "bad %d movie" % i for i in range(300))))
        with open("fits.json", "w") as f:
            json.dump({"name": "fits", "files": {"train": "values.tsv", "dev": "values.tsv"}, "text_a": "a", "text_b": "b", "label": "s", "type": "score", "metrics": ["pearson"]}, f)
        run(COMPRESS, "finetune", "--pretrained", "nano/nano.snc", "--task", "./fits.json", "--data", ".", "--epochs", "1", "--threads", "1", "--output", "score.snc", "--quiet")
        said = run(sys.executable, os.path.join(EXAMPLES, "rerank.py"), "score.snc", "good film", input="bad movie\ngood film\nvery bad\n").splitlines()
        self.assertEqual(len(said), 3)
        self.assertEqual([line.split("\t")[0] for line in said], sorted((line.split("\t")[0] for line in said), reverse=True))


    def test_embed(self):
        run(MAKE_NANO, "--hf", "t.snc", "folder")
        with open("folder/model.safetensors", "r+b") as f:  # an encoder alone
            data = f.read().replace(b'"classifier', b'"other_name')
            f.seek(0)
            f.write(data)
        os.makedirs("folder/1_Pooling", exist_ok=True)
        parts = [{"idx": i, "name": str(i), "path": path, "type": "sentence_transformers.models." + kind} for i, (path, kind) in enumerate((("", "Transformer"), ("1_Pooling", "Pooling")))]
        for name, j in (("modules.json", parts), ("1_Pooling/config.json", {"word_embedding_dimension": 32, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True})):
            with open(os.path.join("folder", name), "w") as f:
                json.dump(j, f)
        run(COMPRESS, "export", "--pretrained", "folder", "--policy", "int8", "--output", "vectors.snc", "--quiet")
        model = snc.Classifier("vectors.snc")
        self.assertEqual((model.kind, model.labels), ("vectors", []))
        v = model.embed(TEXTS[:4])
        self.assertTrue(numpy.allclose((v * v).sum(1), 1, atol=1e-5))
        said = run(sys.executable, os.path.join(EXAMPLES, "embed.py"), "vectors.snc", "very bad", input="good film\nvery bad\nbad movie\n").splitlines()
        self.assertEqual(said[0].split("\t"), ["1.0000", "very bad"])


class Estimator(unittest.TestCase):
    # A latency that every net keeps, whatever the clock.
    quick = {"evals": 8, "epochs": 6, "lr": 3e-3, "supernet-epochs": 1, "supernet-lr": 1e-3, "augment": 0, "repair": "off"}

    def make(self, **more):
        return CompressedClassifier(pretrained="nano/nano.snc", target_latency="2x", options=self.quick, program=COMPRESS, **more)

    @classmethod
    def setUpClass(cls):
        with open("nano/train.tsv", encoding="utf-8") as f:
            rows = [line.rstrip("\n").split("\t") for line in f][1:901]
        cls.X, cls.y = [r[0] for r in rows], numpy.array([r[1] for r in rows])
        cls.fitted = cls().make(output="fitted").fit(cls.X, cls.y)

    def test_fits_and_predicts(self):
        m = self.fitted
        self.assertFalse(m.missed_)
        self.assertEqual(list(m.classes_), sorted(set(self.y)))
        p = m.predict_proba(self.X[:50])
        self.assertTrue(numpy.allclose(p.sum(1), 1))
        self.assertGreater(m.score(self.X, self.y), 0.75)
        self.assertIn("targets", m.report_)
        again = pickle.loads(pickle.dumps(m))
        self.assertTrue((again.predict(self.X) == m.predict(self.X)).all())
        fresh = clone(m)
        self.assertFalse(hasattr(fresh, "model_"))
        self.assertEqual(fresh.get_params(), m.get_params())

    def test_numbers_as_labels_in_a_pipeline(self):
        y = numpy.array([10 if label == self.y[0] else 2 for label in self.y])  # as texts they sort the other way
        model = make_pipeline(self.make())
        model.fit(self.X, y)
        self.assertEqual(list(model.classes_), [2, 10])
        self.assertGreater(model.score(self.X, y), 0.75)
        with self.assertRaisesRegex(TypeError, "output=FOLDER"):
            pickle.dumps(model.named_steps["compressedclassifier"])

    def test_refuses(self):
        for X, y, what in ((self.X[:3], ["a", "b"], "3 texts, but 2 labels"), (self.X[:3], ["a"] * 3, "1 class"), ([1, 2], ["a", "b"], "X.0."),
                           ("text", ["a"], "list of texts"), (["a", ("b", "c")], ["a", "b"], "together"), (["a", "b"], ["a", float("nan")], "missing")):
            with self.assertRaisesRegex(ValueError, what):
                self.make().fit(X, y)
        with self.assertRaises(RuntimeError):
            self.make().fit(self.X[:3], ["a", "b", "a"])
        with self.assertRaisesRegex(RuntimeError, "no-such-program"):
            CompressedClassifier(pretrained="nano/nano.snc", program="no-such-program").fit(self.X, self.y)
        self.assertRaises(ValueError, CompressedClassifier().fit, self.X, self.y)

    def test_scikit_learns_own_checks(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that numbers are what most of its checks are made of
            check_estimator(self.make())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:])
