/* The verbs: what each is called with, what it does, three examples, and which options it takes. Parser, help, completions and manual pages
 * walk this table and the library's of options, so that none of them can forget one. */
#include "cli/options.h"

#include <string.h>

static const snc_verb verbs[] = {
    {"compress", "[compress] --pretrained P --task T --data DIR --target-latency L --output OUT",
     "the whole job: fine-tune, supernet, search, export, proof",
     "Leaves OUT/compressed.snc and OUT/report.{json,md,csv}. Stages that are there with the same inputs are skipped, so the same\n"
     "command resumes a killed run. Exit code 0: every target holds; 3: a target was missed (the nearest result is kept); 2: bad\n"
     "input; 130: interrupted.",
     "--pretrained bert-base-uncased --task sst2 --data glue --target-latency 0.6x --output out\n"
     "--pretrained my-model --data reviews.csv --text review --label stars --target-latency 1.5ms --time-limit 30m --output out\n"
     "--pretrained MiniLM --task mrpc --data glue --target-latency 0.6x,0.3x --cascade --max-drop 1 --output out",
     SNC_VERB_COMPRESS, 1},
    {"suite", "suite glue|quick|folders|FILE --pretrained P --data DIR --output OUT [--target-latency L --seeds 3]",
     "the whole job over many tasks and seeds, in one report",
     "Leaves OUT/report.{json,md,csv,html}: a row a task with the scores of teacher, full INT8 and file, the drop paired by rows and "
     "pooled\n"
     "over seeds, latency, size and seconds. The jobs are folders of their own, OUT/TASK/seed-N; those that are done are skipped, so the\n"
     "same command goes on. Everything that can be refused is refused before the first job; one that fails later costs its row alone.\n"
     "Exit code 0: every target of every job holds; 3: one was missed; 2: bad input, or a job failed; 130: interrupted.",
     "suite quick --pretrained MiniLM --data glue --target-latency 0.6x --output out\n"
     "suite glue --pretrained MiniLM --data glue --seeds 3 --tasks sst2,mrpc --output out\n"
     "suite folders --pretrained MiniLM --data my-tasks --predictions theirs=answers --output out",
     SNC_VERB_SUITE, 1},
    {"plan", "plan --pretrained P --task T --data DIR | --rows N --seq-len L  [--ranks 1,2,4 --cores 8]",
     "how long the whole job takes, and what memory, on so many ranks and cores",
     "Trains and writes nothing. Steps of training and calls are timed here for some seconds; what more ranks and cores make of them is a\n"
     "model (docs/targets.md has its equations). With one rank and this machine's cores it is the estimate that compress begins with. A\n"
     "rank is a process with an equal share of the rows of every batch; seconds and memory are said by part, -o json has all of them.",
     "plan --pretrained MiniLM --task sst2 --data glue --ranks 1,2,4\n"
     "plan --pretrained bert-base-uncased --rows 364000 --seq-len 32 --batch-size 64 --ranks 1,8,64 --cores 32 --network 25gbit/20us\n"
     "plan --pretrained MiniLM --task sst2 --data glue --ranks 1,2 --cores 1 --network shared -o json",
     SNC_VERB_PLAN, 1},
    {"import", "import --pretrained P[,P2...] [--output model.snc | --task T --data DIR]",
     "a Hugging Face or PyTorch model to one .snc; without --output what models would cost",
     "Without --output nothing is written: what each model is, its parameters, multiply-adds, and bytes and latency by policy, measured "
     "on\n"
     "the workload (128 tokens, or the task's lengths). With --task each is fine-tuned for a while on the same rows (2,000 unless\n"
     "--max-train-samples says otherwise; --epochs 0: not at all), and several are put in order by their score on rank. One that cannot "
     "be\n"
     "had is a row that says why; the exit code is then 2.",
     "import --pretrained bert-base-uncased --output bert.snc\n"
     "import --pretrained MiniLM,bert-base-uncased --batch 1 --seq-len 32\n"
     "import --pretrained MiniLM,bert-base-uncased --task sst2 --data glue --max-train-samples 2000 --json",
     SNC_VERB_IMPORT, 0},
    {"finetune", "finetune --pretrained P --task T --data DIR --output teacher.snc", "fine-tune a teacher on a task",
     "AdamW with linear warm-up and decay, clip 1.0, length-bucketed unpadded batches. A checkpoint stands beside the output while it\n"
     "runs; the same command resumes from it to the same bits.",
     "finetune --pretrained MiniLM --task sst2 --data glue --output teacher.snc\n"
     "finetune --pretrained MiniLM --data reviews.csv --text review --label stars --epochs 3 --lr 3e-5 --output teacher.snc\n"
     "finetune --pretrained MiniLM --task ner --data conll --long-texts cut --output tagger.snc",
     SNC_VERB_FINETUNE, 1},
    {"supernet", "supernet --teacher teacher.snc --task T --data DIR --output supernet.snc",
     "order a teacher by importance and train it elastic", NULL,
     "supernet --teacher teacher.snc --task sst2 --data glue --output supernet.snc\n"
     "supernet --teacher teacher.snc --task sst2 --data glue --unlabeled texts.txt --augment 1 --output supernet.snc\n"
     "supernet --teacher teacher.snc --task sst2 --data glue --recipe instatune --output supernet.snc",
     SNC_VERB_SUPERNET, 1},
    {"profile", "profile supernet.snc --output latency.json", "measure the kernel times a search may ask for", NULL,
     "profile supernet.snc --task sst2 --data glue --output latency.json\n"
     "profile supernet.snc --task sst2 --data glue --batch 8 --seq-len 128 --threads 2 --output latency.json\n"
     "profile supernet.snc --task sst2 --data glue --seq-len data --output latency.json",
     SNC_VERB_PROFILE, 0},
    {"search", "search supernet.snc --teacher teacher.snc --task T --data DIR --target-latency L --output DIR",
     "search subnet and INT8/FP policy together",
     "Leaves DIR/search.sqlite (every evaluation), front.json, config.json, report.html and its pictures (report-*.svg). The same\n"
     "command goes on where a killed one stopped. `search --export csv --journal DIR/search.sqlite` prints the evaluations.\n"
     "Exit code 0: the chosen net meets every target as measured here; 3: it is the nearest; 2: bad input; 130: interrupted.",
     "search supernet.snc --teacher teacher.snc --task sst2 --data glue --target-latency 0.5x --output found\n"
     "search supernet.snc --teacher teacher.snc --task sst2 --data glue --max-drop 0.5 --evals 800 --output found\n"
     "search --export csv --journal found/search.sqlite",
     SNC_VERB_SEARCH, 1},
    {"export", "export M | --pretrained P  --policy int8|int4|bf16|f32|FILE --output F [--config FILE]", "write a deployable .snc",
     "Full width unless --config names a subnet. A model without a trained classifier is refused, and with --seeded-head gets a random\n"
     "one of 2 classes; one without a tokenizer makes a file for `bench` only, which is said.",
     "export supernet.snc --config found/config.json --output model.snc\n"
     "export --pretrained my-model --policy int8 --trim-vocab --task sst2 --data glue --output model.snc\n"
     "export model.snc --to onnx --form f32,int8 --output folder",
     SNC_VERB_EXPORT, 0},
    {"bench", "bench M [M2 ...] [-b 1,8 -s 16,128,data -t 1,2] [--tasks sst2,mrpc --data DIR] [-o md|json|csv]",
     "latency, and scores on tasks",
     "A row a model and cell; with --tasks a row a model, task and metric, with the latency of one dev sentence at a time. What one of "
     "the\n"
     "models cannot do is a row that says why; the others are made all the same, and the exit code is 2.",
     "bench model.snc -b 1,8 -s 16,128 -t 1,2\n"
     "bench model.snc full-int8.snc --tasks sst2 --data glue --format csv\n"
     "bench model.snc --profile -s 32",
     SNC_VERB_BENCH, 0},
    {"predict", "predict M [--logits] [--format text|jsonl] < lines", "label TAB probability for each input line",
     "A TAB splits a line into a pair; on a model for single sentences the text after the TAB is a second segment too. An empty line is\n"
     "an empty text and gets an answer. Lines are answered together, and as soon as no more of them wait. Regression prints the value\n"
     "alone. --logits adds every logit. --format jsonl: an object a line, {\"line\",\"label\",\"probability\",\"probabilities\",\"cut\",\n"
     "\"invalid_utf8\"}, the probabilities by the names of all classes.",
     "predict model.snc <lines.txt\n"
     "predict model.snc --format jsonl --logits <lines.txt\n"
     "predict family.snc --budget 2ms <lines.txt",
     SNC_VERB_PREDICT, 0},
    {"serve", "serve [NAME=]M.snc [[NAME=]M2.snc ...] [--port 8080] [--token-file FILE]", "answers over HTTP",
     "POST /v1/classify, /v1/embeddings, /v1/rerank; GET /health, /metrics, /v1/models (configs/openapi.json). Listens on 127.0.0.1 alone\n"
     "where --host says nothing else. --threads requests are computed at a time; what waits meanwhile is answered together, up to "
     "--max-batch texts, and\n"
     "answers do not depend on it. SIGHUP reads the files again; SIGTERM and SIGINT end it once all that came in is answered.",
     "serve model.snc --port 8080\n"
     "serve sentiment=model.snc topics=other.snc --token-file token --max-batch 64\n"
     "serve model.snc --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem",
     SNC_VERB_SERVE, 0},
    {"eval", "eval M --task T --data DIR [--split dev] [--json]", "score a .snc or a Hugging Face folder on a split", NULL,
     "eval model.snc --task sst2 --data glue\n"
     "eval model.snc --task sst2 --data glue --split train --json\n"
     "eval my-model --task custom --data folder",
     SNC_VERB_EVAL, 1},
    {"info", "info M [--json]", "what is inside a model file", NULL,
     "info model.snc\n"
     "info model.snc --json\n"
     "info --verbose supernet.snc",
     SNC_VERB_INFO, 0},
    {"verify", "verify F.snc|DIR ...", "whether files are as they were written",
     "Reads each whole and compares it with the digest inside it, as every verb does that opens one; the folder of a run is compared with\n"
     "its report. Exit code 2 for a damaged file, or one that the report does not speak of.",
     "verify model.snc\n"
     "verify out\n"
     "verify out/compressed.snc out/teacher.snc",
     SNC_VERB_VERIFY, 0},
    {"study",
     "study --tabular DIR | study supernet.snc --teacher M --task T --data DIR --protocols P --output DIR"
     " | study --ablate quick|recipe|plugins|FILE --pretrained P --data DIR --output DIR",
     "searches against each other and against chance; recipes against each other",
     "--tabular: NAS-Bench-Macro, mean rank of the best network found, over seeds. --protocols: on a real supernet; hypervolume at equal\n"
     "evaluations, relative improvement over random nets (needs --target-latency), Kendall's tau of scores inside the supernet and\n"
     "alone, joint search against one after the other. Journals and study.json stay in DIR; the same command goes on.\n"
     "--ablate: a supernet by each recipe of the file for every task and seed; one table of what its nets are worth\n"
     "before and after repair, DIR/report.md. A cell that fails costs itself alone (exit code 2); the same command goes on.",
     "study --tabular nas-bench-macro --searchers linas,random --seeds 200\n"
     "study supernet.snc --teacher teacher.snc --task mrpc --data glue --protocols tau,joint --target-latency 0.5x --output study\n"
     "study --ablate quick --pretrained MiniLM --data glue --output study",
     SNC_VERB_STUDY, 0},
    {"tokenize", "tokenize --pretrained P [--max-length N] < lines", "word piece ids with [CLS] and [SEP], space-separated",
     "A TAB makes a pair. Never padded; cut only by --max-length.",
     "tokenize --pretrained MiniLM <lines.txt\n"
     "tokenize --pretrained model.snc --max-length 128 <lines.txt\n"
     "tokenize --pretrained roberta-base <lines.txt",
     SNC_VERB_TOKENIZE, 0},
};

const snc_verb *snc_verb_table(int *n)
{
    *n = (int)(sizeof verbs / sizeof *verbs);
    return verbs;
}

const snc_verb *snc_verb_find(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i].name, name) == 0) return &verbs[i];
    return NULL;
}

const char *snc_verb_name(int i) { return i < (int)(sizeof verbs / sizeof *verbs) ? verbs[i].name : NULL; }
