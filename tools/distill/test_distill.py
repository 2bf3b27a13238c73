"""Laws of the whole path, on a tiny random target: `python3 tools/distill/test_distill.py`."""

from __future__ import annotations

import json
import os
import random
import tempfile
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter
from gguf.quants import dequantize, quantize
from torch import nn

from curve import needed, part_of, predictions
from evaluate import decode, evaluate
from gguf_file import load_model, load_tokenizer, save_model, sha256
from heads import ridge, start_feature
from make import read_manifest, write_manifest
from model import Llama, Shape, copy_layers, project_embedding
from overlap import evaluation_ngrams
from recipes import Recipe
from states import states_of, write_states
from text import TOP_K, Conversation, Lengths, draw, load_shards, shards_of, write_text, write_turns
from train import Settings, distance, divergence, make_batch, train

SHAPE = Shape(3, 64, 4, 2, 32, 96, 128, context=256)
NARROW = Shape(1, 32, 1, 1, 32, 96, 128, context=256)


def tiny_target(directory: Path) -> Path:
    """A GGUF with random weights, and bytes and a few control tokens for a vocabulary."""
    torch.manual_seed(0)
    source, path = directory / "tokenizer.gguf", directory / "target.gguf"
    writer = GGUFWriter(source, "llama")
    letters = [chr(code) for code in range(33, 127)] + ["Ġ", "Ċ", "th", "Ġa"]
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] + letters
    names += [f"<{index}>" for index in range(SHAPE.vocabulary - len(names))]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(names)
    writer.add_token_types([3] * 3 + [1] * (SHAPE.vocabulary - 3))
    writer.add_token_merges(["t h", "Ġ a"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    model = Llama(SHAPE)
    model.token_embd.weight.data *= 0.1
    save_model(model, path, "F32", source, "tiny")
    return path


def small_text(model: Llama) -> list[Conversation]:
    """Random rows, with what the model says in each place after the fourth."""
    torch.manual_seed(1)
    tokens = torch.randint(3, SHAPE.vocabulary, (24, 24))
    with torch.inference_mode():
        best = model.logits(model(tokens)).log_softmax(-1).topk(TOP_K)
    return [
        Conversation("chat", index % 2, tokens[index].numpy(), np.arange(5, 24),
                     best.indices[index, 4:-1].numpy(), best.values[index, 4:-1].numpy())
        for index in range(len(tokens))
    ]


def test_cached_padded_decoding_equals_a_plain_pass(directory: Path) -> None:
    model = load_model(tiny_target(directory))
    rows = [Conversation("chat", 0, [5, 6, 7, 8, 9]), Conversation("chat", 0, [11, 12])]
    write_turns(model, rows, [0.0, 0.0], 10, torch.Generator().manual_seed(1))
    for row in rows:
        with torch.inference_mode():
            log_probs = model.logits(model(torch.tensor([row.tokens]))).log_softmax(-1)[0]
        for place, ids, values in zip(row.places, row.top_ids, row.top_log_probs, strict=True):
            best = log_probs[place - 1].topk(len(ids))
            assert row.tokens[place] == best.indices[0] == ids[0]
            assert np.abs(best.values.numpy() - values).max() < 0.01


def test_draws_follow_the_temperature(directory: Path) -> None:
    log_probs = torch.tensor([0.5, 0.3, 0.2]).log().repeat(30_000, 1)
    for heat in (0.0, 0.5, 1.0):
        generator = torch.Generator().manual_seed(3)
        drawn = draw(log_probs, torch.full((len(log_probs), 1), heat), generator)[:, 0]
        found = torch.bincount(drawn, minlength=3) / len(drawn)
        wanted = (log_probs[0] / heat).softmax(-1) if heat else torch.tensor([1.0, 0, 0])
        assert (found - wanted).abs().max() < 0.01


def test_text_is_resumed_and_reproduced(directory: Path) -> None:
    path = tiny_target(directory)

    def write(name: str, tokens: int) -> list[Conversation]:
        write_text(load_model(path), load_tokenizer(path), directory / name, tokens=tokens, rows=16,
                   seed=5, lengths=Lengths(60, 8))
        return load_shards(shards_of(directory / name))

    whole, part = write("a", 200), write("b", 50)
    assert 0 < len(part) < len(whole)
    assert [list(row.tokens) for row in whole] == [list(row.tokens) for row in write("b", 200)]


def test_sampled_normaliser_estimates_the_full_loss(directory: Path) -> None:
    draft = load_model(tiny_target(directory))
    batch = make_batch(small_text(draft)[:1], torch.device("cpu"))
    draft.output_norm.weight.data *= 0.5
    hidden = draft(batch.tokens)[batch.rows, batch.columns]
    for loss in ("kl", "ce"):
        full = divergence(draft, hidden, batch, loss).item()
        with patch("train.NEGATIVES", 8):
            estimates = [divergence(draft, hidden, batch, loss).item() for _ in range(200)]
        assert np.std(estimates) > 0
        assert abs(np.mean(estimates) - full) < 0.01, (np.mean(estimates), full)


def test_training_learns_and_the_same_seed_gives_the_same_loss(directory: Path) -> None:
    target = load_model(tiny_target(directory))
    rows = small_text(target)
    for loss in ("kl", "ce"):
        losses = []
        for _ in range(2):
            draft = project_embedding(target, NARROW, 1)
            before = evaluate(draft, rows)["loss"]
            train(draft, rows, Settings(5_000, 1e-2, batch=256, loss=loss), lambda *_: None)
            losses.append(evaluate(draft, rows)["loss"])
        assert losses[0] == losses[1] != before
    assert losses[0] < before


def test_all_layers_copied_are_the_target(directory: Path) -> None:
    target = load_model(tiny_target(directory))
    rows = small_text(target)
    score = evaluate(copy_layers(target, (0, 1, 2)), rows)
    masses = np.exp(np.stack([row.top_log_probs for row in rows])).sum(-1)
    assert score["greedy"]["all"] == 1
    assert abs(score["loss"] + np.log(masses).mean()) < 1e-3  # the least that a loss can be
    assert abs(score["sampled"]["all"] - masses[1::2].mean()) < 1e-3
    other = evaluate(copy_layers(target, (0, 2)), rows)
    assert other["loss"] > score["loss"] + 1e-3 and other["greedy"]["all"] < 1


def test_an_exported_draft_reads_back(directory: Path) -> None:
    target = tiny_target(directory)
    draft = project_embedding(load_model(target), NARROW, 1)
    tokens = load_tokenizer(target)
    for kind in ("Q8_0", "Q4_1", "Q4_0", "F32"):
        path = directory / f"{kind}.gguf"
        save_model(draft, path, kind, target, "draft")
        read = load_model(path)
        assert replace(read.shape, epsilon=draft.shape.epsilon) == draft.shape
        assert abs(read.shape.epsilon - draft.shape.epsilon) < 1e-12  # float32 in the file
        for name, weight in draft.state_dict().items():
            packed = GGMLQuantizationType[kind if weight.dim() == 2 else "F32"]
            wanted = dequantize(quantize(weight.numpy(), packed), packed)
            assert np.array_equal(read.state_dict()[name].numpy().ravel(), wanted.ravel()), name
        text = "<|im_start|>a th 12\n"
        assert load_tokenizer(path).encode(text).ids == tokens.encode(text).ids
        first = path.read_bytes()
        save_model(draft, path, kind, target, "draft")
        assert path.read_bytes() == first


def with_states(
    target: Llama, rows: list[Conversation], layers: tuple[int, ...],
) -> list[Conversation]:
    """The rows with the target's states after so many layers."""
    states = np.split(np.concatenate(states_of(target, rows, layers), 1), len(rows))
    return [replace(row, states=own) for row, own in zip(rows, states, strict=True)]


def test_stored_states_are_those_of_a_plain_pass(directory: Path) -> None:
    path = tiny_target(directory)
    target = load_model(path)
    write_text(target, load_tokenizer(path), directory, tokens=50, rows=16, seed=5,
               lengths=Lengths(60, 8))
    write_states(target, shards_of(directory), (1, 3))
    for layer in (1, 3):
        rows = load_shards(shards_of(directory), (layer,))
        assert len({len(row.tokens) for row in rows}) > 1
        for row in rows:
            with torch.inference_mode():
                tokens = torch.from_numpy(row.tokens.astype(np.int64))[None]
                wanted = list(target.residuals(tokens))[layer - 1][0]
                wanted = target.output_norm(wanted) if layer == 3 else wanted
            assert np.allclose(row.states, wanted, rtol=2e-3, atol=2e-3)


@torch.inference_mode()
def test_unrolling_a_feature_head_is_drafting_with_it(directory: Path) -> None:
    target = load_model(tiny_target(directory))
    rows = with_states(target, small_text(target), (SHAPE.layers,))
    head, steps = start_feature(target, rows, 1), 4
    for weight in head.blk.parameters():  # what the layer adds starts at zero
        weight.data += 0.1 * torch.randn_like(weight)
    tokens = torch.randint(3, SHAPE.vocabulary, (2, 12))
    states = target(tokens)
    unrolled = head.unroll(tokens, states, steps)
    for last in range(1, 12 - steps):  # the last token that the target has read
        fed = states.clone()
        for step in range(steps):
            found = head.unroll(tokens, fed, 1)[0][:, last + step + 1]
            assert torch.allclose(unrolled[step][:, last + step + 1], found, atol=1e-5)
            fed[:, last + step + 1] = found  # What it drafted stands for the target's state.
    first = head.unroll(tokens[:, :2], states[:, :2], 1)[0][:, 1]
    other = head.unroll(torch.cat((tokens[:, 1:2], tokens[:, 1:2]), 1), states[:, :2], 1)[0][:, 1]
    assert torch.equal(first, other)  # Nobody sees the first token, which has no state before it.


def test_heads_learn_and_read_back_under_the_target_s_embedding(directory: Path) -> None:
    path = tiny_target(directory)
    target = load_model(path)
    for recipe in (
        Recipe("head", "F32", 3e-3, 0, "feature", steps=3),
        Recipe("head", "F32", 1e-2, 0, "exit", layers=1),
        Recipe("wide", "F32", 1e-3, 0, "draft", copied=(0, 2)),
    ):
        layers, rows = recipe.reads(target), small_text(target)
        rows = with_states(target, rows, layers) if layers else rows
        draft = recipe.start(target, rows, 1)
        before = evaluate(draft, rows)["loss"]
        train(draft, rows, Settings(5_000, recipe.rate, 256, steps=recipe.steps), lambda *_: None)
        score = evaluate(draft, rows)
        assert score["loss"] < before, (recipe.role, before, score["loss"])
        assert draft.token_embd.weight.equal(target.token_embd.weight)
        file = directory / f"{recipe.role}.gguf"
        save_model(draft, file, "F32", path, recipe.name, recipe.role)
        assert evaluate(load_model(file, target), rows) == score
        reader = GGUFReader(file)
        assert "token_embd.weight" not in {tensor.name for tensor in reader.tensors}
        assert reader.get_field("specbound.role").contents() == recipe.role
        assert reader.get_field("specbound.target.sha256").contents() == sha256(path)
        assert reader.get_field("tokenizer.ggml.model") is None


def test_ridge_finds_a_linear_map(directory: Path) -> None:
    known, given = torch.randn(4, 8), [torch.randn(500, 8) for _ in range(3)]
    assert torch.allclose(ridge((x, x @ known.T) for x in given), known, atol=0.01)


def test_heads_start_better_than_without_their_fit(directory: Path) -> None:
    target = load_model(tiny_target(directory))
    for recipe in (Recipe("head", "F32", 1e-3, 0, "feature"),
                   Recipe("head", "F32", 1e-3, 0, "exit", layers=2)):
        rows = with_states(target, small_text(target), recipe.reads(target))
        head = recipe.start(target, rows, 1)
        fitted = evaluate(head, rows)["loss"]
        nn.init.zeros_(head.fc.weight if recipe.role == "feature" else head.blk[0].ffn_down.weight)
        assert fitted < evaluate(head, rows)["loss"] - 0.01, recipe.role


def test_regression_brings_a_head_nearer_to_the_target_s_states(directory: Path) -> None:
    target = load_model(tiny_target(directory))
    rows = with_states(target, small_text(target), (SHAPE.layers,))
    batch, apart = make_batch(rows, torch.device("cpu")), []
    for regression in (0.0, 30.0):
        head = start_feature(target, rows, 1)
        train(head, rows, Settings(5_000, 3e-3, 256, regression=regression), lambda *_: None)
        with torch.inference_mode():
            hidden = head.unroll(batch.tokens, batch.states, 1)[0]
            apart.append(distance([hidden[batch.rows, batch.columns]], batch).item())
    assert apart[1] < apart[0], apart


def test_parts_of_the_text_are_disjoint_and_make_it_up(directory: Path) -> None:
    rows = list(range(30))
    for count in (1, 2, 4, 8):
        parts = [part_of(rows, count, index) for index in range(count)]
        assert sum(parts, []) == rows
        assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_the_text_needed_is_where_a_law_reaches_the_goal(directory: Path) -> None:
    tokens = np.array([1e4, 2e4, 4e4, 8e4])
    for law, rates in (
        ("power", 1 - 2 * tokens**-0.1),
        ("logarithm", 0.04 * np.log(tokens) - 0.1),
    ):
        for goal, rate in zip(np.log(tokens), rates, strict=True):
            assert abs(needed(tokens, rates, rate, law) - goal) < 1e-9
        assert needed(tokens, rates[::-1], 0.9, law) == np.inf
    points = [{"text": text, "greedy": rate, "chain": -rate} for text, rate in zip(tokens, rates)]
    points[1]["greedy"] += 0.001  # off the law
    for found in predictions(points, "text", ("greedy", "chain")):
        if found["rate"] == "chain":
            assert found["tokens"] is None  # as more text was no better
        else:
            assert tokens[-1] < found["low"] < found["tokens"] < found["high"]
    flat = [{**point, "greedy": 0.2 + 1e-6 * i} for i, point in enumerate(points)]
    for found in predictions(flat, "text", ("greedy",)):
        assert found["tokens"] is None  # as so much text there is not


def test_a_manifest_reads_back(directory: Path) -> None:
    curve = [{"tokens": 1, "training": None}, {"tokens": 2, "training": 2.5, "note": "a, b"}]
    manifest = {"drafts": {"a": {"copied": [], "curve": curve}}}
    write_manifest(directory / "manifest.json", manifest)
    assert read_manifest(directory / "manifest.json") == manifest
    assert read_manifest(directory / "none.json") == {"drafts": {}}


def test_decoding_counts_what_was_tested(directory: Path) -> None:
    right, wrong = np.ones((4, 12), bool), np.zeros((4, 12), bool)
    assert decode(right).tolist() == [[3, 3, 2, 2], [3, 3, 2, 2]]  # rounds of 5, 5 and 2 tokens
    assert decode(wrong).tolist() == [[12, 0, 0, 0], [0, 0, 0, 0]]
    first = wrong.copy()
    first[0] = True  # the first drafted token right, the second wrong: 2 tokens a round
    assert decode(first).tolist() == [[6, 6, 0, 0], [6, 0, 0, 0]]


def test_the_overlap_check_finds_a_planted_prompt(directory: Path) -> None:
    prompt = "Repeat exactly: The harbour at Lindvik freezes in late November, and opens in April."
    (directory / "some.json").write_text(json.dumps([{"turns": [{"content": prompt}]}]))
    ngrams = evaluation_ngrams(directory)
    assert ngrams.found_in("well, the HARBOUR at Lindvik freezes in\nlate november. Yes")
    assert not ngrams.found_in("The harbour at Lindvik freezes in late May.")


def main() -> None:
    """Runs every test in a directory of its own."""
    torch.set_num_threads(1)
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            with tempfile.TemporaryDirectory() as directory:
                random.seed(0)
                test(Path(directory))
            print(f"ok {name.removeprefix('test_').replace('_', ' ')}")


if __name__ == "__main__":
    main()
