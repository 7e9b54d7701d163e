have_model
have_sst2
have_pair exact.snc fast.snc
texts >texts.txt
rows train 900 | tail -60 | cut -f1 >domain.txt
