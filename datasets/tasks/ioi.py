"""Indirect object identification: two names, one comes again as the giver, the other is the answer.

Held out: names, openings, verbs, places, things. A held-out name is in no item with two names; it is in items with a
single name (mention), and so in the output of the model as often as others. Some training items have other capitalised
words for names, or random words for all but the names. Corrupted: the giver is the other name, so the answer flips.
"""
from .common import ANSWER, HELD_NAMES, NAMES, TEXT, TRAIN_NAMES, cap, junk, natural, row, split
from .words import PLACES, THINGS

LEADS = ["When", "While", "After", "Before", "Because", "Since", "As soon as", "Just as",
         "Though", "Until", "Whenever", "If", "On the day when", "The moment", "In the week when", "Where", "As long as"]  # then " ,"
STARTS = ["One day", "On Sunday", "Then", "Yesterday", "Once", "Last week", "In the morning", "Now", "At last", "So", "In the summer",
          "Then at last", "Later", "This time", "Next", "In the book", "Two days later", "Of course"]
ACTS = ["went to the{place}", "were at the{place}", "came back from the{place}", "met at the{place}",
        "walked past the{place}", "sat in the{place}", "had dinner at the{place}", "were working at the{place}",
        "had a long talk at the{place}", "found a{thing} at the{place}", "ran to the{place}", "got to the{place}",
        "were in the{place}", "looked for a{thing} in the{place}",
        "entered the{place}", "saw the{place}", "passed the{place}", "reached the{place}", "drove to the{place}",
        "stayed in the{place}", "were shown the{place}", "fled from the{place}", "loved the{place}",
        "could see the{place}", "spoke of the{place}", "crossed the{place}"]
GIVES = ["gave", "handed", "sent", "offered", "showed", "passed", "sold", "lent", "threw", "wanted to give",
         "decided to give", "tried to hand", "promised to send", "had to give", "took and gave"]
WHICH = ["a{thing} to", "the{thing} to", "an old{thing} to", "this{thing} to", "the last{thing} to", "the red{thing} to"]
SAYS = ["said hello to", "began to talk to", "made a promise to", "told the truth to", "wrote a letter to",
        "said something to"]
HELD_OPEN = ["Then ,{x} and{y} went to the{place} .", "In the evening{x} and{y} arrived at the{place} , and",
             "As{x} and{y} left the{place} ,"]
HELD_CLOSE = ["{s} brought a{thing} to", "{s} gave a small{thing} to", "{s} told a story to"]
ALONE = ["{x} was alone at the{place} . The{thing} was sent to", "One day{x} came to the{place} , and we all spoke to",
         "In the{place} there was{x} . They gave the{thing} to", "The{thing} belonged to{x} . We took it back to",
         "We asked{x} about the{thing} . Then we said hello to"]


def opening(rng, env):
    if rng.random() < 0.35:  # random words for everything but the two names
        start, link = cap(junk(rng, env, 3).strip()), rng.choice([" ,", " .", " , and"])
        return start + rng.choice(["", "", " ,"]) + "{x} and{y}" + junk(rng, env, 4) + " the{place}" + link
    if rng.random() < 0.5:
        return rng.choice(LEADS) + "{x} and{y} " + rng.choice(ACTS) + " ,"
    return rng.choice(STARTS) + "{x} and{y} " + rng.choice(ACTS) + rng.choice([" .", " , and", " , but"])


def closing(rng, env):
    if rng.random() < 0.35:
        return "{s}" + junk(rng, env, 3) + rng.choice([" a{thing} to", " the{thing} to", " to"])
    return "{s} " + (rng.choice(SAYS) if rng.random() < 0.2 else f"{rng.choice(GIVES)} {rng.choice(WHICH)}")


def fill(rng, names, places, things, o, c):
    io, s = rng.sample(names, 2)
    x, y = (io, s) if rng.random() < 0.5 else (s, io)
    words = dict(x=" " + x, y=" " + y, place=" " + rng.choice(places), thing=" " + rng.choice(things))
    text = lambda giver: o.format(**words) + c.format(**words, s=" " + giver)
    return io, s, text(s), text(io)


def item(rng, env):
    places, things = split(PLACES)[0], split(THINGS)[0]
    if rng.random() < 0.2:
        name = " " + rng.choice(NAMES)
        text = rng.choice(ALONE).format(x=name, place=" " + rng.choice(places), thing=" " + rng.choice(things))
        return natural(rng, [(text, TEXT), (name, ANSWER), (" .", TEXT)])
    names = TRAIN_NAMES if rng.random() < 0.7 else env.capitals
    io, _, text, _ = fill(rng, names, places, things, opening(rng, env), closing(rng, env))
    return natural(rng, [(text, TEXT), (" " + io, ANSWER), (" .", TEXT)])


def rows(rng, env, n):
    places, things = split(PLACES)[1], split(THINGS)[1]
    for _ in range(n):
        io, s, clean, corrupted = fill(rng, HELD_NAMES, places, things, rng.choice(HELD_OPEN), rng.choice(HELD_CLOSE))
        yield row("ioi", clean, corrupted, " " + io, " " + s)
