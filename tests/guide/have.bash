# What readers of several chapters have: sourced by run.sh, in the reader's folder, before the chapter's own set-up.
NANO=$SCRATCH/nano/nano.snc
nano "$SCRATCH/nano"
made() { "$COMPRESS" "$@" --quiet >/dev/null || { echo "the set-up of $NAME failed: compress $*" >&2; exit 2; }; }
rows() { tail -n +2 "$SCRATCH/nano/$1.tsv" | head -"$2"; }                                       # SPLIT N -> text TAB negative|positive
numbered() { sed 's/	positive$/	1/; s/	negative$/	0/'; }                                         # GLUE's labels
texts() { rows dev "${1-6}" | cut -f1; }                                                         # N
without() { # WHAT PATTERN: blocks with the pattern need what is not here
    local block
    for block in $(grep -le "$2" "$BLOCKS"/*.run); do
        echo "skipped: $(cat "$block.at"): no $1 here"
        rm -f "$block" "${block%.run}.expect"
    done
}
needs() { local tool; for tool; do command -v "$tool" >/dev/null || without "$tool" "\(^\|[ (]\)$tool "; done; } # TOOL...
needs_exporter() { # PROGRAM'S --to
    "$COMPRESS" export "$1" --to "$2" --output probe >/dev/null 2>probe.err || ! grep -q 'built without' probe.err || without "--to $2" "--to $2"
    rm -rf probe probe.err
}
needs_server() { ! "$COMPRESS" serve none.snc --port 0 2>&1 | grep -q libmicrohttpd || without libmicrohttpd 'compress serve'; }
have_model() { ln -s "$NANO" MODEL; }
have_sst2() { # a folder as GLUE's
    mkdir -p DIR/SST-2
    { printf 'sentence\tlabel\n'; rows train 160 | numbered; } >DIR/SST-2/train.tsv
    { printf 'sentence\tlabel\n'; rows dev 60 | numbered; } >DIR/SST-2/dev.tsv
}
have_reviews() { # one CSV, with a column for nobody
    { echo review,stars,date; rows train 200 | awk -F'\t' '{ printf "\"%s, no %d\",%d,2024\n", $1, NR, $2 == "positive" ? 5 : 1 }'; } >reviews.csv
}
have_teacher() { # FILE: one that has learnt the words
    made finetune --pretrained MODEL --task sst2 --data DIR --epochs 6 --lr 3e-3 --batch-size 8 --threads 1 --output "$1"
}
have_pair() { # LARGE SMALL, nets of one teacher
    have_teacher learnt.snc
    echo '{"arch":{"hidden":32,"layers":[{"source":2,"heads":4,"ffn":64}]}}' >one-layer.json
    made export learnt.snc --policy int8 --output "$1"
    made export learnt.snc --policy int8 --config one-layer.json --output "$2"
}
