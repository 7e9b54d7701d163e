have_model
have_sst2
have_reviews
needs curl
needs_server
mkdir google-bert
ln -s "$NANO" google-bert/bert-base-uncased
