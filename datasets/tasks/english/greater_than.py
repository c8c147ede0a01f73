"""Greater-than: a span begins in a year and ends in a later one. [Hanna et al. 2023]

`rows`: the last two digits are due, for tokenizers that cut years in two pairs of digits (GPT-2, Pythia). Answers: the
pairs above the first year's, distractors: the others from 01 (1700 is one token for GPT-2); corrupted: the first year
ends in 01. Five rows in six are of the 1700s, which both tokenizers cut so in all of its years.
`rows_digit`: the last digit alone is due, for tokenizers with one token a digit, or three digits a token; corrupted:
the first year ends in 0.
"""
from ..common import row
from .words import SPANS

TEMPLATES = ["The {noun} lasted from the year {a} to the year {c}", "The {noun} began in the year {a} and ended in the year {c}",
             "The {noun} started in {a} and was over in {c}", "The {noun} went on from {a} until {c}"]


def rows(rng, n):
    for i in range(n):
        century, start = (16 if i % 6 == 5 else 17), rng.randrange(2, 99)
        template = rng.choice(TEMPLATES)
        text = lambda y: template.format(noun=noun, a=f"{century}{y:02d}", c=century)
        noun = rng.choice(SPANS)
        yield row("greater-than", text(start), text(1), [f"{y:02d}" for y in range(start + 1, 100)],
                  [f"{y:02d}" for y in range(1, start + 1)])


def rows_digit(rng, n):
    for _ in range(n):
        decade, start = rng.randrange(110, 200), rng.randrange(3, 9)
        template = rng.choice(TEMPLATES)
        text = lambda d: template.format(noun=noun, a=f"{decade}{d}", c=decade)
        noun = rng.choice(SPANS)
        yield row("greater-than-digit", text(start), text(0), [str(d) for d in range(start + 1, 10)],
                  [str(d) for d in range(start + 1)])
