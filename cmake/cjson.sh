#!/usr/bin/env bash
# DIR/libcjson.a of Debian's own source: the package has a shared library alone, and a static program needs the other. usage: cjson.sh DIR [CC]
set -euo pipefail
dir=$1 cc=${2:-gcc}
[ -f "$dir/libcjson.a" ] && exit 0
rm -rf "$dir"
mkdir -p "$dir/apt/lists/partial" "$dir/source"
dir=$(cd "$dir" && pwd)
trap 'rm -rf "$dir/apt" "$dir/source"' EXIT
# The machine's own archives, of sources.
cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | sed -n 's/^deb /deb-src /p' >"$dir/apt/all.list" || true
for deb822 in /etc/apt/sources.list.d/*.sources; do
    [ -f "$deb822" ] && sed 's/^Types:.*/Types: deb-src/' "$deb822" >"$dir/apt/${deb822##*/}"
done
cat >"$dir/apt/conf" <<C
APT::Sandbox::User "";
Dir::Etc::sourcelist "$dir/apt/all.list";
Dir::Etc::sourceparts "$dir/apt";
Dir::State::lists "$dir/apt/lists";
Acquire::Languages "none";
C
export APT_CONFIG=$dir/apt/conf
apt-get update -qq
cd "$dir/source"
apt-get source -qq --download-only cjson >/dev/null
tar -xf cjson_*.orig.tar.* --strip-components=1
tar -xf cjson_*.debian.tar.*
while read -r fix; do patch -s -p1 <"debian/patches/$fix"; done < <(grep -v '^#' debian/patches/series 2>/dev/null || true)
"$cc" -O2 -fPIC -c cJSON.c -o cJSON.o
mkdir -p "$dir/include/cjson" && cp cJSON.h "$dir/include/cjson"
printf 'Name: libcjson\nDescription: cJSON, static\nVersion: 1.7\nLibs: -L%s -lcjson\nCflags: -I%s/include\n' "$dir" "$dir" >"$dir/libcjson.pc"
ar rc "$dir/libcjson.a" cJSON.o
