"""Builds onnxruntime-genai models from a GGUF file, in int4 (its default: head and embedding too) and
fp32, as peers for `deno task bench --peer`.

    pip install torch transformers accelerate gguf onnxruntime onnxruntime-genai onnx onnx_ir
    python3 tools/peers/genai_build.py PATH/SmolLM2-135M-Instruct.Q4_1.gguf OUT

Written with torch 2.13.0, transformers 5.23.0, onnxruntime-genai 0.18.0 and onnxruntime 1.32.0.
"""

import os
import subprocess
import sys
import tempfile

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

gguf, out = sys.argv[1:]
folder, file = os.path.split(os.path.abspath(gguf))
source = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32)
tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
config = source.config
if hasattr(config, "quantization_config"):  # transformers refuses to save what it read from GGUF
    del config.quantization_config
model = LlamaForCausalLM(config)
model.load_state_dict(source.state_dict())
model.tie_weights()
with tempfile.TemporaryDirectory() as plain:
    model.save_pretrained(plain)
    tokenizer.save_pretrained(plain)
    for precision in ["int4", "fp32"]:
        subprocess.run([
            sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", plain,
            "-o", os.path.join(out, precision), "-p", precision, "-e", "cpu",
            "-c", os.path.join(plain, "cache"),
        ], check=True)
