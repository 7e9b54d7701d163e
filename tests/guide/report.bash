have_model
have_sst2
command compress --pretrained MODEL --task sst2 --data DIR --target-latency 0.7x --output out >/dev/null 2>&1
{ printf 'sentence\tlabel\n'; rows dev 200 | tail -60 | numbered; } >more.tsv
mkdir answers
{ printf 'index\tprediction\n'; rows dev 60 | numbered | awk -F'\t' '{ print NR - 1 "\t" $2 }'; } >answers/SST-2.tsv
