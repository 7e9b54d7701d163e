#!/usr/bin/env bash
# Debian packages: what is in which, and what they need; the program runs from where one puts it.
. "$(dirname "$0")/lib.bash"
not_emulated "packages are of the machine that builds them"
skip() { echo "skipped: $*"; trap - EXIT; rm -rf "$SCRATCH"; exit 77; }
for tool in cpack dpkg-deb dpkg-shlibdeps file; do command -v $tool >/dev/null || skip "no $tool"; done
BUILD=$(dirname "$COMPRESS")
[ -e "$BUILD/snc" ] || skip "a build without manual pages"
check "cpack" cpack --config "$BUILD/CPackConfig.cmake" -B "$PWD/debs" >cpack.log 2>&1
equal "packages" "$(cd debs && ls ./*.deb | sed 's/_.*//' | tr '\n' ' ')" "./libsnc-dev ./libsnc0 ./snc "
for p in snc libsnc0 libsnc-dev; do dpkg-deb -c debs/$p"_"*.deb | awk '{ print $6 }' >$p.files; done
holds snc.files '^\./usr/bin/snc$'
lacks snc.files 'bin/compress$\|man1/compress' # ncompress's
holds snc.files '^\./usr/share/man/man1/snc-serve\.1'
holds snc.files '^\./usr/share/bash-completion/completions/snc$'
holds snc.files '^\./usr/share/snc/configs/tasks/sst2\.json$'
holds libsnc0.files '/libsnc\.so\.0$'
lacks libsnc0.files 'snc-tool\|/libsnc\.so$\|include'
holds libsnc-dev.files '^\./usr/include/snc\.h$'
holds libsnc-dev.files '/libsnc\.so$'
lacks libsnc0.files 'bin/'
version=$("$COMPRESS" --version | sed 's/compress //')
equal "what libsnc-dev needs of ours" "$(dpkg-deb -f debs/libsnc-dev_*.deb Depends | grep -o 'libsnc0 ([^)]*)')" "libsnc0 (= $version)"
equal "what else the runtime needs" "$(dpkg-deb -f debs/libsnc0_*.deb Depends | tr ',' '\n' | sed 's/^ *//; s/ .*//' | grep -vxE 'libc6|libcjson1|libgomp1')" ""
for p in snc libsnc0; do dpkg-deb -x debs/$p"_"*.deb root; done
less "bytes of the runtime" "$(find root -type f -name "libsnc.so.*" -exec stat -c %s {} +)" 1500000
nano nano
run 0 finetune --pretrained nano/nano.snc --task nano/task.json --data nano --epochs 0.5 --threads 1 --output t.snc
echo 'good film' >in
run 0 predict t.snc <in
cp out want
COMPRESS=$PWD/root/usr/bin/snc
run 0 predict t.snc <in
same out want
run 0 help serve
holds out '^usage: snc serve '
refused "SST-2" eval t.snc --task sst2 --data . # the task is found beside the program
