"""Subject and verb, with nouns of the other number between them. Corrupted: the subject in the other number.
[Linzen et al. 2016]"""
from ..common import row
from .words import NOUNS

BETWEEN = ["near", "behind", "beside", "under", "with", "above", "across from", "next to", "in front of"]
VERBS = [("is", "are"), ("was", "were"), ("has", "have")]


def rows(rng, n):
    for i in range(n):
        many = i % 2 == 0
        words = rng.sample(NOUNS, 1 + rng.choice([1, 1, 2]))
        middle = "".join(f" {rng.choice(BETWEEN)} the {word if many else word + 's'}" for word in words[1:])
        text = lambda plural: f"The {words[0]}{'s' if plural else ''}{middle}"
        forms = [[" " + verb[k] for verb in VERBS] for k in (0, 1)]
        yield row("agreement", text(many), text(not many), forms[many], forms[not many])
