"""Drafts that read the target's states: a feature-level head and an exit head.

Both say their tokens through the target's frozen embedding. `unroll` gives their hidden states by
draft step: what a head believes of a token when the k tokens before it were drafted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model import Block, Llama, Shape, Unrolled, feed_forward, turns
from text import Conversation

RIDGE = 1.0  # added to the squares of what a linear map is fitted to
OPEN = 4.0  # where a gate lets through almost all: silu(4) = 3.93
SOFT = 0.8  # how sure of itself a fitted map starts, as a share of the target's certainty


class Head(nn.Module):
    """What both kinds share: the target's embedding, which stays as it is."""

    def __init__(self, shape: Shape, embedding: Tensor) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding.from_pretrained(embedding.detach().float(), freeze=True)
        self.output_norm = nn.RMSNorm(shape.hidden, shape.epsilon)

    def logits(self, hidden: Tensor, rows: Tensor | None = None) -> Tensor:
        """The logits of all tokens, or of those in `rows`."""
        table = self.token_embd.weight
        return F.linear(hidden, table if rows is None else table[rows])


def unrolled_mask(length: int, step: int) -> Tensor:
    """Who sees whom in a draft's `step`-th token: [length, step · length], steps side by side.

    A token sees itself and the step − 1 drafted before it, each as it was in its own step, and the
    verified text before those as the first step saw it (HASS, arXiv 2408.15766, section 3.2).
    Nothing is known before the first token, so no other sees it.
    """
    row, column = torch.arange(length)[:, None], torch.arange(length)
    verified = (column <= row - (step - 1)) & ((column > 0) | (row == 0))
    drafted = [column == row - (step - other) for other in range(2, step + 1)]
    return torch.cat((verified, *drafted), 1)


class FeatureHead(Head):
    """One layer that foretells the target's next hidden state (EAGLE, arXiv 2401.15077).

    It is fed a token's embedding and the hidden state of the token before: the target's, or, for
    tokens after a drafted one, its own.
    """

    def __init__(self, shape: Shape, embedding: Tensor) -> None:
        super().__init__(replace(shape, layers=1), embedding)
        self.fc = nn.Linear(2 * shape.hidden, shape.hidden, bias=False)
        self.blk = nn.ModuleList([Block(self.shape)])

    def unroll(self, tokens: Tensor, states: Tensor, steps: int) -> list[Tensor]:
        """Its hidden states after each token, by step: each [rows, tokens, hidden]."""
        embedded, memory, hidden, found = self.token_embd(tokens), Unrolled(), states, []
        turn = turns(self.shape, 0, tokens.shape[1], embedded)
        for step in range(1, steps + 1):
            before = F.pad(hidden, (0, 0, 1, 0))[:, :-1]
            x = self.fc(torch.cat((embedded, before.to(embedded.dtype)), -1))
            mask = unrolled_mask(tokens.shape[1], step).to(tokens.device)
            hidden = self.output_norm(self.blk[0](x, turn, mask, memory, 0))
            found.append(hidden)
        return found


class ExitBlock(nn.Module):
    """A feed-forward network without attention."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.ffn_norm = nn.RMSNorm(shape.hidden, shape.epsilon)
        self.ffn_gate = nn.Linear(shape.hidden, shape.feed_forward, bias=False)
        self.ffn_up = nn.Linear(shape.hidden, shape.feed_forward, bias=False)
        self.ffn_down = nn.Linear(shape.feed_forward, shape.hidden, bias=False)


class ExitHead(Head):
    """What stands in for the target's layers after the first `layers` (LayerSkip, 2404.16710)."""

    def __init__(self, shape: Shape, embedding: Tensor, layers: int) -> None:
        super().__init__(replace(shape, layers=1), embedding)
        self.layers = layers
        self.blk = nn.ModuleList([ExitBlock(self.shape)])

    def unroll(self, _tokens: Tensor, states: Tensor, steps: int) -> list[Tensor]:
        """Its hidden states: the same in all steps, as the target's layers see only tokens."""
        early = states[..., : self.shape.hidden]
        return [self.output_norm(feed_forward(self.blk[0], early))] * steps


def ridge(pairs: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
    """The linear map [out, in] from the first of each pair to the second: least squares."""
    square, product = 0, 0
    for given, wanted in pairs:
        square = square + given.T @ given
        product = product + given.T @ wanted
    return torch.linalg.solve(square + RIDGE * torch.eye(len(square)), product).T.contiguous()


def wanted_states(target: Llama, states: Tensor) -> Tensor:
    """The last residual, at length 1 a dimension, that gives the target these hidden states."""
    return states / target.output_norm.weight.detach()


def start_feature(target: Llama, rows: list[Conversation], seed: int) -> FeatureHead:
    """A feature-level head that starts as a linear map, fitted to the target's states.

    What the layer adds starts at zero. Rows hold the target's hidden states.
    """
    torch.manual_seed(seed)
    head = FeatureHead(target.shape, target.token_embd.weight)
    for name, weight in head.blk.named_parameters():
        if name.endswith(("attn_output.weight", "ffn_down.weight")):
            nn.init.zeros_(weight)
        elif weight.dim() == 2:
            nn.init.normal_(weight, std=weight.shape[1] ** -0.5)

    def pairs() -> Iterator[tuple[Tensor, Tensor]]:
        for row in rows:
            states = torch.from_numpy(np.array(row.states)).float()
            tokens = torch.from_numpy(np.asarray(row.tokens, np.int64))
            given = torch.cat((head.token_embd(tokens[1:]), states[:-1]), 1)
            yield given, wanted_states(target, states[1:])

    head.fc.weight.data = ridge(pairs())
    head.output_norm.weight.data = SOFT * target.output_norm.weight.detach()
    return head


@torch.no_grad()
def start_exit(target: Llama, rows: list[Conversation], layers: int) -> ExitHead:
    """An exit head that starts as a linear map (the tuned lens, arXiv 2303.08112).

    Its gates are fitted to be open alike for all tokens; training then tells them apart. Rows hold
    the target's states after `layers` layers and, beside them, its hidden states.
    """
    size = target.shape.hidden
    head = ExitHead(replace(target.shape, feed_forward=size), target.token_embd.weight, layers)
    # A text's first token is left out: its residual is a thousand times as long as the others'.
    texts = [torch.from_numpy(np.array(row.states[1:])).float().split(size, 1) for row in rows]
    length = torch.cat([early for early, _ in texts]).square().mean(-1).sqrt().mean()
    block = head.blk[0]
    block.ffn_up.weight.copy_(torch.eye(size))
    opened = ((block.ffn_norm(early), torch.full_like(early, OPEN)) for early, _ in texts)
    block.ffn_gate.weight.copy_(ridge(opened))

    def pairs() -> Iterator[tuple[Tensor, Tensor]]:
        for early, last in texts:
            y = block.ffn_norm(early)
            inner = F.silu(block.ffn_gate(y)) * block.ffn_up(y)
            yield inner, length * wanted_states(target, last) - early

    block.ffn_down.weight.copy_(ridge(pairs()))
    head.output_norm.weight.copy_(SOFT * target.output_norm.weight)
    return head
