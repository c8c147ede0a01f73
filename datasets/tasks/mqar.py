"""Key-value recall: a list of pairs, then some of the keys again in another order. Held out: a tenth of the words."""
from .common import ANSWER, NOISE, TEXT, row

FORMS = [("Pairs :", "", " ,"), ("List :", " =", " ;"), ("Table :", " :", " ,")]


def item(rng, env):
    head, link, end = rng.choice(FORMS)
    n = rng.choice([2, 3, 4, 6, 8, 8, 12, 16, 24])
    words = rng.sample(env.mqar_words, 2 * n)
    pairs = list(zip(words[:n], words[n:]))
    out = [(head, TEXT)]
    for k, v in pairs:
        out += [(k, NOISE), (link, TEXT), (v, NOISE), (end, TEXT)]
    out.append((" ?", TEXT))
    for k, v in rng.sample(pairs, rng.randrange(1, n + 1)):
        out += [(k, NOISE), (link, TEXT), (v, ANSWER), (end, TEXT)]
    return out


def rows(rng, env, count):
    for _ in range(count):
        head, link, end = rng.choice(FORMS)
        n = rng.choice([4, 8, 12, 16])
        words = rng.sample(env.mqar_held, 2 * n)
        pairs = list(zip(words[:n], words[n:]))
        text = head + "".join(k + link + v + end for k, v in pairs) + " ?"
        (k, v), (k2, v2) = rng.sample(pairs, 2)
        yield row("mqar", text + k + link, text + k2 + link, v, v2, pairs=n)
