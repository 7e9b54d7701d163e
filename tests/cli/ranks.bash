# ranks.bash: for tests of jobs that mpirun starts, behind lib.bash.
skip() { echo "skipped: $*"; trap - EXIT; rm -rf "$SCRATCH"; exit 77; }

# pid_of RANK: the process of the job in this folder, without those that it has started.
pid_of() {
    local p
    for p in $(grep -lzx "OMPI_COMM_WORLD_RANK=$1" /proc/[0-9]*/environ 2>/dev/null); do
        p=${p#/proc/} p=${p%/environ}
        [ "$(readlink "/proc/$p/cwd")" = "$SCRATCH" ] && ! [ "/proc/$(($(ps -o ppid= "$p")))/exe" -ef "$COMPRESS" ] && echo "$p"
    done
}
# ended_when UNTIL SIGNAL RANK COMMAND...: starts the command, waits until the shell command UNTIL holds, and signals a rank; CODE: what
# mpirun ended with.
ended_when() {
    local until=$1 signal=$2 rank=$3 i
    shift 3
    "$@" >out 2>err &
    CHILD=$!
    for ((i = 0; i < 30000; i++)); do
        eval "$until" && break
        kill -0 "$CHILD" 2>/dev/null || break
        sleep 0.01
    done
    check "rank $rank was there to be ended when $until" kill -s "$signal" "$(pid_of "$rank")"
    wait "$CHILD" 2>/dev/null
    CODE=$?
    CHILD=""
}
