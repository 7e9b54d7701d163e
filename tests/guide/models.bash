have_model
have_sst2
mkdir google-bert
ln -s "$NANO" google-bert/bert-base-uncased
