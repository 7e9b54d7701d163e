#!/usr/bin/env bash
# The Dockerfile in a clean Debian, without an engine: each of its instructions by hand in a root of debootstrap's, then the image's own command.
# usage: image_proof.sh MODEL.snc [FOLDER]   (as root, where nothing listens on port 8080; FOLDER keeps the Debian root, 1 GB; the machine's archives and certificates are used)
# Prints what the image weighs without and with the model, how long until it is healthy, and what it answers.
set -euo pipefail
model=$(readlink -f "$1")
cd "$(dirname "$0")/../.."
work=${2:-$(mktemp -d)}
base=$work/debian image=$work/image
uri=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/*.sources 2>/dev/null | head -1)
[ -x "$base/bin/bash" ] || debootstrap --variant=minbase bookworm "$base" "${uri:-http://deb.debian.org/debian}" >/dev/null
rm -f "$base/etc/apt/sources.list"
cp -r /etc/apt/sources.list* /etc/apt/apt.conf.d "$base/etc/apt/"
mkdir -p "$base/etc/ssl/certs"
cp /etc/ssl/certs/ca-certificates.crt "$base/etc/ssl/certs/" 2>/dev/null || true
cp /etc/resolv.conf /etc/hosts "$base/etc/" 2>/dev/null || true
mount --bind /proc "$base/proc"
mount --bind /dev "$base/dev"
inner=""
trap 'umount -l "$base/proc" "$base/dev"; [ -z "$inner" ] || kill -9 "$inner" 2>/dev/null || true' EXIT
inside() { env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TLS="${TLS:-0}" chroot "$base" bash -c "cd $dir && $1"; }

# The stage `build`, line by line: its sources are what git has, less what .dockerignore leaves out.
dir=/
while read -r word rest; do
    case $word in
    WORKDIR) dir=$rest; rm -rf "$base$dir" "$base/build" && mkdir -p "$base$dir" ;;
    COPY)
        if [ "$rest" = ". ." ]; then
            left=$(grep -vE '^(#|$)|\*' .dockerignore | sed 's/\./\\./g' | paste -sd'|')
            git ls-files | grep -vE "^($left)/" | tar -cT - | tar -xC "$base$dir"
        else
            install -D "${rest%% *}" "$base$dir/${rest##* }"
        fi
        ;;
    RUN) echo "RUN $rest"; time inside "$rest" >"$work/log" 2>&1 || { tail -20 "$work/log" >&2; exit 1; } ;;
    esac
done < <(sed '/^FROM scratch/,$d' Dockerfile)

rm -rf "$image"
cp -a "$base/image" "$image"
bytes() { find "$image" -type f -print0 | du -cb --files0-from=- | awk 'END { print $1 }'; }
find "$image" -type f -printf '%s %P\n' | sort -n
echo "image: $(bytes) bytes"
install -m 644 "$model" "$image/model.snc"
echo "image with ${model##*/}: $(bytes) bytes"
[ "$(bytes)" -le 30000000 ] || { echo "more than 30 MB" >&2; exit 1; }

words() { sed -n "s/^$1 .*\[\(.*\)\]$/\1/p; s/^$1 \[\(.*\)\]$/\1/p" Dockerfile | tail -1 | tr -d '",'; }
user=$(sed -n 's/^USER //p' Dockerfile)
begin=$(date +%s%N)
unshare --pid --fork --mount bash -c "mount -t proc proc $image/proc && exec env -i $(command -v chroot) --userspec=$user $image $(words ENTRYPOINT) $(words CMD)" &
server=$!
# Found as the child of unshare, which only then can be told to end: whoever changes its user outlives its parent.
child() { for p in /proc/[0-9]*; do awk -v of="$1" '/^PPid:/ && $2 == of { print FILENAME }' "$p/status" 2>/dev/null || true; done | tr -dc '0-9\n'; }
until chroot --userspec="$user" "$image" $(words HEALTHCHECK); do
    kill -0 $server 2>/dev/null || { echo "the server has ended" >&2; exit 1; }
    sleep 0.02
done
echo "healthy after $((($(date +%s%N) - begin) / 1000000)) ms"
inner=$(child $server)
awk '/^(NSpid|Uid|VmRSS):/' "/proc/$inner/status"
curl -sS -H 'Content-Type: application/json' -d '{"input":["a gripping, funny film","a bore"]}' http://127.0.0.1:8080/v1/classify
echo
kill -TERM "$inner"
wait $server && code=0 || code=$?
inner=""
echo "exit code after SIGTERM: $code"
exit $code
