"""Induction: random words, then the first of them again. Corrupted: the last word is another of the list, so that
another successor is due. [Olsson et al. 2022]"""
from ..common import row
from .words import WORDS


def rows(rng, n):
    for _ in range(n):
        words = rng.sample(WORDS, rng.choice([8, 12, 16, 24]))
        k, j = rng.sample(range(2, len(words) - 1), 2)
        text = lambda last: "Words: " + " ".join(words + words[:k] + [words[last]])
        yield row("induction", text(k), text(j), " " + words[k + 1], " " + words[j + 1])
