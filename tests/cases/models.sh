#!/usr/bin/env bash
# Checkpoints as people have them, a folder a case beside this script: config.json and the tokenizer's flags. Weights of that shape and a
# vocabulary are made here; what `predict` or `tokenize` answers is what Hugging Face would, or one line that says why not and what to do.
. "$(dirname "$0")/../cli/lib.bash"
CASES=$TESTS/cases/models
tried=0

# case NAME [K [CLASSIFIER]]: ./NAME with weights and a vocabulary.
case_() {
    tried=$((tried + 1))
    cp -r "$CASES/$1" "$1" && chmod -R u+w "$1" || exit 2
    "$MAKE_NANO" --weights "$@" || exit 2
}
# answers NAME PATTERN: a line of `predict`; LABEL TAB probability.
answers() {
    echo "the film is good" >in
    run 0 predict "$1" <in
    lines out 1
    check "$1: '$(cat out)' is not '$2'" grep -qE "^$2"$'\t[01]\\.[0-9]{6}$' out
}
piece() { echo $(($(grep -nx -- "$1" "$2/vocab.txt" | head -1 | cut -d: -f1) - 1)); }
# ids NAME TEXT PIECE...: what `tokenize` makes of the text, [CLS] and [SEP] apart.
ids() {
    local name=$1 text=$2 want="" p
    shift 2
    for p; do want+=" $(piece "$p" "$name")"; done
    printf '%s\n' "$text" >in
    run 0 tokenize --pretrained "$name" <in
    equal "$name: ids of '$text'" "$(cat out)" "2$want 3"
}

# ---- config.json and weights -----------------------------------------------------------------------------------------
case_ 00-finetuned-minilm-sst2
answers 00-finetuned-minilm-sst2 '(positive|negative)'
case_ 02d-git-lfs-pointer && cp "$CASES/02d-git-lfs-pointer/model.safetensors" 02d-git-lfs-pointer/
refused "model.safetensors: a Git LFS pointer, not the file itself: run 'git lfs pull'" predict 02d-git-lfs-pointer
case_ 04-bin-prezip && rm -r 04-bin-prezip && cp -r "$TESTS/golden/checkpoints/legacy" 04-bin-prezip
cp "$TESTS/golden/checkpoints/hf/vocab.txt" 04-bin-prezip
answers 04-bin-prezip '(positive|negative|neutral)'
case_ 18-bert-with-unigram && rm 18-bert-with-unigram/vocab.txt
refused "not a SentencePiece model: it is cut or damaged" predict 18-bert-with-unigram
case_ 20-multi-label 4
echo "the film is good" >in
run 0 predict --logits 20-multi-label <in # its labels are independent: as many as are above the threshold
check "20-multi-label: '$(cat out)' names other labels than those whose logits are above 0" \
    awk -F'\t' '{ n = 0; for (i = NF - 3; i <= NF; i++) n += $i > 0; exit !(NF == 1 + 2 * n + 4 && $1 == n) }' out
run 0 predict --format jsonl 20-multi-label <in
holds out '"probabilities":{"toxic":0.[0-9]*,"threat":0.[0-9]*,"insult":0.[0-9]*,"spam":0.[0-9]*}'
case_ 22c-vocab-478-more
answers 22c-vocab-478-more '[01]'
holds err "a vocabulary of 30522 pieces for 31000 embedding rows: the last 478 are never looked up"
case_ 27-fc-head 2 fc
for verb in "predict" "eval --task sst2 --data ." "export --policy int8 --output x.snc"; do
    refused "has no trained classifier and would answer at random" $verb 27-fc-head
done
tried=$((tried + 1)) && cp -r "$CASES/28-lora-adapter" .
refused "a PEFT (LoRA) adapter, not a whole model: merge it into its base first" predict 28-lora-adapter
case_ 33-id2label-3-head-2 2
refused "'classifier.weight' is [2, 32], expected [3, 32]" predict 33-id2label-3-head-2
for name in 33b-label2id-only 33c-id2label-ints 33d-id2label-null 46c-config-minimal 46d-quantization_config 46e-classifier-dropout-null 46g-pruned-heads; do
    case_ $name
    answers $name '[01]'
done
case_ 33f-id2label-duplicate
answers 33f-id2label-duplicate pos
case_ 33g-label-with-tab
refused "label 'very...' goes on with the control character 0x09" predict 33g-label-with-tab
case_ 34-reversed
answers 34-reversed '(positive|negative)'
mkdir ints
for split in train dev; do for i in 1 2 3 4 5 6 7 8; do printf 'the film is good\t1\nthe film was bad %s\t0\n' $i; done | sed '1i text\tlabel' >ints/$split.tsv; done
run 0 eval 34-reversed --task custom --data ints
holds err "its labels (positive, ...) are not the task's (0, ...): taken in order"
case_ 46-silu
refused "hidden_act 'silu' is not supported" predict 46-silu
case_ 46f-position-relative
refused "position_embedding_type 'relative_key' is not supported" predict 46f-position-relative

# ---- forms of tokenizer.json -----------------------------------------------------------------------------------------
bert='"clean_text":true,"handle_chinese_chars":true,"strip_accents":null'
lower='{"type":"BertNormalizer",'$bert',"lowercase":true}'
cased='{"type":"BertNormalizer",'$bert',"lowercase":false}'
plain='{"type":"BertPreTokenizer"}'
# template SECOND: a post-processor whose second text has that type.
template() {
    local cls='{"SpecialToken":{"id":"[CLS]","type_id":0}}' a='{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"[SEP]","type_id":0}}'
    echo '{"type":"TemplateProcessing","single":['"$cls,$a"'],"pair":['"$cls,$a"',{"Sequence":{"id":"B","type_id":'"$1"'}},' \
        '{"SpecialToken":{"id":"[SEP]","type_id":'"$1"'}}]}'
}
# tokenizer NAME NORMALIZER [PRE [POST [ADDED]]]: ./NAME/tokenizer.json of its vocabulary.
tokenizer() {
    {
        printf '{"normalizer":%s,"pre_tokenizer":%s,"post_processor":%s,"added_tokens":[%s],"model":{"type":"WordPiece","unk_token":"[UNK]",' \
            "$2" "${3:-$plain}" "${4:-$(template 1)}" "${5:-}"
        awk '{ printf "%s\"%s\":%d", (NR > 1 ? "," : "\"vocab\":{"), $0, NR - 1 } END { print "}}}" }' "$1/vocab.txt"
    } >"$1/tokenizer.json"
}
form() { case_ "$1" && tokenizer "$@"; }
form 22m-plain "$lower"
ids 22m-plain "GOOD film" good film
form 22m-flags "$cased"
ids 22m-flags "GOOD film" '\[UNK\]' film
form 22m-normalizer-none null
ids 22m-normalizer-none "GOOD film" '\[UNK\]' film
form 22m-normalizer-seq-of-one '{"type":"Sequence","normalizers":['"$lower"']}'
ids 22m-normalizer-seq-of-one "GOOD film" good film
form 22m-normalizer-sequence '{"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"Lowercase"},{"type":"StripAccents"}]}'
ids 22m-normalizer-sequence "GÓOD film" good film
form 22m-pretok-whitespace "$lower" '{"type":"Whitespace"}'
ids 22m-pretok-whitespace "good, film!?" good , film '\[UNK\]'
form 22m-template-no-types "$lower" "$plain" "$(template 0)"
ids 22m-template-no-types $'good\tfilm' good '\[SEP\]' film
form 22m-added "$lower" "$plain" "" '{"id":96,"content":"of","special":false,"normalized":true,"single_word":true,"lstrip":false,"rstrip":false}'
ids 22m-added "OF film" of film

# ---- tokenizer.json against tokenizer_config.json ----------------------------------------------------------------------
form 23m-jsonF-BertTokenizerFast-confT "$cased"
ids 23m-jsonF-BertTokenizerFast-confT "GOOD film" good film
form 23m-jsonF-DistilBertTokenizerFast-confT "$cased"
ids 23m-jsonF-DistilBertTokenizerFast-confT "GOOD film" good film
form 23m-jsonF-TokenizersBackend-confT "$cased"
ids 23m-jsonF-TokenizersBackend-confT "GOOD film" '\[UNK\]' film
form 23m-jsonF-confF "$cased"
ids 23m-jsonF-confF "GOOD film" '\[UNK\]' film
form 23m-jsonF-confT "$cased"
ids 23m-jsonF-confT "GOOD film" good film
form 23m-jsonT-PreTrainedTokenizerFast-confF "$lower"
ids 23m-jsonT-PreTrainedTokenizerFast-confF "GOOD film" good film
form 23m-jsonT-confF-novocab "$lower" && rm 23m-jsonT-confF-novocab/vocab.txt
echo "GOOD film" >in
run 0 tokenize --pretrained 23m-jsonT-confF-novocab <in
equal "without vocab.txt" "$(cat out)" "2 1 $(piece film 22m-plain) 3"
form 23m-jsonT-confT-stripF "$lower"
ids 23m-jsonT-confT-stripF "GOOD FÍLM" good '\[UNK\]'
form 23m-jsonT-noconf "$lower"
ids 23m-jsonT-noconf "GOOD film" good film

equal "cases" "$tried" "$(ls "$CASES" | wc -l)"
