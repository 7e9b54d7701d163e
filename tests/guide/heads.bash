have_model
texts >texts.txt
mkdir grades CONLL SENTENCES COMMENTS fits
for s in train dev; do
    { printf 'text\tgrade\n'; rows $s 160 | awk -F'\t' '{ print $1 "\t" ($2 == "positive") + NR % 10 / 100 }'; } >grades/$s.tsv
    rows $s 160 | awk -F'\t' '{ n = split($1, w, " "); for (i = 1; i <= n; i++) print w[i], (w[i] == "film" || w[i] == "movie") ? "B-THING" : "O"; print "" }' >CONLL/$s.conll
    rows $s 160 | awk -F'\t' '{ printf "{\"text\":\"%s\",\"labels\":[%s%s]}\n", $1, $2 == "positive" ? "\"praise\"" : "", NR % 3 ? "" : ($2 == "positive" ? "," : "") "\"film\"" }' >COMMENTS/$s.jsonl
    { printf 'query\tpassage\tscore\n'; rows $s 160 | awk -F'\t' '{ print "a good film\t" $1 "\t" ($2 == "positive") }'; } >fits/$s.tsv
done
rows train 160 | cut -f1 >SENTENCES/train.txt
{ printf 'sentence1\tsentence2\tscore\n'; rows dev 60 | awk -F'\t' '{ print $1 "\t" (NR % 2 ? $1 : "a movie") "\t" NR % 2 }'; } >SENTENCES/dev.tsv
ln -s "$NANO" all-MiniLM-L6-v2
echo '{"name":"fits","files":{"train":"train.tsv","dev":"dev.tsv"},"text_a":"query","text_b":"passage","label":"score","type":"score","metrics":["pearson"]}' >fits.json
made finetune --pretrained MODEL --task fits.json --data fits --epochs 2 --lr 3e-3 --batch-size 8 --threads 1 --output reranker
rows train 160 | awk -F'\t' '{ print "a good film\t" $1 }' >pairs.tsv
