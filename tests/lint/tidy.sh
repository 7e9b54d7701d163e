#!/usr/bin/env bash
# clang-tidy, with the checks of .clang-tidy, over every file that is built. usage: tidy.sh ROOT BUILD; exits 1 when it finds
# something, 77 where its version 14 (others find other things) or the build's commands are not there.
set -u
cd "$1"
tool=$(command -v clang-tidy-14 || command -v clang-tidy)
{ [ -n "$tool" ] && "$tool" --version | grep -q 'version 14\.'; } || { echo "skipped: clang-tidy 14 is not installed"; exit 77; }
[ -f "$2/compile_commands.json" ] || { echo "skipped: no compile_commands.json in the build"; exit 77; }
find src models quant tokenizer -name '*.c' -print0 | xargs -0 -P 2 -n 8 "$tool" -p "$2" --quiet 2>/dev/null | tee /dev/stderr | grep -q . && exit 1
exit 0
