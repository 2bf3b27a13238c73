"""A check that no evaluation prompt stands in the training text: shared n-grams of words."""

from __future__ import annotations

import json
import re
from pathlib import Path

WORDS = 8  # Shorter than GPT-3's 13 (arXiv 2005.14165, appendix C), so stricter.


def words_of(text: str) -> list[str]:
    """A text's words and numbers, in lower case."""
    return re.findall(r"\w+", text.lower())


def ngrams_of(text: str) -> set[tuple[str, ...]]:
    """All runs of `WORDS` words; a shorter text is one run."""
    words = words_of(text)
    return {tuple(words[i : i + WORDS]) for i in range(max(1, len(words) - WORDS + 1))}


class Ngrams:
    """The n-grams of some texts, to be looked for in others."""

    def __init__(self, texts: list[str]) -> None:
        self.known = set().union(*map(ngrams_of, texts))

    def found_in(self, text: str) -> set[tuple[str, ...]]:
        """Those that stand in `text`."""
        return self.known & ngrams_of(text)


def prompt_texts(value: object) -> list[str]:
    """All strings under a "text" or "content" key of a prompt file, at any depth."""
    if isinstance(value, list):
        return [text for item in value for text in prompt_texts(item)]
    if not isinstance(value, dict):
        return []
    own = [value[key] for key in ("text", "content") if isinstance(value.get(key), str)]
    return own + [text for item in value.values() for text in prompt_texts(item)]


def evaluation_ngrams(directory: Path) -> Ngrams:
    """The n-grams of all prompts in `directory`."""
    files = sorted(directory.glob("*.json"))
    return Ngrams([text for file in files for text in prompt_texts(json.loads(file.read_text()))])
