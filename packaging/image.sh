#!/usr/bin/env bash
# The server's image, step by step: what the Dockerfile runs, and anybody without Docker can.
#   image.sh needs                  the Debian packages that it is built with, a line
#   image.sh build BUILD            program and HTTP library into the folder BUILD; with TLS=1 the HTTP library is Debian's, which has TLS
#   image.sh root BUILD ROOT        ROOT, made anew: program, health check, the libraries that they load, and nothing else
# BUILD of `root` may be any build of the project on Debian that has compress-plain. A model is added as ROOT/model.snc, or mounted there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

needs() {
    echo gcc g++ make cmake ninja-build pkg-config patch xz-utils libcjson-dev libxxhash-dev uthash-dev libsqlite3-dev zlib1g-dev libmicrohttpd-dev
}

# Without TLS libmicrohttpd needs libc alone: Debian's brings GnuTLS and six more, 7 MB.
build_http() { # DIR
    local source=$1/source
    "$here/../cmake/source.sh" libmicrohttpd "$source"
    (cd "$source" && ./configure --quiet --disable-https --disable-static --disable-doc --disable-examples --disable-curl \
        --disable-bauth --disable-dauth --disable-postprocessor CFLAGS='-O2' >/dev/null && make -s -C src/microhttpd >/dev/null)
    cp -L "$source/src/microhttpd/.libs/libmicrohttpd.so.12" "$1/"
    rm -rf "$source"
}

build() { # BUILD
    mkdir -p "$1/http"
    if [ "${TLS:-0}" = 1 ]; then rm -f "$1/http/"*; else [ -f "$1/http/libmicrohttpd.so.12" ] || build_http "$1/http"; fi
    cmake -S "$here/.." -B "$1" -G Ninja -DCMAKE_BUILD_TYPE=Release -DSNC_TESTS=OFF -DSNC_WITH_OPENBLAS=OFF -DSNC_WITH_ONEDNN=OFF \
        -DSNC_WITH_LAPACKE=OFF -DSNC_WITH_LIBSVM=OFF -DSNC_WITH_CURL=OFF -DSNC_WITH_ONNX=OFF >/dev/null
    cmake --build "$1" --target compress-plain >"$1/log" 2>&1 || { cat "$1/log" >&2; return 1; }
}

# What the loader would load for these files, itself too.
libraries() { ldd "$@" | grep -oE '/[^ :]+\.so[^ :]*' | sort -u; }

root() { # BUILD ROOT
    local build=$1 root=$2 http=$1/http/libmicrohttpd.so.12 lib f
    [ -x "$build/compress-plain" ] || { echo "image.sh: $build has no compress-plain" >&2; exit 2; }
    [ -f "$http" ] || http=$(ldconfig -p 2>/dev/null | sed -n 's/.*libmicrohttpd\.so\.12 .*=> //p' | head -1)
    [ -n "$http" ] || { echo "image.sh: no libmicrohttpd.so.12 in $build/http, nor on this machine" >&2; exit 2; }
    rm -rf "$root"
    mkdir -p "$root/usr/bin" "$root/proc" "$root/tmp"
    chmod 1777 "$root/tmp"
    install -m 755 -s "$build/compress-plain" "$root/usr/bin/snc"
    "${CC:-cc}" -std=c11 -O2 -s -o "$root/usr/bin/healthy" "$here/healthy.c"
    # The loader where programs name it, all else where it looks without being told.
    lib=$(libraries "$root/usr/bin/healthy" | sed -n 's|^.*/\([^/]*\)/libc\.so.*|/lib/\1|p')
    for f in $(libraries "$root/usr/bin/snc" "$http"); do
        case ${f##*/} in ld-*) install -D -m 755 "$f" "$root$f" ;; *) install -D -m 644 "$f" "$root$lib/${f##*/}" ;; esac
    done
    install -m 644 "$http" "$root$lib/libmicrohttpd.so.12"
}

case ${1:-} in
needs) needs ;;
build) build "$2" ;;
root) root "$2" "$3" ;;
*)
    sed -n '2,6p' "$0" >&2
    exit 2
    ;;
esac
