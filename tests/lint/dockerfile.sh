#!/usr/bin/env bash
# The Dockerfile, which no engine builds here: what it copies is there and sent, its shell parses, stages and ports agree, and it runs as nobody.
# usage: dockerfile.sh ROOT; prints each breach, exits 1 when there is one.
set -u
cd "$1" || exit 2
bad=0 runs=0 copies=0 stages=" " user="" stop="" health="" port="" command="" base=""
say() { echo "lint: Dockerfile: $*"; bad=1; }
# sent PATH: whether the build is given it (of .dockerignore: names, a star within a name, **/ for any depth).
sent() {
    local pattern
    while read -r pattern; do
        case $pattern in '' | '#'*) continue ;; esac
        [[ $1 == $pattern || $1 == $pattern/* ]] && return 1
    done <.dockerignore
    return 0
}
while read -r word rest; do
    case $word in
    '' | '#'*) ;;
    FROM)
        base=${rest%% *}
        [[ $base == scratch || $stages == *" $base "* || $base =~ ^[a-z/]+:[a-z0-9.-]+$ && $base != *:latest ]] || say "FROM $base: expected a stage, or an image with a tag"
        [[ $rest != *' AS '* ]] || stages+="${rest##* AS } "
        ;;
    COPY)
        copies=$((copies + 1))
        if [[ $rest == --from=* ]]; then
            [[ $stages == *" $(sed 's/--from=\([^ ]*\) .*/\1/' <<<"$rest") "* ]] || say "COPY $rest: no such stage"
            continue
        fi
        for path in ${rest% *}; do
            [[ $path == '${'* ]] && continue # of the user
            [ -e "$path" ] || say "COPY $path: it is not there"
            sent "$path" || say "COPY $path: .dockerignore leaves it out"
        done
        ;;
    RUN)
        runs=$((runs + 1))
        bash -n <<<"$rest" || say "RUN $rest: it does not parse"
        [[ $rest != *apt-get\ install* || $rest == *'apt-get update && apt-get install -y --no-install-recommends '*'rm -rf /var/lib/apt/lists/'* ]] ||
            say "RUN $rest: expected apt-get update before, --no-install-recommends, and no lists left"
        for script in $(grep -oE '[a-z]+/[a-z]+\.sh' <<<"$rest"); do [ -x "$script" ] || say "RUN $rest: $script is no program"; done
        ;;
    ENTRYPOINT | CMD | HEALTHCHECK)
        [[ $rest =~ (^|CMD )\[(\"[^\"]*\"(, )?)+\]$ ]] || say "$word $rest: expected a list of words in quotes"
        [ $word = HEALTHCHECK ] && health=$(grep -oE '[0-9]+"\]$' <<<"$rest" | tr -dc 0-9)
        [ $word = CMD ] && command=$(sed -n 's/.*"--port", "\([0-9]*\)".*/\1/p' <<<"$rest")
        ;;
    USER) user=$rest ;;
    EXPOSE) port=$rest ;;
    STOPSIGNAL) stop=$rest ;;
    ARG | WORKDIR) ;;
    *) say "$word: an instruction that nobody checks" ;;
    esac
done <Dockerfile
[[ $user =~ ^[1-9][0-9]*:[1-9][0-9]*$ ]] || say "USER '$user': expected numbers, not root's"
[ "$stop" = SIGTERM ] || say "STOPSIGNAL '$stop': expected SIGTERM"
[ -n "$port" ] && [ "$port" = "$health" ] && [ "$port" = "$command" ] || say "ports of EXPOSE, HEALTHCHECK and CMD: '$port', '$health', '$command'"
for path in CMakeLists.txt src models quant tokenizer configs cmake packaging LICENSE; do
    [ -e "$path" ] && sent "$path" || say "the build needs $path, which .dockerignore leaves out"
done
[ $runs -ge 2 ] && [ $copies -ge 3 ] || say "$runs RUN and $copies COPY: too few to be all"
bash -n packaging/image.sh || bad=1
exit $bad
