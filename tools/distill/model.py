"""A small Llama in plain PyTorch; its parameters bear the names of GGUF tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Shape:
    """The shape of a Llama: what its GGUF metadata says."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_size: int
    feed_forward: int
    vocabulary: int
    context: int = 8192
    rope_base: float = 100_000.0
    epsilon: float = 1e-5


def quick_dtype(device: torch.device | str) -> torch.dtype:
    """bfloat16, or float32 on processors that imitate it: products take 3 to 7 times as long so."""
    native = (torch.cpu._is_amx_tile_supported, torch.cpu._is_avx512_bf16_supported)
    if torch.device(device).type != "cpu" or any(supported() for supported in native):
        return torch.bfloat16
    return torch.float32


class Cache:
    """Keys and values of `rows` sequences, for up to `capacity` tokens each."""

    def __init__(self, model: Llama, rows: int, capacity: int) -> None:
        shape, weight = model.shape, model.token_embd.weight
        size = (shape.layers, 2, rows, shape.kv_heads, capacity, shape.head_size)
        self.data = torch.zeros(size, dtype=weight.dtype, device=weight.device)
        self.length = 0

    def append(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Stores a layer's new keys and values; returns all of them so far."""
        end = self.length + keys.shape[2]
        self.data[layer, 0, :, :, self.length : end] = keys
        self.data[layer, 1, :, :, self.length : end] = values
        return self.data[layer, 0, :, :, :end], self.data[layer, 1, :, :, :end]

    def keep(self, rows: Tensor) -> None:
        """Drops all rows but these."""
        self.data = self.data[:, :, rows]


def turns(shape: Shape, start: int, count: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the positions from `start` on: [count, head size / 2]."""
    pairs = torch.arange(0, shape.head_size, 2, device=like.device)
    frequencies = shape.rope_base ** (-pairs / shape.head_size)
    positions = torch.arange(start, start + count, device=like.device)
    angles = positions[:, None] * frequencies
    return angles.cos().to(like.dtype), angles.sin().to(like.dtype)


class Unrolled:
    """Keys and values of one layer over the same tokens, step after step."""

    def __init__(self) -> None:
        self.steps: list[tuple[Tensor, Tensor]] = []

    def append(self, _layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Stores a step's keys and values; returns those of all steps, one after the other."""
        self.steps.append((keys, values))
        keys, values = zip(*self.steps, strict=True)
        return torch.cat(keys, 2), torch.cat(values, 2)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turns adjacent pairs of `x` (RoFormer, section 3.4.2; GGUF stores Llama's rows so)."""
    a, b = x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


def feed_forward(block: nn.Module, x: Tensor) -> Tensor:
    """Adds what a block's gated network makes of `x`, normalised before (pre-norm)."""
    y = block.ffn_norm(x)
    return x + block.ffn_down(F.silu(block.ffn_gate(y)) * block.ffn_up(y))


class Block(nn.Module):
    """Grouped attention and a gated feed-forward network, each normalised before (pre-norm)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        queries, keys = shape.heads * shape.head_size, shape.kv_heads * shape.head_size
        self.shape = shape
        self.attn_norm = nn.RMSNorm(shape.hidden, shape.epsilon)
        self.attn_q = nn.Linear(shape.hidden, queries, bias=False)
        self.attn_k = nn.Linear(shape.hidden, keys, bias=False)
        self.attn_v = nn.Linear(shape.hidden, keys, bias=False)
        self.attn_output = nn.Linear(queries, shape.hidden, bias=False)
        self.ffn_norm = nn.RMSNorm(shape.hidden, shape.epsilon)
        self.ffn_gate = nn.Linear(shape.hidden, shape.feed_forward, bias=False)
        self.ffn_up = nn.Linear(shape.hidden, shape.feed_forward, bias=False)
        self.ffn_down = nn.Linear(shape.feed_forward, shape.hidden, bias=False)

    def forward(
        self, x: Tensor, turn: tuple[Tensor, Tensor], mask: Tensor | None,
        cache: Cache | Unrolled | None, layer: int,
    ) -> Tensor:
        y = self.attn_norm(x)
        size = (-1, self.shape.head_size)
        q = rotate(self.attn_q(y).unflatten(-1, size).transpose(1, 2), *turn)
        k = rotate(self.attn_k(y).unflatten(-1, size).transpose(1, 2), *turn)
        v = self.attn_v(y).unflatten(-1, size).transpose(1, 2)
        if cache is not None:
            k, v = cache.append(layer, k, v)
        if q.shape[2] == 1:  # The heads of a group are rows: keys are read once for all of them.
            grouped = q.reshape(len(q), self.shape.kv_heads, -1, self.shape.head_size)
            y = F.scaled_dot_product_attention(grouped, k, v, mask).reshape(q.shape)
        else:
            causal = mask is None
            y = F.scaled_dot_product_attention(q, k, v, mask, is_causal=causal, enable_gqa=True)
        return feed_forward(self, x + self.attn_output(y.transpose(1, 2).flatten(-2)))


class Llama(nn.Module):
    """A Llama whose output head is its embedding."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.hidden)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = nn.RMSNorm(shape.hidden, shape.epsilon)

    def forward(
        self, tokens: Tensor, cache: Cache | None = None, mask: Tensor | None = None,
    ) -> Tensor:
        """Returns the last hidden states, normalised: [rows, tokens, hidden].

        Without a mask, attention is causal. With a cache, the tokens come after those in it.
        """
        *_, x = self.residuals(tokens, cache, mask)
        return self.output_norm(x)

    def residuals(
        self, tokens: Tensor, cache: Cache | None = None, mask: Tensor | None = None,
    ) -> Iterator[Tensor]:
        """The residual stream after each layer: [rows, tokens, hidden], not normalised."""
        x = self.token_embd(tokens)
        turn = turns(self.shape, 0 if cache is None else cache.length, tokens.shape[1], x)
        for layer, block in enumerate(self.blk):
            x = block(x, turn, mask, cache, layer)
            yield x
        if cache is not None:
            cache.length += tokens.shape[1]

    def unroll(self, tokens: Tensor, _states: Tensor | None, steps: int) -> list[Tensor]:
        """The hidden states by draft step (`heads.py`): the same in all, as tokens decide them."""
        return [self(tokens)] * steps

    def logits(self, hidden: Tensor, rows: Tensor | None = None) -> Tensor:
        """The logits of all tokens, or of those in `rows`."""
        table = self.token_embd.weight
        return F.linear(hidden, table if rows is None else table[rows])


def borrow_embedding(draft: Llama, target: Llama) -> Llama:
    """Gives a draft the target's embedding, which then stays as it is."""
    draft.token_embd = nn.Embedding.from_pretrained(target.token_embd.weight.detach().float())
    return draft


def copy_layers(target: Llama, layers: tuple[int, ...]) -> Llama:
    """A draft made of some of the target's own layers, with its embedding and last norm.

    Layers at both ends matter most (ShortGPT, arXiv 2403.03853, section 3).
    """
    draft = Llama(Shape(**{**vars(target.shape), "layers": len(layers)}))
    weights = target.state_dict()
    draft.load_state_dict({
        **{name: weights[name] for name in ("token_embd.weight", "output_norm.weight")},
        **{
            f"blk.{new}.{name}": weight
            for new, old in enumerate(layers)
            for name, weight in target.blk[old].state_dict().items()
        },
    })
    return draft.float()


def project_embedding(target: Llama, shape: Shape, seed: int) -> Llama:
    """A narrower draft: the target's embedding on its first singular vectors, new layers.

    What a layer adds starts at zero, so that at first the draft is its embedding alone, scaled to
    rows of norm 1: logits that differ by about 1.
    """
    torch.manual_seed(seed)
    draft = Llama(shape)
    for name, weight in draft.named_parameters():
        if name.endswith(("attn_output.weight", "ffn_down.weight")):
            nn.init.zeros_(weight)
        elif weight.dim() == 2:
            nn.init.normal_(weight, std=weight.shape[1] ** -0.5)
    table = target.token_embd.weight.detach().float()
    _, directions = torch.linalg.eigh(table.T @ table)
    projected = table @ directions[:, -shape.hidden :]
    draft.token_embd.weight.data = projected / projected.norm(dim=1).mean()
    return draft
