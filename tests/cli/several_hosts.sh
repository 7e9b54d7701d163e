#!/usr/bin/env bash
# Two machines, as two network namespaces with a cable between them: training over TCP, started without ssh, and a cable that is too slow.
. "$(dirname "$0")/lib.bash"
. "$TESTS/cli/two_hosts.bash"
nano nano
train=(finetune --pretrained nano/nano.snc --task nano/task.json --data nano --epochs 2 --lr 2e-3 --threads 1 --compute f32)

run 0 "${train[@]}" --output one.snc
loss() { sed -n 's/.*epoch 2 of 2, loss \([0-9.]*\),.*/\1/p' err; }
alone=$(loss)
sent() { ip -n $b -s link show snc$$b | awk '/TX:/ { getline; print $1 }'; }
before=$(sent)
on_two_hosts "$COMPRESS" "${train[@]}" --output two.snc >out 2>err
check "two hosts" test $? -eq 0 -a -s two.snc
check "losses $alone alone and $(loss) on two hosts" test -n "$alone" -a "$(loss)" = "$alone"
check "the other host sent $(($(sent) - before)) bytes" test $(($(sent) - before)) -gt 1000000

# A cable that carries nothing to speak of: the rank behind it is named, and nobody waits for ever.
ip netns exec $b tc qdisc add dev snc$$b root tbf rate 40kbit burst 4kb latency 10s 2>/dev/null || { echo "no tbf here: the slow cable is left out"; exit; }
on_two_hosts "$COMPRESS" "${train[@]}" --rank-timeout 2s --output slow.snc >out 2>err
check "a slow cable ended with $?" test $? -ne 0
check "who was waited for: $(grep -a compress: err)" grep -q 'compress: rank 1 has not answered rank 0 for 2 s: its process or the network stands still' err
check "no file" test ! -e slow.snc
