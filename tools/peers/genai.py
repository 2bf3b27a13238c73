"""Times onnxruntime-genai, one request a line on standard input:

    {"kind": "pass", "context": 64, "tokens": 5}  ->  {"milliseconds": 42.1}

usage: genai.py MODEL_FOLDER THREADS

Reading a prompt scores each of its tokens: the builder's graphs cannot leave that out.
"""

import json
import sys
import time


def say(**answer):
    print(json.dumps(answer), flush=True)


def noise(count, step):
    return [(i * step + 13) % 1000 for i in range(count)]


class Engine:
    """Reads, scores and decodes tokens after those that it holds."""

    def __init__(self, model):
        self.model = model
        self.filled = None
        self.room = 0

    def open(self, length, room):
        """Holds `length` tokens and no more, with room for `room` others."""
        if self.filled == length and self.room >= room:
            return self.generator.rewind_to(length)
        params = og.GeneratorParams(self.model)
        # No end of text before the last slot, or decoding would stop early.
        params.set_search_options(max_length=length + room, min_length=length + room)
        self.generator = og.Generator(self.model, params)
        if length > 0:
            self.generator.append_tokens(noise(length, 7919))
        self.filled, self.room = length, room

    def time(self, kind, context, tokens):
        self.open(context, max(tokens + 1, 64))
        text = noise(1 if kind == "decode" else tokens, 31)
        started = time.perf_counter()
        self.generator.append_tokens(text)
        if kind == "decode":  # the token above was the first pass, and the last choice needs none
            for _ in range(tokens):
                self.generator.generate_next_token()
        milliseconds = (time.perf_counter() - started) * 1e3
        expected = context + len(text) + (tokens if kind == "decode" else 0)
        if self.generator.token_count() != expected:
            raise RuntimeError(f"it holds {self.generator.token_count()} tokens, not {expected}")
        return milliseconds


def open_engine(folder, threads):
    config = og.Config(folder)
    config.overlay(json.dumps({
        "model": {"decoder": {"session_options": {"intra_op_num_threads": int(threads)}}}
    }))
    return Engine(og.Model(config))


def serve(engine):
    say(version=og.__version__)
    for line in sys.stdin:
        say(milliseconds=engine.time(**json.loads(line)))


try:
    import onnxruntime_genai as og
    serve(open_engine(*sys.argv[1:]))
except KeyboardInterrupt:
    pass
except ImportError as error:
    say(error=f"{error}: pip install onnxruntime-genai")
except Exception as error:
    say(error=f"{error}: see how tools/peers/genai_build.py builds the folder")
