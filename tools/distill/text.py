"""The target writes the training text, and its likeliest tokens are kept as it writes.

User turns come from the bare chat template (Magpie, arXiv 2406.08464) and from `prompts.py`,
answers from the target at several temperatures. A batch of conversations is a shard on disk; a
later run goes on after the last one.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from model import Cache, Llama
from prompts import KINDS, Request, Sources, draw_request

TURN_END = 2  # <|im_end|>
SYSTEM = (
    "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
    "<|im_end|>\n"
)  # What SmolLM2's template puts before a conversation without a system message.
USER, ANSWER = "<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"
TEMPERATURES = (0.0, 0.7, 1.0)  # of answers; user turns are drawn at 1
TOP_K = 32
PASSAGE_WORDS = (20, 90)
HISTORY_TOKENS = 256  # the longest chat that is gone on with
FEW = 8  # A batch is broken off where only one row in so many goes on: it would waste the machine.


@dataclass(frozen=True)
class Lengths:
    """The most tokens that the target writes in a turn."""

    user: int = 64
    answer: int = 192


@dataclass
class Conversation:
    """Tokens, and the target's `TOP_K` likeliest in each place where it wrote one."""

    kind: str
    temperature: float
    tokens: list[int]
    places: list[int] = field(default_factory=list)
    top_ids: list[np.ndarray] = field(default_factory=list)
    top_log_probs: list[np.ndarray] = field(default_factory=list)
    done: bool = False
    states: np.ndarray | None = None  # of the target after each token (`states.py`)


def draw(log_probs: Tensor, heat: Tensor, generator: torch.Generator) -> Tensor:
    """Draws a token a row at the row's temperature; at 0, the likeliest."""
    cumulative = (log_probs / heat.clamp(min=0.1)).softmax(-1).cumsum(-1)
    points = torch.rand(heat.shape, generator=generator, device=heat.device) * cumulative[:, -1:]
    drawn = torch.searchsorted(cumulative, points).clamp(max=log_probs.shape[1] - 1)
    return torch.where(heat == 0, log_probs.argmax(-1, keepdim=True), drawn)


@torch.inference_mode()
def write_turns(
    target: Llama, rows: list[Conversation], temperatures: list[float], limit: int,
    generator: torch.Generator,
) -> None:
    """The target goes on with each row, for at most `limit` tokens, until it ends its turn.

    Rows are aligned at their ends; what stands before a row is masked. Rotary positions are
    relative, so a row's place in the block does not matter. Rows that end leave the batch.
    """
    device = target.token_embd.weight.device
    longest = max(len(row.tokens) for row in rows)
    starts = torch.tensor([longest - len(row.tokens) for row in rows], device=device)
    block = [[TURN_END] * (longest - len(row.tokens)) + row.tokens for row in rows]
    columns = torch.arange(longest + limit, device=device)
    seen = columns >= starts[:, None]
    square = columns[:longest]
    mask = seen[:, None, :longest] & (square <= square[:, None]) | (square == square[:, None])
    cache = Cache(target, len(rows), longest + limit)
    hidden = target(torch.tensor(block, device=device), cache, mask[:, None])[:, -1:]
    heat = torch.tensor(temperatures, device=device)[:, None]
    alive = list(rows)
    for row in alive:
        row.done = False
    for step in range(limit):
        log_probs = target.logits(hidden[:, 0]).float().log_softmax(-1)
        best = log_probs.topk(TOP_K)
        drawn = draw(log_probs, heat, generator)
        kept = zip(
            alive, drawn[:, 0].tolist(), best.indices.cpu().numpy().astype(np.uint16),
            best.values.cpu().numpy().astype(np.float16), strict=True,
        )
        for row, token, ids, values in kept:
            if row.done:
                continue
            row.places.append(len(row.tokens))
            row.tokens.append(token)
            row.top_ids.append(ids)
            row.top_log_probs.append(values)
            row.done = token == TURN_END
        going = [index for index, row in enumerate(alive) if not row.done]
        if len(going) <= len(rows) / FEW or step == limit - 1:
            break
        if len(going) <= 0.8 * len(alive):
            kept_rows = torch.tensor(going, device=device)
            alive = [alive[index] for index in going]
            cache.keep(kept_rows)
            drawn, heat, seen = drawn[kept_rows], heat[kept_rows], seen[kept_rows]
        hidden = target(drawn, cache, seen[:, None, None, : cache.length + 1])


def write_batch(
    target: Llama, tokenizer: Tokenizer, requests: list[Request], lengths: Lengths,
    rng: random.Random, generator: torch.Generator,
) -> list[Conversation]:
    """The target finishes open requests (one that finds no end is dropped) and answers all."""
    opened, asked = [], []
    for request in requests:
        tokens = request.history or tokenizer.encode(SYSTEM).ids
        tokens = tokens + tokenizer.encode(USER + request.text).ids
        row = Conversation(request.kind, rng.choice(TEMPERATURES), tokens)
        (opened if request.open else asked).append(row)
    if opened:
        write_turns(target, opened, [1.0] * len(opened), lengths.user, generator)
    asked += [row for row in opened if row.done]
    turn = tokenizer.encode(ANSWER).ids
    for row in asked:
        row.tokens += turn[1:] if row.done else turn
    if asked:
        write_turns(target, asked, [row.temperature for row in asked], lengths.answer, generator)
    return asked


def save_shard(path: Path, rows: list[Conversation], seconds: float) -> None:
    """Writes a shard: all or nothing."""
    partial = path.with_suffix(".partial.npz")
    np.savez(
        partial,
        seconds=np.array(seconds),
        kinds=np.array([row.kind for row in rows]),
        temperatures=np.array([row.temperature for row in rows], np.float32),
        lengths=np.array([len(row.tokens) for row in rows], np.int64),
        counts=np.array([len(row.places) for row in rows], np.int64),
        tokens=np.concatenate([np.array(row.tokens, np.uint16) for row in rows]),
        places=np.concatenate([np.array(row.places, np.uint16) for row in rows]),
        top_ids=np.concatenate([np.stack(row.top_ids) for row in rows]),
        top_log_probs=np.concatenate([np.stack(row.top_log_probs) for row in rows]),
    )
    partial.rename(path)


def shards_of(directory: Path, tokens: float = np.inf) -> list[Path]:
    """The whole shards in the order in which they were written, up to the first `tokens` tokens."""
    found: list[Path] = []
    for path in sorted(path for path in directory.glob("*.npz") if path.stem.isdigit()):
        if tokens > 0:
            found.append(path)
            with np.load(path) as file:
                tokens -= file["counts"].sum()
    return found


def seconds_of(shards: list[Path]) -> float:
    """How long the target wrote."""
    return sum(float(np.load(path)["seconds"]) for path in shards)


def places_of(rows: list[Conversation]) -> int:
    """How many tokens the target wrote in these."""
    return sum(len(row.places) for row in rows)


def states_path(shard: Path, layer: int) -> Path:
    """Where `states.py` keeps the target's states after so many layers."""
    return shard.with_suffix(f".after{layer}.npy")


def load_shards(shards: list[Path], layers: tuple[int, ...] = ()) -> list[Conversation]:
    """Reads conversations in the order in which they were written.

    They bear the target's states after each of `layers` layers, side by side.
    """
    rows: list[Conversation] = []
    for path in shards:
        with np.load(path) as file:
            shard = {name: file[name] for name in file.files}
        token_cuts, count_cuts = np.cumsum(shard["lengths"])[:-1], np.cumsum(shard["counts"])[:-1]
        parts = [
            shard["kinds"].tolist(), shard["temperatures"].tolist(),
            np.split(shard["tokens"], token_cuts), np.split(shard["places"], count_cuts),
            np.split(shard["top_ids"], count_cuts), np.split(shard["top_log_probs"], count_cuts),
        ]
        count = len(parts[0])
        found = [np.load(states_path(path, layer)) for layer in layers]
        states = np.split(np.concatenate(found, 1), token_cuts) if layers else [None] * count
        rows += [
            Conversation(kind, temperature, tokens, places, ids, values, states=states)
            for kind, temperature, tokens, places, ids, values, states
            in zip(*parts, states, strict=True)
        ]
    return rows


def passage_of(tokenizer: Tokenizer, row: Conversation) -> str | None:
    """A conversation's last answer, cut at a paragraph or sentence; nothing if it is too short."""
    text = tokenizer.decode(list(row.tokens), skip_special_tokens=False)
    answer = text.rpartition("assistant\n")[2].removesuffix("<|im_end|>").strip()
    if row.kind == "code":
        answer = "```" + answer.split("```")[1] + "```" if answer.count("```") > 1 else ""
    words = answer.split(" ")
    if len(words) > PASSAGE_WORDS[1] and row.kind != "code":
        answer = " ".join(words[: PASSAGE_WORDS[1]])
        answer = answer[: max(answer.rfind(end) for end in (". ", ".\n", "\n\n")) + 1].strip()
    shortest = 6 if row.kind == "code" else PASSAGE_WORDS[0]
    return answer if shortest <= len(answer.split(" ")) <= PASSAGE_WORDS[1] else None


def write_text(
    target: Llama, tokenizer: Tokenizer, directory: Path, *, tokens: int, rows: int, seed: int,
    lengths: Lengths,
) -> None:
    """Fills `directory` with shards until the target has written `tokens` tokens.

    A shard depends only on the seed and on those before it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    sources = Sources({kind: [] for kind in KINDS}, [])
    shards = shards_of(directory)
    count = len(shards)

    def take(conversations: list[Conversation]) -> int:
        for row in conversations:
            passage = passage_of(tokenizer, row)
            if passage is not None:
                sources.passages[row.kind].append(passage)
            ended = row.tokens[-1] == TURN_END
            if row.kind == "chat" and ended and len(row.tokens) < HISTORY_TOKENS:
                sources.chats.append([int(token) for token in row.tokens] + line_end)
        return places_of(conversations)

    line_end = tokenizer.encode("\n").ids
    written = take(load_shards(shards))
    while written < tokens:
        start = perf_counter()
        rng = random.Random(f"{seed}/{count}")
        generator = torch.Generator(target.token_embd.weight.device)
        generator.manual_seed(rng.getrandbits(60))
        requests = [draw_request(rng, KINDS[i % len(KINDS)], sources) for i in range(rows)]
        batch = write_batch(target, tokenizer, requests, lengths, rng, generator)
        seconds = perf_counter() - start
        save_shard(directory / f"{count:05}.npz", batch, seconds)
        new = take(batch)
        written, count = written + new, count + 1
        speed = new / seconds
        print(f"text: {written} tokens in {count} shards, {speed:.0f} tokens/s", flush=True)
