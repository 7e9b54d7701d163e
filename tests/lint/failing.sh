#!/usr/bin/env bash
# A failing test fails: a cmocka program with one check that does not hold, a script of tests/cli with one, and a script that
# checks nothing each exit with another code than 0. usage: failing.sh ROOT BUILD; prints what passed all the same, exits 1 then.
set -u
root=$1 build=$2 bad=0
passed() { echo "lint: $* passes"; bad=1; }
[ -x "$build/failing" ] || { echo "skipped: no program 'failing' in the build"; exit 77; }
"$build/failing" >/dev/null 2>&1
[ $? -eq 1 ] || passed "a unit test with a check that does not hold"
script() { # script WHAT BODY
    bash -c '. "$0" x y; '"$2" "$root/tests/cli/lib.bash" >/dev/null 2>&1
    [ $? -eq 1 ] || passed "$1"
}
script "a script with a check that does not hold" 'check ok true; check "not ok" false; check ok true'
script "a script whose program is not there" 'run 0 info file'
script "a script that checks nothing" ':'
bash -c '. "$0" x y; check ok true' "$root/tests/cli/lib.bash" >/dev/null 2>&1 || { echo "lint: a script whose checks hold fails"; bad=1; }
exit $bad
