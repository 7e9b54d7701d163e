#!/usr/bin/env bash
# DIR/libcjson.a of Debian's own source: the package has a shared library alone, and a static program needs the other. usage: cjson.sh DIR [CC]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$1 cc=${2:-gcc}
[ -f "$dir/libcjson.a" ] && exit 0
rm -rf "$dir"
mkdir -p "$dir/include/cjson"
dir=$(cd "$dir" && pwd)
trap 'rm -rf "$dir/source"' EXIT
"$here/source.sh" cjson "$dir/source"
"$cc" -O2 -fPIC -c "$dir/source/cJSON.c" -o "$dir/cJSON.o"
cp "$dir/source/cJSON.h" "$dir/include/cjson"
printf 'Name: libcjson\nDescription: cJSON, static\nVersion: 1.7\nLibs: -L%s -lcjson\nCflags: -I%s/include\n' "$dir" "$dir" >"$dir/libcjson.pc"
ar rc "$dir/libcjson.a" "$dir/cJSON.o"
