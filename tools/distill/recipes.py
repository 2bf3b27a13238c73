"""The family of drafts, and how much of everything a preset spends on it."""

from __future__ import annotations

from dataclasses import dataclass

from heads import Head, start_exit, start_feature
from model import Llama, Shape, borrow_embedding, copy_layers, project_embedding
from text import Conversation, Lengths

HEAD = 32  # the size of a narrow draft's heads


@dataclass(frozen=True)
class Recipe:
    """How a draft starts and what it learns from.

    - role "": `layers` new ones, `hidden` wide, under an embedding of its own;
    - "draft": the layers `copied` from the target, under its embedding;
    - "feature" and "exit": a head on the target's states (`heads.py`), an exit's after the first
      `layers`.

    `tokens` are the places to learn from under the preset "cpu"; a preset multiplies them. A loss
    looks at `steps` drafted tokens in a row, and, `regression` times, at how far a head's states
    are from the target's.
    """

    name: str
    kind: str
    rate: float
    tokens: int
    role: str = ""
    copied: tuple[int, ...] = ()
    layers: int = 0
    hidden: int = 0
    steps: int = 1
    regression: float = 0.0

    def start(self, target: Llama, rows: list[Conversation], seed: int) -> Llama | Head:
        """The draft before training on `rows`."""
        if self.role == "draft":
            return borrow_embedding(copy_layers(target, self.copied), target)
        if self.role == "feature":
            return start_feature(target, rows, seed)
        if self.role == "exit":
            return start_exit(target, rows, self.layers)
        shape = Shape(
            layers=self.layers,
            hidden=self.hidden,
            heads=self.hidden // HEAD,
            kv_heads=max(1, self.hidden // HEAD // 3),
            head_size=HEAD,
            feed_forward=3 * self.hidden,
            vocabulary=target.shape.vocabulary,
            context=target.shape.context,
            rope_base=target.shape.rope_base,
            epsilon=target.shape.epsilon,
        )
        return project_embedding(target, shape, seed)

    def reads(self, target: Llama) -> tuple[int, ...]:
        """After how many of the target's layers the states are that the draft learns from."""
        last = target.shape.layers
        return {"feature": (last,), "exit": (self.layers, last)}.get(self.role, ())


FAMILY = (
    Recipe("draft-1x32", "Q8_0", rate=6e-3, tokens=150_000, layers=1, hidden=32),
    Recipe("draft-2x64", "Q8_0", rate=6e-3, tokens=150_000, layers=2, hidden=64),
    Recipe("draft-2x128", "Q4_0", rate=4e-3, tokens=150_000, layers=2, hidden=128),
    Recipe("draft-4x192", "Q4_0", rate=3e-3, tokens=150_000, layers=4, hidden=192),
    Recipe("draft-2x576", "Q8_0", rate=5e-4, tokens=150_000, role="draft", copied=(0, 29)),
    Recipe("draft-4x576", "Q8_0", rate=5e-4, tokens=150_000, role="draft", copied=(0, 1, 28, 29)),
    Recipe("draft-6x576", "Q8_0", rate=5e-4, tokens=150_000, role="draft",
           copied=(0, 1, 2, 27, 28, 29)),
    Recipe("draft-feature", "Q4_1", rate=1.5e-3, tokens=156_000, role="feature", steps=3,
           regression=3.0),
    Recipe("draft-exit", "Q8_0", rate=3e-3, tokens=20_000, role="exit", layers=4),
)


@dataclass(frozen=True)
class Preset:
    """How much text and training, and which drafts by default.

    `spread` is the most, in nats, by which the loss of a rerun may differ.
    """

    text_tokens: int
    held_out_tokens: int
    rows: int
    lengths: Lengths
    batch: int
    training: float
    spread: float
    drafts: tuple[str, ...]


ALL = tuple(recipe.name for recipe in FAMILY)
PRESETS = {
    "check": Preset(5_000, 2_500, 48, Lengths(32, 96), 1024, 1 / 5, 0.3, ALL[:2]),
    "cpu": Preset(50_000, 15_000, 96, Lengths(48, 160), 1024, 1, 0.3, ALL),
    "gpu": Preset(10_000_000, 100_000, 1024, Lengths(64, 256), 16_384, 200, 0.3, ALL),
}
