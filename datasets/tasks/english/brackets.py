"""Brackets of four kinds: the innermost open one is to be closed. Corrupted: that bracket is of another kind."""
from ..common import row
from .words import BRACKETS


def sequence(rng, length, depth):
    """A balanced sequence of (kind, is closing)."""
    out, stack = [], []
    while len(out) + len(stack) < length or stack:
        full = len(out) + len(stack) >= length - 1
        if stack and (full or len(stack) >= depth or rng.random() < 0.45):
            out.append((stack.pop(), True))
        else:
            stack.append(rng.randrange(len(BRACKETS)))
            out.append((stack[-1], False))
    return out


def opener(tokens, i):
    """Where the bracket was opened that tokens[i] closes."""
    level = 0
    for j in range(i, -1, -1):
        level += 1 if tokens[j][1] else -1
        if level == 0:
            return j
    raise ValueError("the sequence is not balanced")


def rows(rng, n):
    for _ in range(n):
        tokens = sequence(rng, 2 * rng.randrange(5, 14), rng.randrange(2, 6))
        i = rng.choice([i for i, (_, closing) in enumerate(tokens) if closing and i >= 5])
        j, kind = opener(tokens, i), tokens[i][0]
        other = rng.choice([k for k in range(len(BRACKETS)) if k != kind])
        text = lambda k: "Brackets:" + "".join(
            " " + BRACKETS[k if at == j else t][closing] for at, (t, closing) in enumerate(tokens[:i]))
        yield row("brackets", text(kind), text(other), " " + BRACKETS[kind][1], " " + BRACKETS[other][1])
