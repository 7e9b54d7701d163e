"""Networks in the peers' runtimes, each a function of a feed that answers with the first output: for family_peers.py and peer_text.py."""


def onnx_runtime(path, threads=1):
    import onnxruntime
    o = onnxruntime.SessionOptions()
    o.intra_op_num_threads, o.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(path, o, providers=["CPUExecutionProvider"])
    return lambda feed: session.run(None, feed)[0]


def openvino(path, threads=1, shape=None):
    """Compiled for one shape (batch, tokens) of every input, or for any."""
    import openvino as ov
    core = ov.Core()
    m = core.read_model(path)
    if shape:
        m.reshape({i.get_any_name(): list(shape) for i in m.inputs})
    r = core.compile_model(m, "CPU", {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": "1", "PERFORMANCE_HINT": "LATENCY"}).create_infer_request()
    return lambda feed: r.infer(feed)[0]
