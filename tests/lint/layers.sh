#!/usr/bin/env bash
# Holds the tree to its law: who may include whom, which files may include vendor headers, who may print or exit, and unique
# file names. usage: layers.sh ROOT; prints each breach, exits 1 when there is one.
set -u
cd "$1"
bad=0
complain() { echo "lint: $*"; bad=1; }

# What a folder may include besides itself.
declare -A may=(
    [src/base]="snc.h"
    [src/core]="base"
    [tokenizer]="base"
    [quant]="base core"
    [src/data]="base core tokenizer"
    [models]="base core tokenizer quant"
    [models/family]="base models"
    [src/runtime]="snc.h base core tokenizer quant models"
    [src/interop]="base core tokenizer quant models"
    [src/train]="base core tokenizer quant data models"
    [src/train/samplers]="base models train"
    [src/train/data_samplers]="base core data models train"
    [src/train/objectives]="base core data models train"
    [src/search]="base core tokenizer quant data models"
    [src/hub]="base"
    [src/http]="base"
    [src/artifact]="snc.h base core tokenizer quant data models train search hub"
    [src/candidate]="snc.h base core tokenizer quant data models train search hub artifact"
    [src/report]="snc.h base core tokenizer quant data models train search hub artifact candidate http"
    [src/serve]="snc.h base models http"
    [src/stage]="snc.h base core tokenizer quant data models runtime interop train search hub artifact candidate report serve"
    [src/cli]="snc.h base"
    [src/exe]="snc.h base models cli"
)
for dir in "${!may[@]}"; do
    own=${dir#src/}
    while IFS=: read -r file line inc; do
        inc=${inc#'#include "'} inc=${inc%'"'}
        top=${inc%%/*}
        [ "$top" = "$own" ] || [[ " ${may[$dir]} " == *" $top "* ]] || complain "$file:$line includes $inc; $own may include: ${may[$dir]}"
    done < <(find "$dir" -maxdepth 1 -name '*.[ch]*' -exec grep -Hno '#include "[^"]*"' {} +)
done

# Vendor headers stay behind their seam; threads and POSIX likewise.
only() { # only PATTERN ALLOWED-REGEX WHAT
    grep -rlE "$1" src models quant tokenizer --include=*.c --include=*.h --include=*.cc | grep -vE "$2" | while read -r f; do echo "lint: $f: $3"; done
}
found=$(
    only '#include <(oneapi/)?dnnl' '_dnnl\.[ch]$' "oneDNN only in *_dnnl.c"
    only '#include <(cblas|openblas)' 'gemm_blas\.c$' "BLAS only in gemm_blas.c"
    only '#include <lapacke' '^src/search/lsq\.c$' "LAPACKE only in lsq.c"
    only '#include <libsvm' '^src/search/svr\.c$' "LIBSVM only in svr.c"
    only '#include <omp.h>|#pragma omp' '^src/base/par\.c$' "OpenMP only in par.c"
    only '_(POSIX_C|GNU|DEFAULT)_SOURCE' '^src/(base/(comm|comm_mpi|fmap|clock|cpus|hosts|isa|lock|partial|place|proc|room)|cli/(lines|main|terminal)|exe/classify|http/listener|report/watched|serve/(counters|queue|service))\.c$' "POSIX only in base, the program, the server and the live page"
    only '\b(fopen|freopen|creat|mkstemp|truncate|mknod|mkfifo)\(|O_(CREAT|TRUNC|RDWR)' '^src/base/' "only base opens files to write them"
    only '#include <(curl|nettle)/' '^src/hub/(curl|sha256)\.c$' "libcurl and Nettle only in curl.c and sha256.c of src/hub"
    only '#include <mpi' '^src/base/comm_mpi\.c$' "MPI only in comm_mpi.c"
    only '#include <microhttpd' '^src/http/listener\.c$' "libmicrohttpd only in listener.c"
    only 'dlopen' '^src/base/library\.c$' "libraries are loaded by name in library.c alone"
    only '#include <(onnx|protobuf-c)/' '^src/interop/onnx_file\.c$' "ONNX's messages only in onnx_file.c"
    only 'sqlite3_open' '^src/search/journal\.c$' "SQLite only in journal.c"
    only '\bexit\(|\bprintf\(|\bputs\(' '^src/(cli/|exe/|snc.h)' "only programs print to stdout or exits"
    only '\b(gets|strcpy|strcat|sprintf|strtok)\(' '^$' "banned libc call"
    only '[-]>valueint' '^$' "a JSON number becomes an int in base/json.c alone, which knows its range"
    only 'TODO|FIXME|XXX' '^$' "unfinished note"
)
[ -n "$found" ] && { echo "$found"; bad=1; }

# What a function was given to fill it does not leave pointing at what it has freed.
while IFS=: read -r file line text; do
    name=$(sed -E 's/.*\(\*([a-z_]+)\).*/\1/' <<<"$text")
    sed -n "$((line + 1))p" "$file" | grep -qF "*$name = NULL;" || complain "$file:$line frees what its caller holds"
done < <(grep -rnE '(free|Delete|close)\(\*[a-z_]+\)' src models quant tokenizer --include=*.c)

dup=$(find src models quant tokenizer -name '*.[ch]' -printf '%f\n' | sort | uniq -d)
[ -n "$dup" ] && complain "file names used twice: $dup"
exit $bad
