have_model
have_sst2
have_teacher teacher.snc
texts >texts.txt
mkdir adapter
echo '{"base_model_name_or_path": "bert-base-uncased", "peft_type": "LORA"}' >adapter/adapter_config.json
