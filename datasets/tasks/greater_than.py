"""Greater-than: a span begins in a year; the year it ends in has the same century and later last two digits.

Held out: templates, nouns, and two thirds of the first years of the century 17. Corrupted: the year begins with 01,
which allows nearly every end. Answer: all later pairs of digits; distractor: all others.
"""
from .common import ANSWER, TEXT, junk, natural, row, split
from .words import CENTURIES, SPANS

TEMPLATES = ["The{noun} began in {a} and ended in {c}", "The{noun} ran from {a} until {c}",
             "From {a} to the end of the{noun} in {c}", "The{noun} started in the year {a} and was over in {c}",
             "The{noun} lasted from {a} to {c}", "They say that the{noun} went on from the year {a} until {c}",
             "It was in {a} that the{noun} began , and it ended in {c}", "The{noun} of {a} was over in {c}",
             "The{noun} started in {a} and ended in the year {c}", "The{noun} went on from {a} to {c}",
             "In the year {a} the{noun} began , and in the year {c}", "After {a} the{noun} lasted until {c}",
             "The{noun} , which began in {a} , did not end until the year {c}", "Between {a} and {c}"]
HELD_TEMPLATES = ["The{noun} lasted from the year {a} to the year {c}",
                  "The{noun} began in the year {a} and ended in the year {c}"]


def held(century, start):
    return century == 17 and start % 3 != 0


def item(rng, env):
    century, start = rng.choice(CENTURIES), rng.randrange(1, 99)
    while held(century, start):
        start = rng.randrange(1, 99)
    lead = junk(rng, env, 4).strip().capitalize() + " , " if rng.random() < 0.2 else ""
    text = lead + rng.choice(TEMPLATES).format(noun=" " + rng.choice(split(SPANS)[0]), a=f"{century}{start:02d}", c=century)
    return natural(rng, [(text, TEXT), (f"{rng.randrange(start + 1, 100):02d}", ANSWER), (" .", TEXT)])


def rows(rng, env, n):
    years = [y for y in range(2, 98) if held(17, y)]
    for _ in range(n):
        start = rng.choice(years)
        words = dict(noun=" " + rng.choice(split(SPANS)[1]), c=17)
        template = rng.choice(HELD_TEMPLATES)
        yield row("greater-than", template.format(a=f"17{start:02d}", **words),
                  template.format(a="1701", **words), [f"{i:02d}" for i in range(start + 1, 100)],
                  [f"{i:02d}" for i in range(start + 1)])
