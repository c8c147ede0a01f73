"""What the generators share. An item is a list of segments (text or ids, loss class); a class is one of these."""
import random
import re

from .words import NAMES

TEXT, ANSWER, NOISE = 0, 1, 2
WEIGHTS = [1.0, 3.0, 0.1]  # of the loss, by class: answers count more, random material hardly

HELD_NAMES = NAMES[::5]  # never in a training item of indirect object identification
TRAIN_NAMES = [n for n in NAMES if n not in HELD_NAMES]


def split(words, every=5, at=2):
    """(train, held out): every fifth word is held out."""
    held = words[at::every]
    return [w for w in words if w not in held], held


def rng_of(seed, *parts):
    return random.Random(f"{seed}/" + "/".join(map(str, parts)))


def row(task, clean, corrupted, answer, distractor, **more):
    return {"task": task, "clean": clean, "corrupted": corrupted, "answer": answer, "distractor": distractor, **more}


def junk(rng, env, most):
    """Random words: what surrounds a task is not to matter."""
    return "".join(rng.choices(env.lower_words, k=rng.randrange(1, most + 1)))


def natural(rng, item):
    """The item, or by the toss of a coin with its marks close to the words, as in print."""
    if rng.random() < 0.5:
        return item
    return [(re.sub(r" ([.,;:?])", r"\1", s) if kind == TEXT else s, kind) for s, kind in item]


def cap(text):
    return text[0].upper() + text[1:]
