"""Subject-verb agreement across distractors. Held out: nouns, prepositions, adjectives and the double form.

Corrupted: the subject in the other number. Answer and distractor: the verbs of each number.
"""
from .common import ANSWER, TEXT, cap, junk, row, split
from .words import NOUNS, VERBS, plural

PREPOSITIONS = ["near", "behind", "beside", "with", "under", "in front of", "on the left of", "before", "by", "above",
                "below", "close to", "next to", "at the side of", "on the other side of", "to the right of", "far from",
                "across", "over", "between the wall and"]
HELD_PREPOSITIONS = ["beyond", "across from", "not far from", "opposite"]
ENDS = {"is": ["old .", "very small .", "quite new .", "not here ."], "has": ["a name .", "no value .", "a long story ."],
        "was": ["there .", "lost .", "seen again .", "in danger ."]}
ACTS = [("knows", "know"), ("likes", "like"), ("sees", "see"), ("loves", "love")]


def noun(rng, nouns):
    word, many = rng.choice(nouns), rng.random() < 0.5
    return " " + (plural(word) if many else word), many


def item(rng, env):
    nouns = split(NOUNS)[0]
    (subject, many), (other, others) = noun(rng, nouns), noun(rng, nouns)
    kind = rng.random()
    if kind < 0.55:
        place = rng.choice(PREPOSITIONS) if rng.random() < 0.6 else junk(rng, env, 3).strip()
        middle = f" {place} the{other}"
        if rng.random() < 0.3:
            middle += f" and the{noun(rng, nouns)[0]}"
    elif kind < 0.75:
        middle = f" that the{other} {rng.choice(ACTS)[int(others)]}"
    elif kind < 0.85:
        middle = f" {rng.choice(PREPOSITIONS)} the{other} {rng.choice(PREPOSITIONS)} the{noun(rng, nouns)[0]}"
    else:
        middle = ""
    verb = rng.choice(VERBS)
    start = rng.choice(["the", "the", "I know that the", "they say that the", junk(rng, env, 4).strip() + " the"])
    return [(cap(start) + subject + middle, TEXT), (" " + verb[int(many)], ANSWER), (" " + rng.choice(ENDS[verb[0]]), TEXT)]


def rows(rng, env, n):
    nouns = split(NOUNS)[1]
    for _ in range(n):
        word, many = rng.choice(nouns), rng.random() < 0.5
        middle = ""
        for _ in range(rng.choice([1, 1, 2])):  # every distractor has the number that the subject has not
            other = rng.choice([m for m in nouns if m != word])
            middle += f" {rng.choice(HELD_PREPOSITIONS)} the {other if many else plural(other)}"
        text = lambda plural_: f"The {plural(word) if plural_ else word}{middle}"
        forms = [[" " + v[k] for v in VERBS] for k in (0, 1)]
        yield row("agreement", text(many), text(not many), forms[int(many)], forms[int(not many)])
