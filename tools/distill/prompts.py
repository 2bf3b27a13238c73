"""The requests that the target answers, by the study's kinds of task.

An opening is a request's first words: the target goes on with them (Magpie, arXiv 2406.08464, with
a first push). A frame is a whole request around a passage that the target wrote before.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

OPENINGS = {
    "code": (
        "Write a {code} function that", "Write a {code} program which", "In {code}, implement a",
        "Write a {code} class for a {thing}", "Write a {code} function `{verb}_{noun}` that",
        "Show me {code} code to", "Write a regular expression that", "Write an SQL query that",
        "Write a unit test in {code} for a function that", "Write a bash script that",
    ),
    "maths": (
        "{name} has {n} {items}.", "A {thing} costs {n} dollars.", "{name} drives at {n} km/h",
        "Solve the equation {n}x + {m} =", "What is {n} plus {m} times", "Find the area of a",
        "A recipe for {n} people needs {m}", "What is {m}% of {n}?", "{name} saves {n} euros a",
        "A train leaves at {m} o'clock and", "A class of {n} pupils",
        "A tank holds {n} litres of water and",
    ),
    "story": (
        "Write a short story about a {person} who", "Tell me a story in which a {person}",
        "Write the first chapter of a novel about a {person}", "Describe a {place} at",
        "Write a poem about a {thing}", "Write a dialogue between a {person} and a {person}",
        "Continue this story: The {person} opened the door of the {place} and",
        "Write a letter from a {person} to", "Write a diary entry of a {person}",
    ),
    "translation": (
        "Translate into {language}: \"", "Translate this sentence from English to {language}: \"",
        "How do you say in {language}: \"", "Translate to {language}.\n\nThe {person}",
        "Give the {language} translation of: \"The {thing}",
    ),
    "chat": (
        "", "", "", "", "", "", "How do I", "What is the best way to", "Explain", "Why do",
        "Give me a list of", "Can you help me", "What is the difference between",
        "I need advice on",
        "Plan a trip to a {place}", "Compare", "Write an email to", "Who was", "How does a {thing}",
    ),
}

FRAMES = {
    "edit": (
        "Rename the function in this code to `{verb}_{noun}`. Change nothing else.\n\n{passage}",
        "Add a comment to each line of this code:\n\n{passage}",
        "Add type hints to the following code and return all of it:\n\n{passage}",
        "Here is some code:\n\n{passage}\n\n"
        "Rename one variable to `{noun}` and print the new code.",
        "Fix any mistakes in this code and give the full corrected version.\n\n{passage}",
        "Add a docstring to this code. Leave the rest as it is.\n\n{passage}",
        "Make this code print \"{noun}\" at the end:\n\n{passage}",
        "Correct spelling and grammar, and change as little as possible:\n\n{passage}",
    ),
    "extract": (
        "Copy the text below exactly.\n\n{passage}",
        "Repeat this word for word:\n\n{passage}",
        "Quote the first two sentences of this text.\n\n{passage}",
        "List all the names and numbers in this text.\n\n{passage}",
        "Text:\n{passage}\n\nPrint the text again without any change.",
        "Extract the key facts from the text as a list, in its own words.\n\n{passage}",
        "Write this text as one sentence a line, with no other change:\n\n{passage}",
        "Answer with the exact words of the text: what is it about?\n\n{passage}",
    ),
    "summary": (
        "Summarize this text in one sentence:\n\n{passage}",
        "Summarise the text below in three bullet points.\n\n{passage}",
        "{passage}\n\nWhat are the main points of this text?",
        "Give a short summary.\n\n{passage}", "TL;DR of the following:\n\n{passage}",
        "Shorten this text to half its length:\n\n{passage}",
        "Write a title and a two-line abstract for this text:\n\n{passage}",
    ),
    "translation": (
        "Translate the following text into {language}.\n\n{passage}",
        "{passage}\n\nTranslate the text above to {language}.",
    ),
}

KINDS = ("code", "edit", "extract", "summary", "translation", "maths", "story", "chat")

WORDS = {
    "code": ("Python", "Python", "Python", "JavaScript", "TypeScript", "Java", "C", "C++", "Rust"),
    "language": ("French", "German", "Spanish", "Italian", "Portuguese", "Dutch"),
    "name": ("Anna", "Ben", "Chen", "Dina", "Emil", "Fatima", "Goran", "Hana", "Ivo", "Jun"),
    "items": ("apples", "books", "coins", "marbles", "tickets", "pencils", "eggs", "cards", "cups"),
    "thing": (
        "bicycle", "bridge", "calendar", "camera", "clock", "garden", "guitar", "lamp", "library",
        "map", "mirror", "phone", "queue", "river", "rocket", "shop", "stack", "tree", "umbrella",
    ),
    "person": (
        "baker", "child", "detective", "doctor", "farmer", "fisherman", "gardener", "king", "nurse",
        "painter", "pilot", "robot", "sailor", "scientist", "soldier", "teacher", "thief", "witch",
    ),
    "place": (
        "beach", "castle", "city", "desert", "farm", "forest", "harbour", "hospital", "island",
        "market", "mountain", "museum", "school", "ship", "station", "theatre", "village",
    ),
    "verb": ("add", "count", "find", "get", "join", "make", "parse", "read", "sort", "update"),
    "noun": ("file", "index", "items", "list", "name", "number", "result", "row", "total", "word"),
}


@dataclass(frozen=True)
class Sources:
    """What the target wrote before: passages by kind, and whole chats as tokens."""

    passages: dict[str, list[str]]
    chats: list[list[int]]


@dataclass(frozen=True)
class Request:
    """What a user says, perhaps after an earlier chat; if `open`, the target writes the rest."""

    kind: str
    text: str
    open: bool
    history: list[int] | None = None


def draw_request(rng: random.Random, kind: str, sources: Sources) -> Request:
    """Draws a request of a kind.

    While there is no passage yet, kinds that need one give a code or chat request instead.
    """
    passages = sources.passages["code"] if kind == "edit" else [
        passage for other in ("story", "chat", "maths") for passage in sources.passages[other]
    ]
    if kind == "chat" and sources.chats and rng.random() < 0.5:
        return Request(kind, "", open=True, history=rng.choice(sources.chats))
    framed = kind in FRAMES and len(passages) > 0 and (kind not in OPENINGS or rng.random() < 0.5)
    if not framed and kind not in OPENINGS:
        kind = "code" if kind == "edit" else "chat"
    pattern = rng.choice(FRAMES[kind] if framed else OPENINGS[kind])
    words = {name: rng.choice(choices) for name, choices in WORDS.items()}
    passage = rng.choice(passages) if framed else ""
    text = pattern.format(n=rng.randint(2, 400), m=rng.randint(2, 60), passage=passage, **words)
    return Request(kind, text, open=not framed)
