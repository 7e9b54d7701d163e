#!/usr/bin/env bash
# A folder with the libraries of another architecture, to build against and to run on under qemu: Debian packages, fetched and
# unpacked. The machine's own packages, and what it knows of other architectures, stay as they are. usage: sysroot.sh DIR ARCH PACKAGE...
set -euo pipefail
dir=$1 arch=$2
shift 2
[ "$(cat "$dir/packages" 2>/dev/null)" = "$*" ] && exit 0
rm -rf "$dir"
mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
dir=$(cd "$dir" && pwd)
: >"$dir/apt/status" # nothing is installed there
cat >"$dir/apt/conf" <<C
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Install-Recommends "false";
APT::Sandbox::User "";
Dir::State "$dir/apt";
Dir::State::status "$dir/apt/status";
Dir::Cache "$dir/apt/cache";
Acquire::Languages "none";
C
export APT_CONFIG=$dir/apt/conf
apt-get update -qq
apt-get install -qq -y --download-only "$@" >/dev/null
for package in "$dir"/apt/cache/archives/*.deb; do dpkg-deb --fsys-tarfile "$package" | tar -x -C "$dir" --exclude='./usr/share/doc' --no-same-owner; done
rm -rf "$dir/apt"
find "$dir" -lname '/*' -printf '%p %l\n' | while read -r link to; do ln -sfnr "$dir$to" "$link"; done # within this folder, not the machine's
shopt -s nullglob
# What maintainer scripts would link: of the packages that give BLAS and LAPACK, OpenBLAS.
for lib in "$dir"/usr/lib/*/openblas-openmp/*.so*; do ln -sfn "openblas-openmp/${lib##*/}" "$(dirname "$lib")/../${lib##*/}"; done
echo "$*" >"$dir/packages"
