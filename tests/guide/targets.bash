have_model
have_sst2
have_teacher teacher.snc
