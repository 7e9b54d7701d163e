"""Our INT8 runtime beside its peers on one machine in one run, in turn.

    python beside_peers.py LATENCY BENCH [--model base] [--threads 1,2] [--shapes 1x16,...] [--rounds 3] [--isa bf16]

LATENCY is a script that prints, for each peer, one line "t1 minilm ort-dyn8  1x16  1.234  1x32  2.345": median milliseconds of a
shape; family_peers.py is one for families beside BERT. BENCH is bench_models_runtime_speed. A round runs the peers, then ours, for each
number of threads; a cell is the median of its rounds, a ratio that of the fastest peer of the cell to ours. --isa caps both sides alike:
capped.so (tests/bench/capped.c) beside BENCH shows every program a CPU without AMX (bf16), without BF16 too (vnni), without AVX-512
(avxvnni), without AVX-VNNI (avx2), and SNC_ISA, ONEDNN_MAX_CPU_ISA, CT2_FORCE_CPU_ISA and MKL_ENABLE_INSTRUCTIONS say the same.
"""
import argparse, math, os, re, statistics, subprocess, sys

ap = argparse.ArgumentParser()
ap.add_argument("latency")
ap.add_argument("bench")
ap.add_argument("--model", default="minilm", choices=["minilm", "base", "distilbert", "roberta", "xlm-roberta"])
ap.add_argument("--threads", default="1,2")
ap.add_argument("--shapes", default="1x16,1x32,1x128,8x128,32x128")
ap.add_argument("--only", default="")
ap.add_argument("--rounds", type=int, default=3)
ap.add_argument("--seconds", default="0.5")
ap.add_argument("--isa", choices=["bf16", "vnni", "avxvnni", "avx2"])
a = ap.parse_args()
shapes = a.shapes.split(",")
only = a.only or "ov-int8-s,ov-int8,ov-bf16-s" + (",ct2-int8,ort-dyn8" if a.model == "minilm" else "" if a.model == "base" else ",ort-dyn8")
named = {"bf16": ("AVX512_CORE_BF16", "AVX512", "AVX512_E3"), "vnni": ("AVX512_CORE_VNNI", "AVX512", "AVX512_E1"),
         "avxvnni": ("AVX2_VNNI", "AVX2", "AVX2"), "avx2": ("AVX2", "AVX2", "AVX2")}
caps = {}
if a.isa:
    caps = dict(zip(("ONEDNN_MAX_CPU_ISA", "CT2_FORCE_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS"), named[a.isa]))
    caps |= {"SNC_ISA": a.isa, "CPU_CAP": a.isa, "LD_PRELOAD": os.path.join(os.path.dirname(os.path.abspath(a.bench)), "capped.so")}
    if not os.path.exists(caps["LD_PRELOAD"]):
        sys.exit(f"{caps['LD_PRELOAD']}: not built")
cells = {}  # (threads, who, shape): medians of the rounds


def run(command):
    p = subprocess.run(command, env={**os.environ, **caps}, stdout=subprocess.PIPE, text=True)
    if p.returncode:
        sys.exit(f"{command[0]}: exit code {p.returncode}")
    return p.stdout.splitlines()


def peers(t):
    for line in run([sys.executable, a.latency, "--threads", t, "--model", a.model, "--only", only, "--seconds", a.seconds,
                     "--shapes", a.shapes]):
        who, *pairs = line.split()[2:]
        for shape, ms in zip(pairs[::2], pairs[1::2]):
            cells.setdefault((t, who, shape), []).append(float(ms))


def ours(t):
    extra = [] if a.model == "minilm" else ["--family", "bert" if a.model == "base" else a.model]
    for line in run([a.bench, "--threads", t, "--dtypes", "int8", "--shapes", a.shapes] + extra):
        m = re.search(r"t\d+\s+(\d+x\d+)\s+min\s+\S+\s+median\s+(\S+) ms", line)
        if m:
            cells.setdefault((t, "ours", m[1]), []).append(float(m[2]))


def machine(t):
    with open("/proc/cpuinfo") as f:
        info = dict(re.split(r"\s*:\s*", l.strip(), maxsplit=1) for l in f if ":" in l)
    flags = info.get("flags", info.get("Features", "")).split()
    there = [f for f in ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16", "asimddp", "i8mm") if f in flags]
    return (f"{info.get('model name', os.uname().machine)}, {os.cpu_count()} cores; {' '.join(there)}; "
            f"{'both sides capped to ' + a.isa if a.isa else 'nothing capped'}; {t} thread{'s' if t != '1' else ''}")


threads = a.threads.split(",")
for r in range(a.rounds):
    for t in threads:
        peers(t)
        ours(t)
        print(f"round {r + 1} of {a.rounds}, {t} thread(s)", file=sys.stderr, flush=True)
middle = {k: statistics.median(v) for k, v in cells.items()}
for t in threads:
    print(f"\n{machine(t)}\n\n{a.model}: median ms of {a.rounds} rounds (least to most)\n")
    print("| shape | best peer | | ours | ratio | of each round's best |\n|---|---|---|---|---|---|")
    ratios = []
    for s in shapes:
        best, who = min((v, k[1]) for k, v in middle.items() if k[0] == t and k[2] == s and k[1] != "ours")
        rounds = [min(v[i] for k, v in cells.items() if k[0] == t and k[2] == s and k[1] != "ours") / cells[t, "ours", s][i]
                  for i in range(a.rounds)]
        span = lambda w: f"{middle[t, w, s]:.3f} ({min(cells[t, w, s]):.3f} to {max(cells[t, w, s]):.3f})"
        ratios.append(best / middle[t, "ours", s])
        print(f"| {s} | {who} | {span(who)} | {span('ours')} | {ratios[-1]:.2f} | {', '.join(f'{x:.2f}' for x in rounds)} |")
    print(f"| geometric mean | | | | {math.exp(sum(map(math.log, ratios)) / len(ratios)):.2f} | |")
    for who in sorted({k[1] for k in middle if k[0] == t}):
        print(f"    {who:10s}" + "".join(f"  {s} {middle[t, who, s]:9.3f}" for s in shapes))
