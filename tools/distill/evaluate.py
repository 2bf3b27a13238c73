"""What a draft is worth: its divergence from the target, and the acceptance to expect."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from heads import Head
from model import Llama
from text import Conversation
from train import make_batch

ROWS = 16
CHAIN = 4  # tokens drafted in a row


def answer_only(row: Conversation) -> Conversation:
    """The row, scored only in its last turn: where no forced token lies between two places."""
    gaps = np.flatnonzero(np.diff(np.asarray(row.places, np.int64)) > 1)
    start = gaps[-1] + 1 if len(gaps) else 0
    return replace(
        row, places=row.places[start:], top_ids=row.top_ids[start:],
        top_log_probs=row.top_log_probs[start:],
    )


def decode(same: np.ndarray) -> np.ndarray:
    """Greedy speculation through a text, told by step and place whether the draft says its token.

    Returns how many tokens were tested and how many accepted, by step: [2, steps].
    """
    steps, places = same.shape
    counts, place = np.zeros((2, steps), np.int64), 0
    while place < places:
        accepted = 0
        for step in range(min(steps, places - place)):
            counts[0, step] += 1
            if not same[step, place + step]:
                break
            counts[1, step] += 1
            accepted += 1
        place += accepted + 1
    return counts


@torch.inference_mode()
def evaluate(draft: Llama | Head, rows: list[Conversation]) -> dict[str, object]:
    """Loss and acceptance over the rows' last answers, together and by kind of task.

    - `loss`: KL(target ‖ draft) in nats, the target's stored probabilities made to sum to 1. Its
      least is minus the logarithm of their sum before that, not 0.
    - `greedy`: share of places, in text of temperature 0, where both find the same token likeliest.
    - `sampled`: Σ min(p, q), in text of temperature 1 (Leviathan et al., arXiv 2211.17192, theorem
      3.5), over the stored tokens: a lower bound, low by at most the target's mass beyond them.
    - `chain`: acceptance per tested token when text of temperature 0 is decoded with `CHAIN` drafted
      tokens a round; `steps`: the same by place in the round.

    The first three look one token ahead of the target; `chain` also at tokens after drafted ones.
    """
    draft.eval()
    losses: list[np.ndarray] = []
    greedy: dict[str, list[float]] = {}
    sampled: dict[str, list[float]] = {}
    chain: dict[str, np.ndarray] = {}
    ordered = sorted(rows, key=lambda row: (row.temperature, len(row.tokens)))
    for start in range(0, len(ordered), ROWS):
        part = [answer_only(row) for row in ordered[start : start + ROWS]]
        batch = make_batch(part, draft.token_embd.weight.device)
        steps = CHAIN if part[0].temperature == 0 else 1
        unrolled = draft.unroll(batch.tokens, batch.states, steps)
        where, same = batch.rows.cpu().numpy(), []
        for step, hidden in enumerate(unrolled):
            if step > 0 and hidden is unrolled[0]:
                same.append(same[0])
                continue
            log_q = draft.logits(hidden[batch.rows, batch.columns]).float().log_softmax(-1)
            same.append((log_q.argmax(-1) == batch.top_ids[:, 0]).cpu().numpy())
            if step == 0:
                log_q, log_p = log_q.gather(1, batch.top_ids), batch.top_log_probs
                common = torch.minimum(log_p, log_q).exp().sum(-1).cpu().numpy()
                wanted = log_p.log_softmax(-1)
                losses.append((wanted.exp() * (wanted - log_q)).sum(-1).cpu().numpy())
        for index, row in enumerate(part):
            at = where == index
            if row.temperature == 0:
                greedy.setdefault(row.kind, []).extend(same[0][at])
                counts = decode(np.stack(same)[:, at])
                chain[row.kind] = chain.get(row.kind, 0) + counts
            elif row.temperature == 1:
                sampled.setdefault(row.kind, []).extend(common[at])

    def means(by_kind: dict[str, list[float]]) -> dict[str, float]:
        everything = [value for values in by_kind.values() for value in values]
        named = {"all": everything, **dict(sorted(by_kind.items()))}
        return {kind: round(float(np.mean(values)), 4) for kind, values in named.items() if values}

    def rates(counts: np.ndarray) -> np.ndarray:
        tested, accepted = counts
        return (accepted / np.maximum(tested, 1)).round(4)

    total = sum(chain.values(), np.zeros((2, CHAIN), np.int64))
    counted = {"all": total, **dict(sorted(chain.items()))}
    return {
        "loss": round(float(np.concatenate(losses).mean()), 4),
        "greedy": means(greedy),
        "sampled": means(sampled),
        "chain": {kind: float(rates(counts.sum(-1))) for kind, counts in counted.items()},
        "steps": rates(total).tolist(),
    }
