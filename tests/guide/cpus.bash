have_model
have_sst2
have_teacher full.snc
made export full.snc --policy int8 --output compressed.snc
texts >texts.txt
