#!/usr/bin/env bash
# Ids line for line: pairs, cutting, odd bytes. The nano vocabulary is written down in tests/nano.h: [UNK] 1, [CLS] 2, [SEP] 3,
# [MASK] 4, a 5, ##a 6, b 7 ..., 0 57, ##0 58 ..., "." 77, "!" 79, the 83, good 84, bad 85, film 86, very 88, ##ing 93, ##ly 95.
. "$(dirname "$0")/lib.bash"
nano nano

# ids LINE EXPECTED [ARG...]: LINE is a printf format, so that any byte can be said.
ids() {
    local line=$1 want=$2
    shift 2
    printf "$line\n" >in
    run 0 tokenize --pretrained nano/nano.snc "$@" <in
    equal "ids of '$line' $*" "$(cat out)" "$want"
    equal "standard error of '$line'" "$(cat err)" ""
}

ids 'the film is good' '2 83 86 89 84 3'
ids '  The\t' '2 83 3 3'
ids '' '2 3'
ids '   ' '2 3'
ids '\t' '2 3 3'
ids 'good\tbad film' '2 84 3 85 86 3'
ids 'a\tb\tc' '2 5 3 7 9 3'
ids 'FILM! filming badly' '2 86 79 86 93 85 95 3'
ids 'f\xc3\xaclm' '2 86 3'
ids 'fi\xcc\x81lm' '2 86 3'
ids 'good\xe6\xbc\xa2bad' '2 84 1 85 3'
ids 'good \xff\xc0\x80 bad\xe2\x82' '2 84 85 3'
ids 'good\r' '2 84 3'
ids 'good\x01\x00bad' '2 84 8 6 12 3'
ids '[MASK] [mask]' '2 4 1 29 6 42 26 1 3'
ids "$(printf 'a%.0s' {1..100})" "2 5$(printf ' 6%.0s' {1..99}) 3"
ids "$(printf 'a%.0s' {1..101})" '2 1 3'
ids 'the film is good' '2 83 86 3' --max-length 4
ids 'the film is good' '2 83 86 89 84 3' --max-length 6
ids 'the film is very good\tbad' '2 83 86 3 85 3' --max-length 6
ids 'bad\tthe film is very good' '2 85 3 83 86 3' --max-length 6

# As many lines out as in, whatever they hold; the last one may lack its newline.
printf 'good\n\n\xff\nbad\r\nfilm' >in
run 0 tokenize --pretrained nano/nano.snc <in
printf '2 84 3\n2 3\n2 3\n2 85 3\n2 86 3\n' >want
same out want
run 0 tokenize --pretrained nano/nano.snc </dev/null
equal "answer to no input" "$(cat out)" ""
# Never cut by itself: 5,000 words are 5,002 ids.
printf 'good %.0s' {1..5000} >in
run 0 tokenize --pretrained nano/nano.snc <in
equal "ids of 5,000 words" "$(wc -w <out)" 5002

refused "--max-length '2'" tokenize --pretrained nano/nano.snc --max-length 2
refused "none.snc" tokenize --pretrained none.snc

# Twenty thousand added tokens: no look at each for each.
mkdir many
awk 'BEGIN {
    printf "{\"added_tokens\":["
    for (i = 0; i < 20000; i++) printf "%s{\"id\":%d,\"content\":\"[tok%d]\",\"special\":true}", i ? "," : "", i + 20003, i
    printf "],\"normalizer\":{\"type\":\"BertNormalizer\"},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"model\":{\"type\":\"WordPiece\",\"vocab\":{"
    printf "\"[UNK]\":0,\"[CLS]\":1,\"[SEP]\":2"
    for (i = 0; i < 20000; i++) printf ",\"w%d\":%d", i, i + 3
    printf "}}}\n"
}' >many/tokenizer.json
seq 0 19999 | sed 's/.*/w& [tok&] [tok/' >lines
run 0 tokenize --pretrained many <lines
lines out 20000
equal "the last line" "$(tail -1 out)" "1 20002 40002 0 0 2"
started=$SECONDS
"$COMPRESS" tokenize --pretrained many </dev/null >out
less "seconds for 20,000 added tokens" $((SECONDS - started)) 5
