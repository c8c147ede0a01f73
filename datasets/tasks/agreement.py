"""Subject-verb agreement across distractors.

Held out: nouns (in training they are only in items where no other noun stands between subject and verb) and
prepositions. Training has many nouns, and random words for prepositions. Corrupted: the subject in the other number.
Answer and distractor: the verbs of each number.
"""
from .common import ANSWER, TEXT, cap, junk, natural, row, split
from .words import IRREGULAR, MORE_NOUNS, MORE_VERBS, NOUNS, VERBS, plural

PREPOSITIONS = ["near", "behind", "beside", "with", "under", "in front of", "on the left of", "before", "by", "above",
                "below", "close to", "next to", "at the side of", "on the other side of", "to the right of", "far from",
                "across", "over", "between the wall and", "of", "in", "on", "at", "for", "from", "without", "against",
                "among", "around", "after", "about", "like", "along with", "as well as", "together with", "on top of",
                "at the back of", "in the middle of", "at the foot of", "inside", "outside", "past", "beneath", "down",
                "up from", "out of", "on the way to", "by the side of", "not near", "behind or before", "instead of"]
HELD_PREPOSITIONS = ["beyond", "across from", "not far from", "opposite"]
HELD_WORDS = {"beyond", "opposite"}
TRAIN_NOUNS, HELD_NOUNS = split(NOUNS)
FORMS = [(n, plural(n)) for n in TRAIN_NOUNS + MORE_NOUNS] + IRREGULAR  # in training, anywhere
HELD_FORMS = [(n, plural(n)) for n in HELD_NOUNS]
ADJECTIVES = "old new little great red black white good poor young small large long dark first last other".split()
ENDS = {"is": ["old .", "very small .", "quite new .", "not here .", "in the house .", "no good .", "ready ."],
        "has": ["a name .", "no value .", "a long story .", "much to say .", "been here .", "fallen ."],
        "was": ["there .", "lost .", "seen again .", "in danger .", "found at last .", "never the same ."]}
ACTS = [("knows", "know"), ("likes", "like"), ("sees", "see"), ("loves", "love"), ("wants", "want"), ("makes", "make")]


def noun(rng, many, forms=FORMS):
    word = rng.choice(forms)[int(many)]
    return f" {rng.choice(ADJECTIVES)} {word}" if rng.random() < 0.15 else " " + word


def place(rng, env):
    if rng.random() < 0.5:
        return " " + rng.choice(PREPOSITIONS)
    while HELD_WORDS & set((words := junk(rng, env, 3)).split()):
        pass
    return words


def between(rng, env, many):
    """What stands between subject and verb: more often than not, all its nouns have the other number."""
    other = (lambda: not many) if rng.random() < 0.6 else (lambda: rng.random() < 0.5)
    kind = rng.random()
    if kind < 0.7:
        text = "".join(f"{place(rng, env)} the{noun(rng, other())}" for _ in range(rng.choice([1, 1, 1, 2, 2, 3])))
        return text + (f" and the{noun(rng, other())}" if rng.random() < 0.15 else "")
    others = other()
    text = f" that the{noun(rng, others)} {rng.choice(ACTS)[int(others)]}"
    return text if kind < 0.85 else text + f"{place(rng, env)} the{noun(rng, other())}"


def predicate(rng, many):
    """[(verb, class), (what follows, class)]"""
    if rng.random() < 0.8:
        verb = rng.choice(VERBS)
        return [(" " + verb[int(many)], ANSWER), (" " + rng.choice(ENDS[verb[0]]), TEXT)]
    return [(" " + rng.choice(MORE_VERBS)[int(many)], ANSWER), (rng.choice([" to me .", " here .", " again ."]), TEXT)]


def item(rng, env):
    many = rng.random() < 0.5
    if rng.random() < 0.15:  # nothing between subject and verb: the held-out nouns too
        subject, middle = noun(rng, many, FORMS + HELD_FORMS), ""
    else:
        subject, middle = noun(rng, many), between(rng, env, many)
    start = rng.choice(["the", "the", "the", "I know that the", "they say that the", "he said that the",
                        rng.choice(["my", "our", "his", "her", "your", "their"]), junk(rng, env, 4).strip() + " the"])
    out = [(cap(start) + subject + middle, TEXT), *predicate(rng, many)]
    if rng.random() < 0.25:  # the same subject once more
        out[-1] = (out[-1][0].removesuffix(" .") + rng.choice([" and", " , and", " , but"]), TEXT)
        out += predicate(rng, many)
    return natural(rng, out)


def rows(rng, env, n):
    for _ in range(n):
        word, many = rng.choice(HELD_NOUNS), rng.random() < 0.5
        middle = ""
        for _ in range(rng.choice([1, 1, 2])):  # every distractor has the number that the subject has not
            other = rng.choice([m for m in HELD_NOUNS if m != word])
            middle += f" {rng.choice(HELD_PREPOSITIONS)} the {other if many else plural(other)}"
        text = lambda plural_: f"The {plural(word) if plural_ else word}{middle}"
        forms = [[" " + v[k] for v in VERBS] for k in (0, 1)]
        yield row("agreement", text(many), text(not many), forms[int(many)], forms[int(not many)])
