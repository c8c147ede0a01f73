"""Induction: a random segment, then again. In training any ids but the held-out ones, and with words too.

Held out: a tenth of the ids is in no segment that repeats. It is in random material that does not, once in a while in
the place of another id of a copy, and in the pairs of mqar. Rows are words of held-out ids;
corrupted: the last token is another one of the segment, so that another successor is due.
"""
from .common import NOISE, TEXT, row


def item(rng, env):
    kind = rng.random()
    if kind < 0.15:  # random and never repeated, of all ids
        return [(rng.choices(env.all_ids, k=rng.randrange(5, 80)), NOISE)]
    pool = env.induction_ids if kind < 0.65 else env.induction_word_ids
    if rng.random() < 0.3:  # few ids, each several times
        pool = rng.sample(pool, rng.choice([8, 16, 32, 64, 128, 256]))
    length = min(int(2 ** rng.uniform(2.5, 7.6)), 200)
    segment = rng.choices(pool, k=length)
    slips = rng.choice([0, 0, 0, 0.04, 0.1])  # so often another id of all stands in a copy
    out = [(rng.choices(env.all_ids, k=rng.randrange(1, 30)), NOISE)] if rng.random() < 0.4 else []
    out.append((segment, NOISE))
    for _ in range(1 if length > 60 else rng.choice([1, 1, 2, 3])):
        if rng.random() < 0.3:
            out.append((rng.choices(env.all_ids, k=rng.randrange(1, 20)), NOISE))
        start = 0 if rng.random() < 0.7 else rng.randrange(length - 2)
        copy = [rng.choice(env.all_ids) if slips and rng.random() < slips else i for i in segment[start:]]
        out += [(copy[:1], NOISE), (copy[1:], TEXT)]
    return out


def rows(rng, env, n):
    for _ in range(n):
        words = rng.sample(env.induction_held, rng.choice([8, 12, 16, 24]))
        k, j = rng.sample(range(2, len(words) - 1), 2)
        text = lambda last: "".join(words + words[:k] + [words[last]])
        yield row("induction", text(k), text(j), words[k + 1], words[j + 1], segment="".join(words))
