#!/usr/bin/env bash
# Debian's own source of a package, with its patches, into DIR, which is made anew. usage: source.sh PACKAGE DIR
set -euo pipefail
package=$1
rm -rf "$2"
mkdir -p "$2/.apt/lists/partial"
dir=$(cd "$2" && pwd)
apt=$dir/.apt
# The machine's own archives, of sources.
cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | sed -n 's/^deb /deb-src /p' >"$apt/all.list" || true
for deb822 in /etc/apt/sources.list.d/*.sources; do
    [ -f "$deb822" ] && sed 's/^Types:.*/Types: deb-src/' "$deb822" >"$apt/${deb822##*/}"
done
cat >"$apt/conf" <<C
APT::Sandbox::User "";
Dir::Etc::sourcelist "$apt/all.list";
Dir::Etc::sourceparts "$apt";
Dir::State::lists "$apt/lists";
Acquire::Languages "none";
C
export APT_CONFIG=$apt/conf
apt-get update -qq
cd "$dir"
apt-get source -qq --download-only "$package" >/dev/null
for archive in "$package"_*.orig.tar.*; do
    case $archive in *.asc) ;; *) tar -xf "$archive" --strip-components=1 ;; esac
done
tar -xf "$package"_*.debian.tar.*
while read -r fix; do patch -s -p1 <"debian/patches/$fix"; done < <(grep -vE '^(#|$)' debian/patches/series 2>/dev/null || true)
rm -rf "$apt"
