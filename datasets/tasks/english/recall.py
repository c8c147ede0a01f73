"""Key-value recall: a list of pairs, then one of the keys. Corrupted: another key of the list. [Arora et al. 2023]"""
from ..common import row
from .words import WORDS

FORMS = [("Pairs: ", " = ", "; "), ("Dictionary: ", " -> ", ", "), ("List: ", " is ", ", ")]


def rows(rng, n):
    for _ in range(n):
        head, link, end = rng.choice(FORMS)
        count = rng.choice([4, 6, 8, 12])
        words = rng.sample(WORDS, 2 * count)
        pairs = list(zip(words[:count], words[count:]))
        text = head + "".join(k + link + v + end for k, v in pairs)
        (k, v), (k2, v2) = rng.sample(pairs, 2)
        link = link.rstrip()
        yield row("recall", text + k + link, text + k2 + link, " " + v, " " + v2, pairs=count)
