"""Indirect object identification, half ABBA (the answer is named first), half BABA. Corrupted: the giver is the other
name, so that the answer flips. [Wang et al. 2022]"""
from ..common import row
from .words import NAMES, PLACES, THINGS

OPEN = ["When {x} and {y} went to the {place},", "Then, {x} and {y} went to the {place}.", "After {x} and {y} left the {place},",
        "While {x} and {y} were at the {place},", "Yesterday, {x} and {y} met at the {place}.",
        "Once {x} and {y} arrived at the {place},", "In the evening, {x} and {y} sat in the {place} and",
        "Then, {x} and {y} had a long argument at the {place}, and"]
CLOSE = ["{s} gave a {thing} to", "{s} handed a {thing} to", "{s} wanted to give the {thing} to",
         "{s} decided to give a {thing} to", "{s} passed the {thing} to"]


def rows(rng, n):
    for i in range(n):
        io, s = rng.sample(NAMES, 2)
        form = "ABBA" if i % 2 == 0 else "BABA"
        x, y = (io, s) if form == "ABBA" else (s, io)
        words = dict(x=x, y=y, place=rng.choice(PLACES), thing=rng.choice(THINGS))
        template = rng.choice(OPEN) + " " + rng.choice(CLOSE)
        yield row("ioi", template.format(s=s, **words), template.format(s=io, **words), " " + io, " " + s, form=form)
