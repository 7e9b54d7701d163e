#!/usr/bin/env bash
# What a command may write over: no device, FIFO or socket; no file that it reads, whatever its name; and without --overwrite
# nothing that this program has not written. Links are followed and stay.
. "$(dirname "$0")/lib.bash"
nano nano
nano other
train=(finetune --pretrained nano/nano.snc --task nano/task.json --data nano --epochs 1 --threads 1 --lr 2e-3)
run 0 "${train[@]}" --output t.snc
cp -r "$TESTS/golden/checkpoints/hf" hf && chmod -R u+w hf
sum() { find "$@" -type f ! -name '*.lock' -exec cksum {} + | sort; }
before=$(sum nano hf t.snc)
untouched() { equal "what was there" "$(sum nano hf t.snc)" "$before"; }

# ---- no files -----------------------------------------------------------------------------------------------------
mkfifo fifo
ln -s fifo to-fifo
special="fifo to-fifo"
if mknod device c 1 3 2>/dev/null; then special="$special device"; fi # as root alone; a null device of this folder's own
for name in $special; do
    kind=FIFO
    [ "$name" = device ] && kind=device
    refused "$name: is a $kind, expected a file or a name that is free" import --pretrained hf --output $name
    refused "$name: is a $kind" export t.snc --policy int8 --output $name --overwrite
    refused "$name: is a $kind" "${train[@]}" --output $name
    refused "$name: is a $kind" supernet --teacher t.snc --task nano/task.json --data nano --output $name
    refused "$name: is a $kind" profile t.snc --task nano/task.json --data nano --output $name
    refused "$name: is a $kind" info t.snc --log-json $name
    refused "$name: is a $kind" search t.snc --teacher t.snc --task nano/task.json --data nano --target-size 0.9x --output s --journal $name
    refused "$name: is a $kind" --pretrained t.snc --task nano/task.json --data nano --target-size 0.9x --output $name
    check "$name is no longer what it was" test -p $name -o -c $name
done
refused "fifo: not a regular file" info fifo # at once, without a writer
absent s

# ---- inputs -------------------------------------------------------------------------------------------------------
same_command="of the same command names"
refused "--output t.snc: is what the model $same_command" export t.snc --policy int8 --output t.snc --overwrite
refused "--output ./nano/../t.snc: is what the model $same_command" export t.snc --policy int8 --output ./nano/../t.snc --overwrite
ln -s t.snc link.snc
refused "--output link.snc: is what the model $same_command" export t.snc --policy int8 --output link.snc --overwrite
refused "--output nano/nano.snc: is what --pretrained $same_command" "${train[@]}" --output nano/nano.snc --overwrite
refused "--output nano/task.json: is what --task $same_command" "${train[@]}" --output nano/task.json --overwrite
refused "--output t.snc: is what --teacher $same_command" supernet --teacher t.snc --task nano/task.json --data nano --output t.snc --overwrite
printf '{"arch":{"hidden":32,"layers":[{"heads":2,"ffn":32},{"heads":2,"ffn":32},{"heads":2,"ffn":32}]}}\n' >config.json
refused "--output config.json: is what --config $same_command" export t.snc --config config.json --output config.json --overwrite
for file in train.tsv dev.tsv; do
    refused "--output nano/$file: is among the files of --data" "${train[@]}" --output nano/$file --overwrite
    refused "--output nano/$file: is among the files of --data" profile t.snc --task nano/task.json --data nano --output nano/$file --overwrite
done
mkdir glue && cp -r nano glue/NANO
refused "--output glue/NANO/train.tsv: is among the files of --data" "${train[@]:0:5}" --data glue --output glue/NANO/train.tsv --overwrite
for file in config.json model.safetensors vocab.txt; do
    refused "--output hf/$file: is among the files of --pretrained" import --pretrained hf --output hf/$file --overwrite
done
for file in config.json vocab.txt; do
    refused "--output hf/$file: lies beside --pretrained" import --pretrained hf/model.safetensors --output hf/$file --overwrite
done
refused "--output nano: is what --data $same_command" --pretrained t.snc --task nano/task.json --data nano --target-size 0.9x --output nano --overwrite
refused "--output hf: is what --pretrained $same_command" --pretrained hf --task nano/task.json --data nano --target-size 0.9x --output hf --overwrite
mkdir job && cp t.snc job/teacher.snc
refused "--output job/teacher.snc: is what --pretrained $same_command" --pretrained job/teacher.snc --task nano/task.json --data nano --target-size 0.9x --output job --overwrite
same t.snc job/teacher.snc
refused "--log-json t.snc: is what the model $same_command" info t.snc --log-json t.snc
refused "--log-json nano/task.json: is what --task $same_command" "${train[@]}" --output u.snc --log-json nano/task.json
refused "--log-json u.snc: is what --output $same_command" "${train[@]}" --output u.snc --log-json u.snc
untouched

# ---- files of others ----------------------------------------------------------------------------------------------
printf 'my notes\n' >notes.txt
not_ours="is there and was not written by this program"
refused "--output notes.txt: $not_ours (--overwrite replaces it)" import --pretrained hf --output notes.txt
refused "--output notes.txt: $not_ours" export t.snc --policy int8 --output notes.txt
refused "--output notes.txt: $not_ours" "${train[@]}" --output notes.txt
refused "--output notes.txt: $not_ours" supernet --teacher t.snc --task nano/task.json --data nano --output notes.txt
refused "--output notes.txt: $not_ours" profile t.snc --task nano/task.json --data nano --output notes.txt
refused "--output other/train.tsv: $not_ours" "${train[@]}" --output other/train.tsv # another command's data
refused "--log-json notes.txt: $not_ours as a log" info t.snc --log-json notes.txt
refused "--journal notes.txt: $not_ours" search t.snc --teacher t.snc --task nano/task.json --data nano --target-size 0.9x --output s --journal notes.txt
equal "notes" "$(cat notes.txt)" "my notes"
absent s notes.txt.lock notes.txt.checkpoint
ln notes.txt kept.txt
run 0 export t.snc --policy int8 --output notes.txt --overwrite
run 0 verify notes.txt
equal "the other name of what was replaced" "$(cat kept.txt)" "my notes"
: >empty.snc # made for us, say by mktemp
run 0 export t.snc --policy int8 --output empty.snc

# ---- what this program wrote --------------------------------------------------------------------------------------
run 0 import --pretrained hf --output i.snc
cp i.snc first.snc
run 0 import --pretrained hf --output i.snc
holds out '; up to date$'
same i.snc first.snc
refused "--output i.snc: was made of another model (--overwrite makes it anew)" import --pretrained t.snc --output i.snc
refused "--output i.snc: was made by import, not by export" export t.snc --policy int8 --output i.snc
run 0 export t.snc --policy int8 --output e.snc
cp e.snc first.snc
run 0 export t.snc --policy int8 --output e.snc
same e.snc first.snc
refused "--output e.snc: was made of another net" export t.snc --policy bf16 --output e.snc
refused "--output e.snc: was made of another vocabulary" export t.snc --policy int8 --trim-vocab --task nano/task.json --data nano --output e.snc
same e.snc first.snc
run 0 export t.snc --policy bf16 --output e.snc --overwrite
printf '{"embed":"int8","pooler":"int8","classifier":"f32","linear":"int8"}\n' >p.json
run 0 export t.snc --policy p.json --output e.snc --overwrite
run 0 export t.snc --policy int8 --output e.snc # the same net by another name
untouched

# ---- links --------------------------------------------------------------------------------------------------------
mkdir far
ln -s far/x.snc to.snc
run 0 export t.snc --policy int8 --output to.snc
run 0 export t.snc --policy int8 --output to.snc
run 0 export t.snc --policy int8 --trim-vocab --task nano/task.json --data nano --output to.snc --overwrite
check "to.snc is no link any more" test -L to.snc
run 0 verify far/x.snc
ln -s loop loop
refused "loop: too many symbolic links" export t.snc --policy int8 --output loop

# ---- logs and journals --------------------------------------------------------------------------------------------
run 0 "${train[@]}" --output u.snc --log-json log
check "an empty log" test -s log
run 0 "${train[@]}" --output u.snc --log-json log
holds log 'is up to date'
untouched
no_leftovers .
