#!/usr/bin/env bash
# The image without Docker: the root that packaging/image.sh makes, and in it the Dockerfile's own command, as process 1 of nobody's user.
. "$(dirname "$0")/lib.bash"
skip() { echo "skipped: $*"; trap - EXIT; rm -rf "$SCRATCH"; exit 77; }
not_emulated "what is loaded is the machine's"
BUILD=$(dirname "$COMPRESS") ROOT=$(cd "$TESTS/.." && pwd -P)
[ "$(id -u)" -eq 0 ] && chroot / true 2>/dev/null || skip "changing the root is not allowed"
command -v curl >/dev/null || skip "no curl"
[ -x "$BUILD/compress-plain" ] || skip "no compress-plain"
"$COMPRESS" serve none.snc --port 0 2>&1 | grep -q libmicrohttpd && skip "no libmicrohttpd here"
chmod 755 . # for another user

# ---- what is in it ---------------------------------------------------------------------------------------------------------------------
check "the root" "$ROOT/packaging/image.sh" root "$BUILD" root
equal "programs" "$(ls root/usr/bin | tr '\n' ' ')" "healthy snc "
equal "other files than programs and libraries" "$(find root -type f -o -type l | grep -vE '^root/(usr/bin|lib|lib64)/([a-z0-9_-]*/)?(snc|healthy|ld-[^/]*|lib[^/]*\.so[^/]*)$')" ""
tls='lib(gnutls|p11-kit|idn2|unistring|tasn1|nettle|hogweed|gmp|ffi)\.' # left out by `image.sh build`, unless TLS is asked for
equal "libraries" "$(find root/lib* -type f | sed 's|.*/||' | grep -vE "^($tls|ld-|lib(c|m|gomp|cjson|microhttpd|sqlite3|z|protobuf-c)\.so)")" ""
bytes=$(find root -type f | grep -vE "/$tls" | tr '\n' '\0' | du -cb --files0-from=- | awk 'END { print $1 }')
echo "the root without a model and TLS: $bytes bytes"
MODEL=20000000 # bytes of a MiniLM at 0.7x, and some
less "bytes of the root with a model" $((bytes + MODEL)) 30000000
"$ROOT/packaging/image.sh" root "$PWD" none >out 2>err
equal "exit code without a program" $? 2
holds err 'has no compress-plain'
absent none

# ---- the Dockerfile's command --------------------------------------------------------------------------------------------------------------
words() { sed -n "s/^$1 \[\(.*\)\]$/\1/p" "$ROOT/Dockerfile" | tail -1 | tr -d '",'; }
nano nano
run 0 finetune --pretrained nano/nano.snc --task nano/task.json --data nano --epochs 0.5 --lr 2e-3 --threads 1 --output t.snc
run 0 export t.snc --policy int8 --output m.snc
echo 'good film' >in
run 0 predict m.snc -o jsonl --logits <in
label=$(grep -o '"label":"[^"]*"' out)
cp m.snc root/model.snc
user=$(sed -n 's/^USER //p' "$ROOT/Dockerfile")
command="$(words ENTRYPOINT) $(words CMD)"
equal "the command" "$command" "/usr/bin/snc serve /model.snc --host 0.0.0.0 --port 8080"
new=(unshare --pid --fork --mount)
"${new[@]}" true 2>/dev/null || { new=(); echo "no process numbers of its own here: the server is not process 1"; }
# As an engine does it: /proc, another user, no variables.
cat >start.sh <<S
${new:+mount -t proc proc root/proc || exit 2}
exec env -i $(command -v chroot) --userspec=$user root ${command/--port 8080/--port 0}
S
server=""
trap 'code=$?; [ -z "$server" ] || kill -9 "$server" 2>/dev/null; (exit $code); finish' EXIT # it outlives its parent
"${new[@]}" bash start.sh 2>log &
CHILD=$!
child() { for p in /proc/[0-9]*; do awk -v of="$1" '/^PPid:/ && $2 == of { print FILENAME }' "$p/status" 2>/dev/null; done | tr -dc '0-9\n'; }
for ((i = 0; i < 3000; i++)); do
    port=$(sed -n 's|.*serve: http://0\.0\.0\.0:\([0-9]*\), .*|\1|p' log)
    [ -n "$port" ] && break
    kill -0 "$CHILD" 2>/dev/null || break
    sleep 0.01
done
check "the server listens: $(cat log)" test -n "$port"
server=$CHILD
[ ${#new[@]} -eq 0 ] || server=$(child "$CHILD")
equal "user" "$(awk '/^Uid:/ { print $2 "/" $5 }' "/proc/$server/status")" "${user%:*}/${user%:*}"
[ ${#new[@]} -eq 0 ] || equal "process" "$(awk '/^NSpid:/ { print $NF }' "/proc/$server/status")" 1
check "an answer" curl -sS -H 'Content-Type: application/json' -d '{"input":"good film"}' "http://127.0.0.1:$port/v1/classify" >out 2>err
equal "its label" "$(grep -o '"label":"[^"]*"' out | head -1)" "$label"
healthy() { chroot --userspec="$user" root /usr/bin/healthy "$@" >out 2>err; }
check "it is healthy" healthy "$port"
kill -HUP "$server"
for ((i = 0; i < 1000; i++)); do grep -q 'read again' log && break; sleep 0.01; done
holds log '^/model.snc: read again$'
before=$(date +%s)
kill -TERM "$server"
wait "$CHILD"
equal "exit code after SIGTERM" $? 0
CHILD="" server=""
less "seconds to end" $(($(date +%s) - before)) 10
holds log 'all that came in is answered, then it ends$'
healthy "$port"
equal "health without a server" $? 1
healthy nine
equal "health of no port" $? 2
