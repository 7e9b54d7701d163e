have_model
have_sst2
have_reviews
{
    printf '\xef\xbb\xbfReview, Stars ,note\r\n'
    rows train 150 | awk -F'\t' '{ l = $2; if (NR % 5 == 0) l = " " toupper(l); if (NR == 20) l = "nan"; printf "\"%s; \"\"%d\"\"\",%s,\r\n", $1, NR, l }'
} >messy.csv
sed '12s/",[0-9]*,/",,/' reviews.csv >holes.csv
mkdir folder pairs topics
for s in train dev; do
    rows $s 120 | awk -F'\t' '{ printf "{\"text\":\"%s\",\"label\":\"%s\"}\n", $1, $2 }' >folder/$s.jsonl
    { printf 'question\tanswer\tlabel\n'; rows $s 120 | awk -F'\t' '{ print "is it good\t" $1 "\t" $2 }'; } >pairs/$s.tsv
    { printf 'sentence\tlabel\n'; rows $s 120; } >topics/$s.tsv
done
{ printf 'sentence\tlabel\n'; rows dev 200 | tail -80; } >topics/test.tsv
{ printf 'sentence\tlabel\n'; rows train 700 | tail -60 | numbered; } >rank.tsv
{ printf 'sentence\tlabel\n'; rows train 800 | tail -60 | numbered; } >select.tsv
rows train 900 | tail -60 | cut -f1 >domain.txt
