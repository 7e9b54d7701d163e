#!/usr/bin/env bash
# Models behind HTTP: answers as `predict` has them, everything that clients send wrongly, and how a server reads its files again and ends.
. "$(dirname "$0")/lib.bash"
not_emulated "a server's threads and signals are its host's"
"$COMPRESS" serve none.snc --port 0 2>&1 | grep -q libmicrohttpd && { echo "skipped: no libmicrohttpd here"; trap - EXIT; rm -rf "$SCRATCH"; exit 77; }
nano nano
run 0 finetune --pretrained nano/nano.snc --task nano/task.json --data nano --epochs 2 --lr 2e-3 --threads 1 --output t.snc
run 0 export t.snc --policy int8 --output m.snc
awk -F'\t' 'NR > 1 && NR < 42 { print $1 }' nano/dev.tsv >texts

# ---- a server, and a client ------------------------------------------------------------------------------------------------------------
# serve ARG...: in the background; its port is in $port once it listens.
serve() {
    SERVED="serve $* --port 0"
    : >log
    : >log.json
    "$COMPRESS" serve "$@" --port 0 2>log &
    CHILD=$!
    port=""
    for ((i = 0; i < 3000; i++)); do
        port=$(sed -n 's|.*serve: https*://[^"]*:\([0-9]*\), .*|\1|p' log log.json)
        [ -n "$port" ] && break
        kill -0 "$CHILD" 2>/dev/null || break
        sleep 0.01
    done
    check "the server listens: $(cat log)" test -n "$port"
}
# ended CODE [SIGNAL]: it is told to end, and does with this code.
ended() {
    kill -"${2:-TERM}" "$CHILD"
    wait "$CHILD"
    local got=$?
    equal "exit code of the server" $got "$1"
    CHILD=""
    [ -z "${SNC_TEST_LOG:-}" ] || printf '%s\t%s\n' $got "${SERVED// /$'\t'}" >>"$SNC_TEST_LOG" # it ran to its end
}
# raw: bytes in, what comes back until the other side closes in ./raw.
raw() {
    exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
    cat >&3
    cat <&3 >"${1:-raw}" 2>/dev/null
    exec 3>&-
}
# asked STATUS METHOD PATH [BODY [HEADER...]]: one request, whose answer's body is in ./out and its headers in ./head.
asked() {
    local want=$1 method=$2 path=$3 body=${4-} h got
    shift 3
    [ $# -gt 0 ] && shift
    CHECKS=$((CHECKS + 1))
    {
        printf '%s %s HTTP/1.1\r\nHost: here\r\nConnection: close\r\n' "$method" "$path"
        for h; do printf '%s\r\n' "$h"; done
        [ "$method" = POST ] && printf 'Content-Length: %d\r\n' "${#body}"
        printf '\r\n%s' "$body"
    } | raw
    sed '/^\r$/q' raw | tr -d '\r' >head
    sed '1,/^\r$/d' raw >out
    got=$(awk 'NR == 1 { print $2 }' head)
    [ "$got" = "$want" ] || fail "$method $path: status '$got', expected $want: $(head -c 300 out)"
}
post() { asked "$1" POST "$2" "$3" 'Content-Type: application/json'; }
listed() { awk '{ gsub(/["\\]/, "\\\\&"); printf "%s\"%s\"", (NR > 1 ? "," : ""), $0 }' "$1"; } # FILE: its lines as JSON strings
labels() { grep -o '"label":"[^"]*"' out | cut -d'"' -f4; }

serve m.snc sure=t.snc --threads 2
asked 200 GET /health
equal "health" "$(cat out)" '{"status":"ok"}'
asked 200 GET /v1/models
holds out '{"id":"m","object":"model","kind":"classes","nets":1,"labels":\["negative","positive"\]}'
holds out '"id":"sure"'
run 0 predict m.snc -o jsonl --logits <texts
grep -o '"label":"[^"]*"' out | cut -d'"' -f4 >labels
post 200 /v1/classify "{\"input\":[$(listed texts)],\"logits\":true,\"top_k\":2}"
cp out together
equal "labels of all texts" "$(labels | awk 'NR % 3 == 1')" "$(cat labels)"
if command -v curl >/dev/null; then
    check "the example asks" "$TESTS/../examples/serve.sh" "http://127.0.0.1:$port" >asked
    equal "its answers" "$(grep -c '"label":' asked)" 2
fi
cp together out
# One by one, many at a time: the same bits.
grep -o '"logits":\[[^]]*\]' out >logits
n=0
while read -r text; do
    post 200 /v1/classify "{\"input\":\"$text\",\"logits\":true,\"model\":\"m\"}"
    n=$((n + 1))
    equal "logits of text $n alone" "$(grep -o '"logits":\[[^]]*\]' out)" "$(sed -n "${n}p" logits)"
done < <(head -5 texts)
for k in 1 2 3 4 5 6 7 8; do
    (for j in 1 2 3 4 5; do
        {
            body="{\"input\":[$(listed texts)],\"logits\":true}"
            printf 'POST /v1/classify HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' "${#body}" "$body"
        } | raw "many.$k.$j"
    done) &
    clients[k]=$!
done
wait "${clients[@]}"
for f in many.*; do grep -o '"logits":\[[^]]*\]' "$f" | cmp -s - logits || fail "$f: other logits in company"; done
check "forty answers in company" test "$(ls many.* | wc -l)" -eq 40
post 200 /v1/classify '{"input":[["good film","bad movie"],"good \u0022film\u0022"],"model":"sure"}'
equal "answers of a pair and a text" "$(labels | wc -l)" 2
printf 'good film\tbad movie\n' >pair
run 0 predict t.snc -o jsonl <pair
label=$(grep -o '"label":"[^"]*"' out | cut -d'"' -f4)
post 200 /v1/classify '{"input":[["good film","bad movie"]],"model":"sure"}'
equal "label of a pair" "$(labels)" "$label"

# What openapi.json describes is there, by its method.
while read -r path; do
    method=GET
    [[ $path == /v1/models || $path != /v1/* ]] || method=POST
    { printf '%s %s HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 0\r\n\r\n' $method "$path"; } | raw
    check "$method $path is served" grep -qE '^HTTP/1.1 (200|400) ' raw
done < <(grep -oE '^    "/[a-z0-9/]*"' "$TESTS/../configs/openapi.json" | tr -d ' "')

# ---- what clients send ------------------------------------------------------------------------------------------------------------------
post 400 /v1/classify '{"input":'
holds out '"error":{"message":"body: '
post 400 /v1/classify '{"inputs":"x"}'
holds out "unknown key 'inputs'"
post 400 /v1/classify "{\"input\":\"$(printf '\377')\"}"
holds out 'is no UTF-8'
post 400 /v1/classify "$(printf '[%.0s' $(seq 5000))"
post 400 /v1/classify '{"input":[]}'
post 404 /v1/classify '{"input":"x","model":"other"}'
holds out "model 'other': none of that name is served"
post 400 /v1/embeddings '{"input":"x"}'
holds out "model 'm' makes no vectors"
post 400 /v1/rerank '{"query":"x","documents":["y"]}'
asked 415 POST /v1/classify 'input=x' 'Content-Type: application/x-www-form-urlencoded'
asked 200 POST /v1/classify '{"input":"x"}' 'content-type: application/json; charset=utf-8'
asked 200 POST /v1/classify '{"input":"x"}'
asked 405 GET /v1/classify
holds head '^Allow: POST$'
asked 405 POST /health '{}'
asked 404 GET /nothing
asked 404 GET '/v1/classify/../../etc/passwd'
asked 200 HEAD /health
check "HEAD has no body" test ! -s out
post 200 /v1/classify "{\"input\":[$(for i in $(seq 3000); do printf '"x",'; done)\"x\"]}"
equal "3001 texts" "$(labels | wc -l)" 3001
post 413 /v1/classify "{\"input\":[$(for i in $(seq 5000); do printf '"x",'; done)\"x\"]}"
holds out '5001 texts in a request: this server.s queue has room for 4096'
head -c 1200000 /dev/zero | tr '\0' x >large
{ printf 'POST /v1/classify HTTP/1.1\r\nHost: here\r\nContent-Length: 100000000\r\n\r\n'; head -c 1000 large; } | raw
holds raw '^HTTP/1.1 413 '
{
    printf 'POST /v1/classify HTTP/1.1\r\nHost: here\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n' "$(wc -c <large)"
    cat large
    printf '\r\n0\r\n\r\n'
} | raw
holds raw '^HTTP/1.1 413 '
printf 'POST /v1/classify HTTP/1.1\r\nHost: here\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n9\r\n{"input":\r\n4\r\n"x"}\r\n0\r\n\r\n' | raw
holds raw '^HTTP/1.1 200 '
for garbage in 'GET' '\000\001\002\003\r\n\r\n' 'GET /health HTTP/9.9\r\n\r\n' 'POST /v1/classify HTTP/1.1\r\nContent-Length: -5\r\n\r\n' \
    'POST /v1/classify HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n' "GET /$(head -c 70000 large) HTTP/1.1\r\n\r\n"; do
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf "$garbage" | cat >&3 2>/dev/null # which a closed connection may end, and not this script
    exec 3>&- # whatever it says, nobody listens
done
{ printf 'POST /v1/classify HTTP/1.1\r\nHost: here\r\nContent-Length: 5000\r\n\r\n{"input":'; } >half
exec 3<>"/dev/tcp/127.0.0.1/$port"
cat half >&3
exec 3>&-
post 200 /v1/classify '{"input":"good film"}'

asked 200 GET /metrics
holds head '^Content-Type: text/plain; version=0.0.4$'
for line in 'snc_requests_total{path="/v1/classify",code="200"} [0-9]*' 'snc_requests_total{path="/v1/classify",code="413"} 3' 'snc_requests_total{path="other",code="404"} 2' \
    'snc_request_seconds_bucket{path="/v1/classify",le="+Inf"} [0-9]*' 'snc_queue_texts 0' 'snc_batch_texts_bucket{le="32"} [0-9]*' 'snc_batch_texts_count [0-9]*'; do
    holds out "^$line$"
done
check "buckets go up" awk -F'[ ]' '/^snc_batch_texts_bucket/ { if ($2 < last) exit 1; last = $2 }' out

# ---- files that are read again, and how it ends -----------------------------------------------------------------------------------------
run 0 finetune --pretrained nano/nano.snc --task nano/task.json --data nano --epochs 1 --seed 7 --lr 1e-3 --threads 1 --output other.snc
run 0 export other.snc --policy int8 --output m.snc --overwrite
post 200 /v1/classify "{\"input\":[$(listed texts)],\"logits\":true}"
equal "what stands in place of the file is not read before it is told to" "$(grep -o '"logits":\[[^]]*\]' out)" "$(cat logits)"
reloaded() { for ((i = 0; i < 1000; i++)); do [ "$(grep -c "$1" log)" -ge "$2" ] && break; sleep 0.01; done; }
kill -HUP "$CHILD"
reloaded '^m.snc: read again$' 1
post 200 /v1/classify "{\"input\":[$(listed texts)],\"logits\":true}"
check "the new file answers" test "$(grep -o '"logits":\[[^]]*\]' out | head -1)" != "$(head -1 logits)"
grep -o '"logits":\[[^]]*\]' out >logits
head -c 1000 m.snc >broken && mv broken m.snc
kill -HUP "$CHILD"
reloaded 'the model that was there stays$' 1
holds log '^warning: m.snc: .*; the model that was there stays$'
post 200 /v1/classify "{\"input\":[$(listed texts)],\"logits\":true}"
equal "a damaged file changes nothing" "$(grep -o '"logits":\[[^]]*\]' out)" "$(cat logits)"
refused "--host 127.0.0.1 --port $port: Address already in use" serve t.snc --port "$port"
# What came in before it is told to end has its answer.
body="{\"input\":[$(for i in $(seq 2000); do printf '"good bad film",'; done)\"x\"]}"
for k in 1 2 3; do
    printf 'POST /v1/classify HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' "${#body}" "$body" | raw "last.$k" &
    clients[k]=$!
done
for ((i = 0; i < 1000; i++)); do # until some wait, or all have their answers
    kill -0 "${clients[@]}" 2>/dev/null || break
    asked 200 GET /metrics
    [ "$(sed -n 's/^snc_queue_texts //p' out)" -gt 0 ] && break
done
ended 0
wait "${clients[1]}" "${clients[2]}" "${clients[3]}"
for k in 1 2 3; do
    check "a request that came before the end is answered, or was not taken" test "$(grep -c '^HTTP/1.1 200 ' "last.$k")" -eq 1 -o ! -s "last.$k" -o "$(grep -c '^HTTP/1.1 503 ' "last.$k")" -eq 1
done
check "one of them was answered whole" grep -q '"index":2000' last.1 last.2 last.3
holds log '^serve: all that came in is answered, then it ends$'

# ---- a token, a small queue, small bodies --------------------------------------------------------------------------------------------------
echo 'open-sesame' >token
serve t.snc --token-file token --queue 4 --max-body 2KB --max-batch 2 --batch-wait 500us --timeout 5s --max-connections 50 --threads 1 --host localhost
asked 200 GET /health
for wrong in '' 'Authorization: Bearer open-sesam' 'Authorization: Bearer open-sesamee' 'Authorization: Basic open-sesame' 'Authorization: Bearer '; do
    asked 401 POST /v1/classify '{"input":"x"}' ${wrong:+"$wrong"}
done
holds head '^WWW-Authenticate: Bearer$'
asked 401 GET /v1/models
asked 200 POST /v1/classify '{"input":"x"}' 'Authorization: bearer open-sesame'
asked 413 POST /v1/classify '{"input":["a","b","c","d","e"]}' 'Authorization: Bearer open-sesame'
asked 413 POST /v1/classify "{\"input\":\"$(head -c 3000 large)\"}" 'Authorization: Bearer open-sesame'
for k in $(seq 20); do
    body='{"input":["good film","bad movie","x"]}'
    printf 'POST /v1/classify HTTP/1.1\r\nHost: here\r\nConnection: close\r\nAuthorization: Bearer open-sesame\r\nContent-Length: %d\r\n\r\n%s' "${#body}" "$body" | raw "small.$k" &
    clients[k]=$!
done
wait "${clients[@]}"
check "each is answered, or told to come again" test "$(grep -lE '^HTTP/1.1 (200|503) ' small.* | wc -l)" -eq 20
equal "503 with Retry-After" "$(grep -l '^HTTP/1.1 503 ' small.* | wc -l)" "$(grep -l '^Retry-After: 1' small.* | wc -l)"
ended 0 INT

# ---- models of every kind ------------------------------------------------------------------------------------------------------------------
"$MAKE_NANO" --hf t.snc folder || exit 2
sed -i 's/"classifier/"other_name/g' folder/model.safetensors # an encoder alone
mkdir folder/1_Pooling
echo '[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},{"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"}]' >folder/modules.json
echo '{"word_embedding_dimension":32,"pooling_mode_cls_token":false,"pooling_mode_mean_tokens":true}' >folder/1_Pooling/config.json
run 0 export --pretrained folder --policy int8 --output vectors.snc
mkdir tags values sets
drawn() { awk -v n="$1" -v seed="$2" 'BEGIN { srand(seed); split("good bad film movie very was not", w, " "); for (i = 0; i < n; i++) { t = ""; m = 4 + int(8 * rand()); for (j = 0; j < m; j++) t = t (j ? " " : "") w[1 + int(7 * rand())]; print t } }'; } # N SEED
for part in train:400:1 dev:60:2; do
    IFS=: read -r split n seed <<<"$part"
    drawn "$n" "$seed" >"$split.txt"
    tr ' ' '\n' <"$split.txt" | awk 'FNR % 40 == 0 { print "" } { print $0, "X", ($0 == "film" || $0 == "movie" ? "B-THING" : "O") }' >tags/$split.conll
    awk 'BEGIN { print "a\tb\ts" } { print $0 "\tgood film\t" (/good/ ? 1 : 0) }' "$split.txt" >values/$split.tsv
    awk '{ print "{\"text\":\"" $0 "\",\"labels\":[" (/good/ ? "\"a\"" : "") (/good/ && /film/ ? "," : "") (/film/ ? "\"b\"" : "") "]}" }' "$split.txt" >sets/$split.jsonl
done
echo '{"name":"fits","files":{"train":"train.tsv","dev":"dev.tsv"},"text_a":"a","text_b":"b","label":"s","type":"score","metrics":["pearson"]}' >score.json
run 0 finetune --pretrained nano/nano.snc --task ner --data tags --epochs 2 --lr 3e-3 --threads 1 --output tags.snc
run 0 finetune --pretrained nano/nano.snc --task score.json --data values --epochs 2 --lr 3e-3 --threads 1 --output score.snc
run 0 finetune --pretrained nano/nano.snc --task custom-multilabel --data sets --epochs 2 --lr 3e-3 --threads 1 --output sets.snc
serve vectors.snc tags.snc score.snc sets.snc --threads 1 --quiet --log-json log.json
asked 200 GET /v1/models
for kind in embedding tags regression multilabel; do holds out "\"kind\":\"$kind\""; done
post 200 /v1/embeddings '{"input":["good film","bad movie"]}'
echo 'good film' >one
cp out two
run 0 predict vectors.snc -o jsonl <one
sed 's/.*"vector":\[\([^]]*\)\].*/\1/' out | tr ',' '\n' >vector
sed 's/.*"index":0,"embedding":\[\([^]]*\)\].*/\1/' two | tr ',' '\n' >served
check "a vector is that of predict" awk 'NR == FNR { v[FNR] = $1; next } { d = v[FNR] - $1; if (d > 1e-5 || d < -1e-5) exit 1; n++ } END { exit n != 32 }' vector served
post 200 /v1/embeddings '{"input":"good film","encoding_format":"base64"}'
sed 's/.*"embedding":"\([^"]*\)".*/\1/' out | base64 -d | od -An -v -w4 -t f4 >decoded
check "a vector in base64 is the same" awk 'NR == FNR { v[FNR] = $1; next } { d = v[FNR] - $1; if (d > 1e-6 || d < -1e-6) exit 1; n++ } END { exit n != 32 }' served decoded
post 400 /v1/classify '{"input":"x"}'
holds out 'makes vectors: /v1/embeddings asks for them'
run 0 predict tags.snc <one
tags=$(cat out)
post 200 /v1/classify '{"model":"tags","input":["good film",""," \t"]}'
equal "tags" "$(grep -o '"tags":\[[^]]*\]' out | head -1 | tr -d '[]"' | sed 's/tags://; s/,/ /g')" "$tags"
equal "tags of no words" "$(grep -o '"tags":\[\],"scores":\[\]' out | wc -l)" 2
post 400 /v1/classify '{"model":"tags","input":[["good","film"]]}'
printf 'bad movie\tgood film\ngood film\tgood film\n' | "$COMPRESS" predict score.snc >values.txt
post 200 /v1/rerank '{"model":"score","query":"good film","documents":["bad movie",{"text":"good film"},"bad movie"],"top_n":2,"return_documents":true}'
equal "documents that are given" "$(grep -o '"relevance_score"' out | wc -l)" 2
equal "the best document" "$(grep -o '"document":{"text":"[^"]*"}' out | head -1)" '"document":{"text":"good film"}'
check "scores go down" awk -F'"relevance_score":' '{ exit !($2 + 0 >= $3 + 0) }' out
post 200 /v1/classify '{"model":"score","input":[["bad movie","good film"]]}'
check "a value is that of predict" awk -v a="$(number out score)" -v b="$(head -1 values.txt)" 'BEGIN { e = a - b; exit !(e < 1e-5 && e > -1e-5) }'
run 0 predict sets.snc <one
count=$(cut -f1 out)
post 200 /v1/classify '{"model":"sets","input":"good film","top_k":2}'
equal "labels that are there" "$(sed 's/"scores".*//' out | grep -o '"label":' | wc -l)" "$count"
equal "labels with their scores" "$(sed 's/.*"scores"//' out | grep -o '"label":' | wc -l)" 2
ended 0

# ---- a file of several nets: by a budget ---------------------------------------------------------------------------------------------------
echo '{"arch":{"hidden":32,"layers":[{"source":0,"heads":2,"ffn":32}]}}' >small.json
run 0 export t.snc --config small.json --policy int8 --output small.snc
run 0 export t.snc --policy int8 --output large.snc
run 0 export large.snc small.snc --measure --output family.snc
serve family.snc --budget 1s --verbose --threads 1
post 200 /v1/classify '{"input":["good film","bad"]}'
equal "nets of a second" "$(grep -o '"net":0' out | wc -l)" 2
ended 0
serve family.snc --budget 0.01us --threads 1
post 200 /v1/classify '{"input":["good film","bad"]}'
equal "nets of no time" "$(grep -o '"net":1' out | wc -l)" 2
lacks out lowered
ended 0

# Batches of two of seven texts, of which the first two have a whole batch behind them.
run 0 export large.snc small.snc --cascade --measure --max-drop 100 --task nano/task.json --data nano --output steps.snc
nets() { grep -o '"net":[-0-9]*\(,"lowered":true\)\?' out | sed 's/"net"://; s/,"lowered":true/-/' | tr '\n' ' '; }
seven='{"input":["good","bad","good film","bad movie","good movie","bad film","film"]}'
serve family.snc --budget 1s --busy-budget 0.01us --max-batch 2 --threads 1
for time in first second; do
    post 200 /v1/classify "$seven"
    equal "nets of seven texts, the $time time" "$(nets)" "1- 1- 1- 1- 0 0 0 "
done
asked 200 GET /metrics
holds out '^snc_lowered_texts_total 8$'
ended 0
serve steps.snc --threads 1
post 200 /v1/classify "$seven"
alone=$(nets)
ended 0
serve steps.snc --busy-budget 0.01us --max-batch 2 --threads 1
for time in first second; do
    post 200 /v1/classify "$seven"
    equal "nets of seven texts behind a cascade, the $time time" "$(nets)" "1- 1- 1- 1- $(cut -d ' ' -f 5-7 <<<"$alone") "
done
ended 0
refused "--busy-budget 2ms: expected less than --budget, which is 1ms" serve family.snc --budget 1ms --busy-budget 2ms
refused "t.snc: has no times of its nets" serve t.snc --busy-budget 1ms

# ---- HTTPS ---------------------------------------------------------------------------------------------------------------------------------
if command -v curl >/dev/null && command -v openssl >/dev/null &&
    openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null; then
    serve t.snc --tls-cert cert.pem --tls-key key.pem --host 127.0.0.1
    curl -sS --cacert cert.pem -H 'Content-Type: application/json' -d '{"input":["good film","bad"]}' "https://localhost:$port/v1/classify" >out 2>err
    equal "labels by HTTPS" "$(labels | wc -l)" 2
    ended 0
    refused "--tls-cert: --tls-key is missing" serve t.snc --tls-cert cert.pem
    refused "--tls-cert, --tls-key: not a certificate and its key in PEM" serve t.snc --tls-cert texts --tls-key key.pem --port 0
fi

# ---- what cannot be begun --------------------------------------------------------------------------------------------------------------------
refused "serve: a model is missing" serve
refused "none.snc" serve none.snc
refused "nano/nano.snc" serve nano/nano.snc
refused "serve: two models are called 't': NAME=FILE gives a name" serve t.snc t=other.snc
refused "serve: '=t.snc': expected FILE or NAME=FILE" serve =t.snc
refused "--host no.such.host.invalid --port 8080: " serve t.snc --host no.such.host.invalid
refused "--port '70000'" serve t.snc --port 70000
refused "--batch-wait 2s: expected a second at most" serve t.snc --batch-wait 2s
refused "--batch-wait 'soon'" serve t.snc --batch-wait soon
refused "--max-body '0MB'" serve t.snc --max-body 0MB
refused "--timeout 0.5s: expected 1s to 24h" serve t.snc --timeout 0.5s
: >empty
refused "--token-file empty: expected a token without blanks in the first line" serve t.snc --token-file empty
refused "no.token" serve t.snc --token-file no.token
refused "t.snc: has no times of its nets" serve t.snc --budget 1ms
