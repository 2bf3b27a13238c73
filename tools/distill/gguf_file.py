"""Models and tokenizers in and out of GGUF files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
from gguf.quants import dequantize, quantize
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from heads import ExitHead, FeatureHead, Head
from model import Llama, Shape, borrow_embedding

CONTROL = 3  # of tokenizer.ggml.token_type
EMBEDDING = "token_embd.weight"


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in lower-case hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_shape(reader: GGUFReader, path: Path) -> Shape:
    """What a Llama-family GGUF says of its shape."""
    def value(key: str, fallback: float | None = None) -> float:
        field = reader.get_field(f"llama.{key}")
        if field is None and fallback is None:
            raise ValueError(f"Cannot read {path} as it lacks llama.{key}: use a Llama's GGUF")
        return fallback if field is None else field.contents()

    hidden, heads = value("embedding_length"), value("attention.head_count")
    return Shape(
        layers=value("block_count"),
        hidden=hidden,
        heads=heads,
        kv_heads=value("attention.head_count_kv", heads),
        head_size=value("attention.key_length", hidden // heads),
        feed_forward=value("feed_forward_length"),
        vocabulary=value("vocab_size"),
        context=value("context_length"),
        rope_base=value("rope.freq_base", 10_000.0),
        epsilon=value("attention.layer_norm_rms_epsilon"),
    )


def load_model(path: Path, target: Llama | None = None) -> Llama | Head:
    """Reads a Llama-family GGUF with a tied head, its weights unpacked to float32.

    A file with a `specbound.role` holds no embedding: it borrows that of `target`.
    """
    reader = GGUFReader(path)
    shape, role = read_shape(reader, path), reader.get_field("specbound.role")
    if role is None:
        model = Llama(shape)
    elif target is None:
        raise ValueError(f"Cannot read {path} as it borrows an embedding: give its target")
    elif role.contents() == "feature":
        model = FeatureHead(shape, target.token_embd.weight)
    elif role.contents() == "exit":
        layers = reader.get_field("specbound.exit.layers").contents()
        model = ExitHead(shape, target.token_embd.weight, layers)
    else:
        model = borrow_embedding(Llama(shape), target)
    weights = {} if role is None else {EMBEDDING: model.token_embd.weight}
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type)
        weights[tensor.name] = torch.from_numpy(values.reshape(tensor.shape[::-1].tolist()).copy())
    model.load_state_dict(weights)
    return model.eval()


def load_tokenizer(path: Path) -> Tokenizer:
    """Builds the byte-level BPE tokenizer that a SmolLM2 GGUF describes."""
    reader = GGUFReader(path)

    def get(key: str) -> str | list:
        return reader.get_field(f"tokenizer.ggml.{key}").contents()

    if (kind := (get("model"), get("pre"))) != ("gpt2", "smollm"):
        raise ValueError(f"Cannot read the tokenizer of {path} as it is {kind}: use a SmolLM2 GGUF")
    tokens, types = get("tokens"), get("token_type")
    merges = [tuple(merge.split(" ")) for merge in get("merges")]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([
        AddedToken(token, special=True, normalized=False)
        for token, kind in zip(tokens, types) if kind == CONTROL
    ])
    return tokenizer


def save_model(
    model: Llama | Head, path: Path, kind: str, target: Path, name: str, role: str | None = None,
) -> None:
    """Writes a draft with the target's tokenizer, or, if it has a role, one that borrows.

    `kind` ("Q8_0", "Q4_1", "Q4_0" or "F32") packs the matrices; norms stay F32. `role` ("draft",
    "feature" or "exit") leaves out tokenizer and embedding, which are the target's. The file appears
    whole or not at all, and the same weights give the same bytes.
    """
    shape, partial = model.shape, path.with_suffix(".partial")
    writer = GGUFWriter(partial, "llama")
    writer.add_name(name)
    writer.add_license("apache-2.0")
    writer.add_block_count(shape.layers)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.hidden)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head_size)
    writer.add_value_length(shape.head_size)
    writer.add_rope_dimension_count(shape.head_size)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_vocab_size(shape.vocabulary)
    if role is None:
        for field in GGUFReader(target).fields.values():
            if field.name.startswith("tokenizer."):
                element = field.types[1] if field.types[0] == GGUFValueType.ARRAY else None
                writer.add_key_value(field.name, field.contents(), field.types[0], element)
    else:
        writer.add_string("specbound.role", role)
        writer.add_string("specbound.target.sha256", sha256(target))
    if isinstance(model, ExitHead):
        writer.add_uint32("specbound.exit.layers", model.layers)
    for tensor, weight in model.state_dict().items():
        if tensor == EMBEDDING and role is not None:
            continue
        values = weight.detach().float().cpu().numpy()
        packed = GGMLQuantizationType[kind if values.ndim == 2 else "F32"]
        writer.add_tensor(tensor, quantize(values, packed), raw_dtype=packed)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    partial.rename(path)
