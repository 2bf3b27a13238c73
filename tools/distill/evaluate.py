"""What a draft is worth: its divergence from the target, and the acceptance to expect."""

from __future__ import annotations

import numpy as np
import torch

from model import Llama
from text import Conversation
from train import make_batch

ROWS = 16


def answer_only(row: Conversation) -> Conversation:
    """The row, scored only in its last turn: where no forced token lies between two places."""
    gaps = np.flatnonzero(np.diff(np.asarray(row.places, np.int64)) > 1)
    start = gaps[-1] + 1 if len(gaps) else 0
    return Conversation(
        row.kind, row.temperature, row.tokens, row.places[start:], row.top_ids[start:],
        row.top_log_probs[start:],
    )


@torch.inference_mode()
def evaluate(draft: Llama, rows: list[Conversation]) -> dict[str, object]:
    """Loss and acceptance over the rows' last answers, together and by kind of task.

    - `loss`: KL(target ‖ draft) in nats, the target's stored probabilities made to sum to 1. Its
      least is minus the logarithm of their sum before that, not 0.
    - `greedy`: share of places, in text of temperature 0, where both find the same token likeliest.
    - `sampled`: Σ min(p, q), in text of temperature 1 (Leviathan et al., arXiv 2211.17192, theorem
      3.5), over the stored tokens: a lower bound, low by at most the target's mass beyond them.
    """
    draft.eval()
    losses: list[np.ndarray] = []
    greedy: dict[str, list[float]] = {}
    sampled: dict[str, list[float]] = {}
    ordered = sorted(rows, key=lambda row: len(row.tokens))
    for start in range(0, len(ordered), ROWS):
        part = [answer_only(row) for row in ordered[start : start + ROWS]]
        batch = make_batch(part, draft.token_embd.weight.device)
        hidden = draft(batch.tokens)[batch.rows, batch.columns]
        log_q = draft.logits(hidden).float().log_softmax(-1)
        same = (log_q.argmax(-1) == batch.top_ids[:, 0]).float().cpu().numpy()
        log_q = log_q.gather(1, batch.top_ids)
        log_p = batch.top_log_probs
        common = torch.minimum(log_p, log_q).exp().sum(-1).cpu().numpy()
        wanted = log_p.log_softmax(-1)
        losses.append((wanted.exp() * (wanted - log_q)).sum(-1).cpu().numpy())
        where = batch.rows.cpu().numpy()
        for index, row in enumerate(part):
            if row.temperature == 0:
                greedy.setdefault(row.kind, []).extend(same[where == index])
            elif row.temperature == 1:
                sampled.setdefault(row.kind, []).extend(common[where == index])

    def means(by_kind: dict[str, list[float]]) -> dict[str, float]:
        everything = [value for values in by_kind.values() for value in values]
        named = {"all": everything, **dict(sorted(by_kind.items()))}
        return {kind: round(float(np.mean(values)), 4) for kind, values in named.items() if values}

    loss = round(float(np.concatenate(losses).mean()), 4)
    return {"loss": loss, "greedy": means(greedy), "sampled": means(sampled)}
