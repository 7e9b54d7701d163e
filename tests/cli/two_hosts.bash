# two_hosts.bash: two machines for a test, behind lib.bash: network namespaces $a and $b with a cable between them, snc$$a at 10.77.7.1 and
# snc$$b at 10.77.7.2. The second has a host name and a scratch folder of its own. on_two_hosts COMMAND... runs a rank on each, without ssh;
# FAR_ISA: what SNC_ISA says on the second. hosts CODE[,CODE] ARG...: as `run`, by a rank on each, with no file left on the second in TMPDIR,
# which is a folder of the test's own. With what ranks.bash has. Skips where there is no such thing.
not_emulated "namespaces are of the machine itself"
. "$TESTS/cli/ranks.bash"
grep -q 'libmpi\.so' "$COMPRESS" || skip "a build without MPI"
command -v mpirun >/dev/null || skip "no mpirun"
command -v ip >/dev/null && command -v tc >/dev/null || skip "no ip and tc (iproute2)"
a=snc-a-$$ b=snc-b-$$
{ ip netns add $a && ip netns add $b && ip link add snc$$a netns $a type veth peer name snc$$b netns $b; } 2>/dev/null ||
    { ip netns del $a 2>/dev/null; ip netns del $b 2>/dev/null; skip "no network namespaces here"; }
export TMPDIR=$(mktemp -d)
trap 'for ns in $a $b; do ip netns pids $ns | xargs -r kill -9; ip netns del $ns; done 2>/dev/null; rm -rf "$TMPDIR"; finish' EXIT
ip -n $a link set lo up && ip -n $a addr add 10.77.7.1/24 dev snc$$a && ip -n $a link set snc$$a up
ip -n $b link set lo up && ip -n $b addr add 10.77.7.2/24 dev snc$$b && ip -n $b link set snc$$b up

# What mpirun calls in place of ssh: a host, then a command for a shell there.
cat >agent <<END
#!/bin/sh
shift
[ -z "\$FAR_ISA" ] || export SNC_ISA=\$FAR_ISA
exec unshare --uts --mount sh -c 'hostname node-b; mount -t tmpfs none $SCRATCH; cd $SCRATCH; cat <&3 >agent; chmod +x agent
    exec ip netns exec $b sh -c "\$*" 3<&-' sh "\$@" 3<$SCRATCH/agent
END
chmod +x agent
on_two_hosts() {
    ip netns exec $a unshare --uts sh -c 'hostname node-a.test; exec "$@"' sh timeout 300 mpirun --allow-run-as-root \
        --host 10.77.7.1:1,10.77.7.2:1 --mca plm_rsh_agent "$SCRATCH/agent" --mca btl tcp,self --mca btl_tcp_if_include 10.77.7.0/24 \
        --mca oob_tcp_if_include 10.77.7.0/24 -x OMP_WAIT_POLICY -x LC_ALL "$@"
}
hosts() {
    local want=$1 got
    shift
    CHECKS=$((CHECKS + 1))
    on_two_hosts "$COMPRESS" "$@" >out 2>err
    got=$?
    [[ ,$want, == *,$got,* ]] || fail "two hosts, compress $*: exit code $got, expected $want: $(grep -a '^compress:' err)"
    nothing_there
}
nothing_there() { equal "files left on the other host" "$(find "$TMPDIR" -name 'compress-*')" ""; }
