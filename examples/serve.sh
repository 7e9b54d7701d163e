#!/usr/bin/env bash
# A server asked by curl. usage: serve.sh URL, such as http://127.0.0.1:8080 of `compress serve model.snc`
set -euo pipefail
url=$1
ask() { curl -sS --fail-with-body -H 'Content-Type: application/json' ${TOKEN:+-H "Authorization: Bearer $TOKEN"} "$@"; echo; }

ask "$url/v1/models"
ask -d '{"input": "a fine film"}' "$url/v1/classify"
ask -d '{"input": ["a fine film", ["a pair", "of texts"]], "top_k": 2}' "$url/v1/classify"
