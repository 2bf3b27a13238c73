"""Times forward passes of onnxruntime-genai, one request a line on standard input.

    {"context": 64, "width": 1, "repeats": 5}  ->  {"prefill": ms, "passes": [ms, ...]}

usage: genai.py MODEL_FOLDER THREADS
"""

import json
import os
import sys
import time

import onnxruntime_genai as og

folder, threads = sys.argv[1], int(sys.argv[2])
config = og.Config(folder)
config.overlay(json.dumps({
    "model": {"decoder": {"session_options": {"intra_op_num_threads": threads}}}
}))
model = og.Model(config)
vocabulary = json.load(open(os.path.join(folder, "genai_config.json")))["model"]["vocab_size"]


def noise(count, step):
    return [(i * step + 13) % vocabulary for i in range(count)]


open_at = None
print(json.dumps({"version": og.__version__}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    context, width = request["context"], request["width"]
    prefill = None
    if open_at != context:
        params = og.GeneratorParams(model)
        params.set_search_options(max_length=context + 64)
        generator = og.Generator(model, params)
        started = time.perf_counter()
        generator.append_tokens(noise(context, 7919))
        prefill = (time.perf_counter() - started) * 1e3
        open_at = context
    passes = []
    for _ in range(request["repeats"]):
        started = time.perf_counter()
        generator.append_tokens(noise(width, 31))
        passes.append((time.perf_counter() - started) * 1e3)
        generator.rewind_to(context)
    print(json.dumps({"prefill": prefill, "passes": passes}), flush=True)
