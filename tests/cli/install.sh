#!/usr/bin/env bash
# What is installed works wherever it is moved to: libraries that give out snc.h and no more, flags, programs, configs.
. "$(dirname "$0")/lib.bash"
not_emulated "it starts what is installed, and what it compiles, by name"
BUILD=$(dirname "$COMPRESS") ROOT=$(cd "$TESTS/.." && pwd -P)
CC=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$BUILD/CMakeCache.txt")
CXX=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$BUILD/CMakeCache.txt")
check "cmake --install" cmake --install "$BUILD" --prefix "$PWD/first" >/dev/null
mv first moved
LIB=$(dirname "$(find "$PWD/moved" -name libsnc.so)")

# No path of the build, nor of where it was installed first, is in any file.
equal "files that know the build" "$(grep -rlaF -e "$ROOT" -e "$(cd "$BUILD" && pwd -P)" -e "$PWD/first" moved)" ""
equal "shared names" "$(readelf -d "$LIB/libsnc.so" "$LIB/libsnc-tool.so" | sed -n 's/.*soname: \[\(.*\)\]/\1/p' | tr '\n' ' ')" "libsnc.so.0 libsnc-tool.so.0 "

# The names given out are those that the header declares, each by one library.
echo '#include "snc.h"' | "$CC" -E -P -Imoved/include - | tr '\n' ' ' | grep -oE 'snc_[a-z0-9_]+\(' | tr -d '(' | sort -u >declared
nm -D --defined-only "$LIB/libsnc.so" | awk '{ print $3 }' | sort >runtime
nm -D --defined-only "$LIB/libsnc-tool.so" | awk '{ print $3 }' | sort >tool
sort runtime tool >given
same declared given
holds runtime '^snc_classify$'
holds runtime '^snc_err_text$'
holds tool '^snc_stage_compress$'

# The runtime is small, and needs nothing of a vendor's nor of the tool's, whatever the program was built with.
readelf -d "$LIB/libsnc.so" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' >needed
holds needed '^libc\.so'
equal "what else it needs" "$(grep -vE '^(lib(c|m|gomp|cjson)|ld-linux[-a-z0-9_]*)\.so' needed)" ""
strip -o stripped "$LIB/libsnc.so"
less "bytes of the runtime" "$(stat -c %s stripped)" 1500000
readelf -d "$LIB/libsnc-tool.so" | grep NEEDED >needed
holds needed 'libsnc\.so\.0'

# A stranger's program, in C and in C++, by the flags of pkg-config alone.
nano nano
run 0 finetune --pretrained nano/nano.snc --task nano/task.json --data nano --output t.snc --epochs 1 --lr 2e-3 --threads 1
run 0 export t.snc --policy int8 --output model.snc
export PKG_CONFIG_PATH=$LIB/pkgconfig LD_LIBRARY_PATH=$LIB
flags() { pkg-config --cflags --libs "$1"; }
cp "$TESTS/../examples/answer_lines.c" example.c
cp "$TESTS/../examples/answer_lines.cc" example2.cc
cp example.c example.cc
check "the example in C" "$CC" -std=c11 -Wall -Wextra -Werror -o in_c example.c $(flags snc)
check "the example in C++" "$CXX" -std=c++20 -Wall -Wextra -Werror -o in_cc example.cc $(flags snc)
printf 'good film\nbad movie\n' >in
check "the example of C++" "$CXX" -std=c++17 -Wall -Wextra -Werror -o in_cc17 example2.cc $(flags snc)
for p in in_c in_cc in_cc17; do
    check "$p answers" "./$p" model.snc <in >"$p.out"
    lines "$p.out" 2
done
same in_c.out in_cc.out
same in_c.out in_cc17.out
run 0 predict model.snc <in
awk -F'\t' '{ printf "%s\t%.3f\n", $1, $2 }' out >rounded
same rounded in_c.out
check "another's snc_alloc beside ours" "$CC" -std=c11 -Wall -Wextra -Werror -o names "$TESTS/cli/own_names.c" $(flags snc)
check "another's snc_alloc is not called" ./names model.snc

# The moved program finds the shipped tasks beside itself, from anywhere and as whatever it is called; without them it says where
# it looked, and SNC_CONFIG_DIR is another place.
mkdir -p data/SST-2
printf 'sentence\tlabel\ngood film\t1\nbad movie\t0\n' >data/SST-2/dev.tsv
COMPRESS=$PWD/moved/bin/compress
run 0 eval model.snc --task sst2 --data data --json
equal "rows" "$(number out n)" 2
check "by PATH" env PATH="$PWD/moved/bin:$PATH" compress eval model.snc --task sst2 --data data --quiet >out 2>err
ln -s moved/bin/compress link
check "by a link" ./link eval model.snc --task sst2 --data data --quiet >out 2>err
mv moved/share/snc kept
refused "task 'sst2'" eval model.snc --task sst2 --data data
lacks err "$ROOT"
SNC_CONFIG_DIR=$PWD/kept/configs run 0 eval model.snc --task sst2 --data data
mv kept moved/share/snc
check "a program on the tool's library" "$CC" -std=c11 -Wall -Wextra -Werror -o evaluate "$TESTS/../examples/evaluate.c" $(flags snc-tool)
check "it finds the tasks of the library" ./evaluate model.snc data >out 2>err
holds out 'accuracy'

# The whole job measures by the program beside the library; without one it is refused at once, and nobody starts the caller again.
check "a program on the whole job" "$CC" -std=c11 -Wall -Wextra -Werror -o whole_job "$TESTS/cli/whole_job.c" $(flags snc-tool)
check "it runs by the program beside the library" ./whole_job nano/nano.snc nano/task.json nano job >out 2>err
mkdir kept && mv moved/bin/compress moved/bin/snc kept
./whole_job nano/nano.snc nano/task.json nano job >out 2>err
equal "exit code without a program" $? 2
holds err 'no program to measure with'
mkdir -p moved/bin && cp whole_job moved/bin/compress
./moved/bin/compress nano/nano.snc nano/task.json nano job >out 2>err
equal "exit code of a program of that name" $? 2
holds err 'no program to measure with'
lines starts 3
absent job
