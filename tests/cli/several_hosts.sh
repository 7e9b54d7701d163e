#!/usr/bin/env bash
# Two machines, as two network namespaces with a cable between them: training over TCP, started without ssh, and a cable that is too slow.
. "$(dirname "$0")/lib.bash"
not_emulated "namespaces are of the machine itself"
skip() { echo "skipped: $*"; trap - EXIT; rm -rf "$SCRATCH"; exit 77; }
command -v mpirun >/dev/null || skip "no mpirun"
command -v ip >/dev/null && command -v tc >/dev/null || skip "no ip and tc (iproute2)"
a=snc-a-$$ b=snc-b-$$
{ ip netns add $a && ip netns add $b && ip link add snc$$a netns $a type veth peer name snc$$b netns $b; } 2>/dev/null ||
    { ip netns del $a 2>/dev/null; ip netns del $b 2>/dev/null; skip "no network namespaces here"; }
trap 'for ns in $a $b; do ip netns pids $ns | xargs -r kill -9; ip netns del $ns; done 2>/dev/null; finish' EXIT
ip -n $a link set lo up && ip -n $a addr add 10.77.7.1/24 dev snc$$a && ip -n $a link set snc$$a up
ip -n $b link set lo up && ip -n $b addr add 10.77.7.2/24 dev snc$$b && ip -n $b link set snc$$b up

# What mpirun calls in place of ssh: a host, then a command for a shell there.
cat >agent <<END
#!/bin/sh
shift
exec unshare --uts sh -c 'hostname node-b; exec ip netns exec $b sh -c "\$*"' sh "\$@"
END
chmod +x agent
on_two_hosts=(ip netns exec $a timeout 60 mpirun --allow-run-as-root --host 10.77.7.1:1,10.77.7.2:1 --mca plm_rsh_agent "$SCRATCH/agent"
              --mca btl tcp,self --mca btl_tcp_if_include 10.77.7.0/24 --mca oob_tcp_if_include 10.77.7.0/24 -x OMP_WAIT_POLICY -x LC_ALL)
nano nano
train=(finetune --pretrained nano/nano.snc --task nano/task.json --data nano --epochs 2 --lr 2e-3 --threads 1 --compute f32)

run 0 "${train[@]}" --output one.snc
loss() { sed -n 's/.*epoch 2 of 2, loss \([0-9.]*\),.*/\1/p' err; }
alone=$(loss)
sent() { ip -n $b -s link show snc$$b | awk '/TX:/ { getline; print $1 }'; }
before=$(sent)
"${on_two_hosts[@]}" "$COMPRESS" "${train[@]}" --output two.snc >out 2>err
check "two hosts" test $? -eq 0 -a -s two.snc
check "losses $alone alone and $(loss) on two hosts" test -n "$alone" -a "$(loss)" = "$alone"
check "the other host sent $(($(sent) - before)) bytes" test $(($(sent) - before)) -gt 1000000

# A cable that carries nothing to speak of: the rank behind it is named, and nobody waits for ever.
ip netns exec $b tc qdisc add dev snc$$b root tbf rate 40kbit burst 4kb latency 10s 2>/dev/null || { echo "no tbf here: the slow cable is left out"; exit; }
"${on_two_hosts[@]}" "$COMPRESS" "${train[@]}" --rank-timeout 2s --output slow.snc >out 2>err
check "a slow cable ended with $?" test $? -ne 0
check "who was waited for: $(grep -a compress: err)" grep -q 'compress: rank 1 has not answered rank 0 for 2 s: its process or the network stands still' err
check "no file" test ! -e slow.snc
