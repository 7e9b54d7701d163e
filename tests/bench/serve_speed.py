"""`compress serve` beside ONNX Runtime behind a bare ASGI server: requests a second and latencies, by wrk, in turn.

    python tests/bench/serve_speed.py COMPRESS MODEL.snc TEXTS --onnx FILE --tokenizer FILE [--connections 64,1] [--seconds 10] [--rounds 3]

TEXTS has a text a line, all of which are asked over and over. A round runs every server at each number of connections; a cell is the median
of its rounds. --soak SECONDS runs our server alone under wrk while malformed and oversized requests come in between, and tells its memory
after the first 20 seconds of that and at the end. Needs wrk; the peer onnxruntime, tokenizers, uvicorn, uvloop and httptools.
"""
import argparse
import json
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ap = argparse.ArgumentParser()
ap.add_argument("compress")
ap.add_argument("model")
ap.add_argument("texts")
ap.add_argument("--onnx")
ap.add_argument("--tokenizer")
ap.add_argument("--connections", default="64,1")
ap.add_argument("--seconds", type=int, default=10)
ap.add_argument("--rounds", type=int, default=3)
ap.add_argument("--threads", default="2")
ap.add_argument("--soak", type=int, default=0)
a = ap.parse_args()
here = os.path.dirname(os.path.abspath(__file__))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    for _ in range(600):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit("port %d: nobody listens" % port)


def ours(port):
    return subprocess.Popen([a.compress, "serve", a.model, "--port", str(port), "--threads", a.threads, "--quiet"])


def theirs(port):
    return subprocess.Popen([sys.executable, "-m", "uvicorn", "--app-dir", here, "serve_peer:app", "--port", str(port), "--workers", a.threads, "--loop", "uvloop",
                             "--http", "httptools", "--no-access-log", "--log-level", "error"], env={**os.environ, "ONNX": a.onnx, "TOKENIZER": a.tokenizer})


script = tempfile.NamedTemporaryFile("w", suffix=".lua", delete=False)
bodies = [json.dumps({"input": line.rstrip("\n")}) for line in open(a.texts, encoding="utf-8")]
script.write("local bodies = {%s}\nlocal i = 0\nwrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\n"
             "request = function() i = i %% #bodies + 1 return wrk.format(nil, '/v1/classify', nil, bodies[i]) end\n" % ",".join("[==[%s]==]" % b for b in bodies))
script.close()


def wrk(port, connections, seconds):
    out = subprocess.run(["wrk", "-t1", "-c%d" % connections, "-d%ds" % seconds, "--latency", "-s", script.name, "http://127.0.0.1:%d/v1/classify" % port],
                         stdout=subprocess.PIPE, text=True, check=True).stdout
    ms = {k: float(v) * {"us": 1e-3, "ms": 1, "s": 1e3}[u] for k, v, u in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)\b", out)}
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    errors = re.search(r"Socket errors: (.*)", out)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), ms["50"], ms["99"], (bad[0] if bad else "") + (errors[0] if errors else "")


def resident(process):
    return int(re.search(r"VmRSS:\s+(\d+)", open("/proc/%d/status" % process.pid).read())[1]) / 1024


def soak():
    """Good requests by wrk, all of them answered; beside them everything that is none."""
    port = free_port()
    server, rng, sent = ours(port), random.Random(42), 0
    wait_for(port)
    before, end, good = 0, time.time() + a.soak, 0
    while time.time() < end:
        load = subprocess.Popen(["wrk", "-t1", "-c16", "-d20s", "--timeout", "20s", "-s", script.name, "http://127.0.0.1:%d/v1/classify" % port], stdout=subprocess.PIPE, text=True)
        while load.poll() is None:
            kind = rng.randrange(6)
            with socket.socket() as s:
                s.settimeout(1)
                s.connect(("127.0.0.1", port))
                head = b"POST /v1/classify HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
                noise = bytes(rng.randrange(256) for _ in range(rng.randrange(400)))
                data = (noise, head + b"Content-Length: 100000000\r\n\r\n" + noise, head + b"Content-Length: 500\r\n\r\n" + noise[:100],
                        head + b"Content-Length: %d\r\n\r\n" % len(noise) + noise, head + b"Transfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + noise,
                        head + b"Connection: close\r\nContent-Length: 200012\r\n\r\n{\"input\":\"" + b"x" * 200000 + b"\"}")[kind]
                try:
                    s.sendall(data)
                    s.recv(100)
                except OSError:
                    pass
                sent += 1
        out = load.communicate()[0]
        good += int(re.search(r"(\d+) requests in", out)[1])
        if "Non-2xx" in out or "Socket errors" in out:
            print("a good request was not answered:", out)
        if server.poll() is not None:
            sys.exit("the server ended: %d" % server.returncode)
        before = before or resident(server)
    after = resident(server)
    server.send_signal(signal.SIGTERM)
    print("%d s: %d good requests, %d bad ones; %.1f MB at first, %.1f MB at the end (%+.1f %%), exit code %d" %
          (a.soak, good, sent, before, after, 100 * (after / before - 1), server.wait()))


if a.soak:
    soak()
    sys.exit(0)
cells = {}
for turn in range(a.rounds):
    for name, start in (("ours", ours), ("theirs", theirs)):
        if name == "theirs" and not a.onnx:
            continue
        port = free_port()
        server = start(port)
        wait_for(port)
        wrk(port, 4, 2)
        for c in map(int, a.connections.split(",")):
            cells.setdefault((name, c), []).append(wrk(port, c, a.seconds))
        server.send_signal(signal.SIGTERM)
        server.wait()
for (name, c), runs in cells.items():
    rate, p50, p99 = (statistics.median(r[i] for r in runs) for i in range(3))
    print("%-6s %3d connections: %8.0f requests/s  p50 %7.3f ms  p99 %7.3f ms  %s" % (name, c, rate, p50, p99, " ".join(r[3] for r in runs)))
for c in map(int, a.connections.split(",")):
    if ("theirs", c) in cells:
        rate = {n: statistics.median(r[0] for r in cells[n, c]) for n in ("ours", "theirs")}
        print("%d connections: %.2fx" % (c, rate["ours"] / rate["theirs"]))
