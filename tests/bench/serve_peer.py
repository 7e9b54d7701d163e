"""What people put behind HTTP without us: ONNX Runtime and `tokenizers` in a bare ASGI function, the least that Python answers with.

    ONNX=minilm-dyn8.onnx TOKENIZER=minilm/tokenizer.json uvicorn --app-dir tests/bench serve_peer:app --workers 2 --loop uvloop --http httptools

POST {"input": TEXT} gives {"label": 0, "score": 0.9}. A process a core, a thread of ONNX Runtime each: asked alone, nothing is padded.
"""
import json
import os

import numpy as np
from tokenizers import Tokenizer

from peer_sessions import onnx_runtime

tokenizer = Tokenizer.from_file(os.environ["TOKENIZER"])
tokenizer.no_padding()
run = onnx_runtime(os.environ["ONNX"], 1)
HEADERS = [(b"content-type", b"application/json")]


def answer(body):
    e = tokenizer.encode(json.loads(body)["input"])
    ids = np.array([e.ids], np.int64)
    z = run({"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)})[0]
    p = np.exp(z - z.max())
    k = int(p.argmax())
    return json.dumps({"label": k, "score": float(p[k] / p.sum())}).encode()


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        m = await receive()
        body, more = body + m.get("body", b""), m.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": answer(body)})
