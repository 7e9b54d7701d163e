#!/usr/bin/env bash
# Words get tags: files of CoNLL become sentences, a teacher learns them, a net is found, and every form of the file tags alike.
. "$(dirname "$0")/lib.bash"
nano nano
m=nano/nano.snc
# "very good" and "very bad" are opinions, "film" and "movie" things; "good" and "bad" by themselves are nothing.
sentences() { # N SEED
    awk -v n="$1" -v seed="$2" 'BEGIN { srand(seed); split("good bad film movie very was", w, " "); print "-DOCSTART- -X- O\n"
        for (i = 0; i < n; i++) { m = 3 + int(7 * rand()); p = ""
            for (j = 0; j < m; j++) { x = w[1 + int(6 * rand())]; if (p == "very" && x == "very") x = "good"; s[j] = x; p = x }
            for (j = 0; j < m; j++) { t = "O"; if (s[j] == "film" || s[j] == "movie") t = "B-THING"
                if (s[j] == "very" && j + 1 < m && (s[j + 1] == "good" || s[j + 1] == "bad")) t = "B-OPINION"
                if ((s[j] == "good" || s[j] == "bad") && j > 0 && s[j - 1] == "very") t = "I-OPINION"
                print s[j], "X", t }
            print "" } }'
}
mkdir rows wrong
sentences 900 1 >rows/train.conll
sentences 150 2 >rows/dev.conll
words() { awk '/^-DOC/ { next } NF == 0 { if (t != "") print t; t = ""; next } { t = t (t == "" ? "" : " ") $C } END { if (t != "") print t }' C="$1" "$2"; }
words 1 rows/dev.conll >texts
words 3 rows/dev.conll >tags
data=(--task ner --data rows)
tuned=(--batch-size 16 --epochs 6 --lr 3e-3 --threads 1)

# ---- the whole job ------------------------------------------------------------------------------------------------------------
run 0,3 --pretrained $m "${data[@]}" "${tuned[@]}" --long-texts cut --target-size 0.8x --supernet-epochs 1 --supernet-lr 1e-3 --augment 1 --evals 16 --repair on --repair-epochs 0.5 --output run
holds out '^  dev *150 rows of [0-9]* words: .*B-THING [0-9]*'
lacks out '[^a-z]nan[^a-z]'
run 0 info run/compressed.snc
holds out '^a tag for each word of a text$'
run 0 eval run/teacher.snc "${data[@]}" --json
f1=$(number out entity_f1)
less "0.8 and the entity F1 of the teacher" 0.8 "$f1"
holds out '"label":.*"I-OPINION"'
run 0 predict run/teacher.snc <texts
cp out teacher.tags
equal "lines and words of tags" "$(awk '{ print NF }' out)" "$(awk '{ print NF }' texts)"
# An entity is right when its kind, its first and its last word are.
spans() { awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^B-/) { k = substr($i, 3); e = i; while (e < NF && $(e + 1) == "I-" k) e++; print NR, k, i, e } }' "$1" | sort; }
spans tags >is; spans teacher.tags >said # of a model that says no I without its B
mine=$(awk -v r="$(comm -12 is said | wc -l)" -v s="$(wc -l <said)" -v i="$(wc -l <is)" 'BEGIN { printf "%.6f", 2 * r / (s + i) }')
check "entity F1 $f1, of the tags themselves $mine" awk -v a="$f1" -v b="$mine" 'BEGIN { e = a - b; exit !(e < 0.02 && e > -0.02) }'
run 0 predict run/compressed.snc -o jsonl <texts
holds out '^{"line":1,"tags":\["'
holds out '"entities":\[.*{"kind":"THING","first":[0-9]*,"end":[0-9]*,"text":"\(film\|movie\)"}'
run 0 bench run/compressed.snc run/full-int8.snc --tasks ner --data rows -s 8 -o json --time-budget 0.05
holds out '"entity_f1"'
equal "answers of the report, a word each" "$(tail -n +2 run/answers.tsv | wc -l)" "$(wc -w <tags)"

# ---- sentences that are longer than the model takes are read in parts, and no word is lost ------------------------------------------
tr '\n' ' ' <texts | cut -d' ' -f1-200 >long
run 0 predict run/teacher.snc <long
equal "tags of a long text" "$(wc -w <out)" 200
awk 'NF { print; n++ } n == 200 { exit }' rows/dev.conll | grep -v DOC >wrong/dev.conll
cp rows/train.conll wrong
run 0 eval run/teacher.snc --task ner --data wrong --json
holds err 'sentences of more than [0-9]* tokens are read in parts: 1 of them in [0-9]*'
equal "words of it" "$(number out words)" "$(grep -c . wrong/dev.conll)"
# ... or cut, by option or by the task: what is behind has no answer, and no part in a score.
run 0 predict run/teacher.snc --long-texts cut <long
holds err '1 text was cut to'
equal "tags of a text that is cut, and words that are not read" "$(wc -w <out)" 200
read=$(tr ' ' '\n' <out | grep -vc '^-$')
check "the first $read words are read" test "$read" -ge 10 -a "$read" -lt 200
equal "tags behind them" "$(tr ' ' '\n' <out | tail -n +$((read + 1)) | sort -u)" -
cut -d' ' -f1-"$read" long | "$COMPRESS" predict run/teacher.snc >short.tags
equal "tags of the first words" "$(cut -d' ' -f1-"$read" out)" "$(cat short.tags)"
run 0 predict run/teacher.snc --long-texts cut -o jsonl <long
equal "null for those behind, twice" "$(grep -o null out | wc -l)" $((2 * (200 - read)))
run 0 eval run/teacher.snc --task ner --data wrong --long-texts cut --json
holds err ': 1 sentences of more than [0-9]* tokens are cut: '
equal "words that are scored" "$(number out words)" "$read"
sed 's/"type": "tags",/"type": "tags", "long_texts": "cut",/' "$TESTS/../configs/tasks/ner.json" >cut.json
run 0 finetune --pretrained $m --task ner --long-texts cut --data wrong --epochs 0.1 --threads 1 --output same.snc
run 0 finetune --pretrained $m --task cut.json --data wrong --epochs 0.1 --threads 1 --output cut.snc
same_tensors same.snc cut.snc
run 0 predict cut.snc <long # the file remembers
equal "words without an answer" "$(tr ' ' '\n' <out | grep -c '^-$')" $((200 - read))
run 0 predict cut.snc --long-texts parts <long
lacks out '^- \| - \| -$'
refused "--long-texts 'all': expected parts or cut" predict cut.snc --long-texts all
# Rows of a search of its own, and text without tags.
run 0 supernet --teacher run/teacher.snc "${data[@]}" --long-texts parts --unlabeled texts --supernet-epochs 0.3 --supernet-lr 1e-3 --threads 1 --output s.snc
run 0 search s.snc --teacher run/teacher.snc "${data[@]}" --long-texts parts --target-size 0.8x --evals 12 --output found
run 0 profile s.snc "${data[@]}" --long-texts parts --output table.json
run 0,3 search s.snc --teacher run/teacher.snc "${data[@]}" --max-drop 90 --evals 12 --output drop

# ---- other forms of the file ---------------------------------------------------------------------------------------------------------
run 0 export run/teacher.snc --to hf --output folder
holds folder/config.json '"BertForTokenClassification"'
run 0 predict folder <texts
same out teacher.tags
run 0 export --pretrained folder --policy int8 --output back.snc
run 0 eval back.snc "${data[@]}" --json
less "0.75 and its entity F1 in INT8" 0.75 "$(number out entity_f1)"
if [ -e "$(dirname "$COMPRESS")/libexec/snc/classify" ]; then
    run 0 export run/teacher.snc --policy f32 --to exe --output tagger
    run 0 export cut.snc --policy f32 --to exe --output cutter
    ./cutter <long >out
    equal "words that a program leaves out" "$(tr ' ' '\n' <out | grep -c '^-$')" $((200 - read))
    ./tagger <texts >out # by products of its own
    check "tags of a program" awk 'NR == FNR { n += NF; for (i = 1; i <= NF; i++) t[FNR, i] = $i; next } { for (i = 1; i <= NF; i++) bad += t[FNR, i] != $i } END { exit !(FNR == 150 && bad * 200 <= n) }' teacher.tags out
fi

# ---- what cannot be read, what does not go together ----------------------------------------------------------------------------------
broken() { # LINE TEXT: line LINE of train is TEXT
    awk -v at="$1" -v text="$2" 'NR == at { print text; next } { print }' rows/train.conll >wrong/train.conll
}
for first in 3 4 5; do [ "$(sed -n "$first p" rows/train.conll)" ] && break; done
broken 3 'was X I-THING'
refused "wrong/train.conll:3: 'I-THING' behind nothing: expected 'B-THING' before it (\"tags\": \"any\" in a task file takes sequences as they are)" finetune --pretrained $m --task ner --data wrong --output no.snc
broken 3 'was'
refused 'wrong/train.conll:3: 1 column, expected a word and its tag' finetune --pretrained $m --task ner --data wrong --output no.snc
sed 's/max_length/max_length/; s/"type": "tags",/"type": "tags", "tags": "any",/' "$TESTS/../configs/tasks/ner.json" >any.json
broken 3 'was X I-THING'
run 0 finetune --pretrained $m --task any.json --data wrong --epochs 1 --threads 1 --output any.snc
cp rows/train.conll wrong && sed 's/B-THING/B-NOTHING/' rows/dev.conll >wrong/dev.conll
refused "wrong/dev.conll:" --pretrained $m --task ner --data wrong --target-size 0.8x --output no
run 0 finetune --pretrained $m --task nano/task.json --data nano --epochs 1 --threads 1 --output classes.snc
refused '--long-texts: classes.snc answers whole texts, which are cut' predict classes.snc --long-texts cut
refused '--long-texts: task nano asks for answers of whole texts, which are cut' eval classes.snc --task nano/task.json --data nano --long-texts cut
refused 'classes.snc: tags no words, but task ner asks for answers of words' eval classes.snc "${data[@]}"
refused 'run/teacher.snc: tags words, but task nano asks for answers of whole texts' eval run/teacher.snc --task nano/task.json --data nano
refused 'predict --logits: run/teacher.snc tags words' predict run/teacher.snc --logits
refused '--cascade: task ner has a tag a word' --pretrained $m "${data[@]}" --target-latency 0.9x,0.5x --cascade --output no
echo '{"name":"x","type":"tags","tags":"iob","files":{"train":"train.conll"},"header":false,"text_a":0,"label":-1,"labels":"auto","metrics":["entity_f1"]}' >bad.json
refused "'tags' must be \"bio\" or \"any\"" finetune --pretrained $m --task bad.json --data rows --output no.snc
sed 's/"cut",/"drop",/' cut.json >bad.json
refused "'long_texts' must be \"parts\" or \"cut\"" finetune --pretrained $m --task bad.json --data rows --output no.snc
absent no no.snc
