"""Bracket matching with four kinds. Held out: a tenth of all sequences, by a checksum.

A row ends where one bracket at least is open; answer: its closing bracket, distractor: the closing bracket of another
kind, due in the corrupted prompt, where the innermost open bracket is of that kind.
"""
import zlib

from .common import ANSWER, NOISE, TEXT, row
from .words import BRACKETS


def sequence(rng, length, depth):
    """[(token, kind, is closing)] of a balanced sequence."""
    out, stack = [], []
    while len(out) + len(stack) < length or stack:
        full = len(out) + len(stack) >= length - 1
        if stack and (full or len(stack) >= depth or rng.random() < 0.45):
            kind = stack.pop()
            out.append((" " + BRACKETS[kind][1], kind, True))
        else:
            stack.append(rng.randrange(4))
            out.append((" " + BRACKETS[stack[-1]][0], stack[-1], False))
    return out


def held(tokens):
    return zlib.crc32("".join(t[0] for t in tokens[:10]).encode()) % 10 == 0


def item(rng, env):
    while held(s := sequence(rng, 2 * rng.randrange(3, 16), rng.randrange(2, 8))):
        pass
    return [("Brackets :", TEXT)] + [(t, ANSWER if closing else NOISE) for t, _, closing in s] + [(" .", TEXT)]


def rows(rng, env, n):
    while n:
        s = sequence(rng, 2 * rng.randrange(6, 16), rng.randrange(2, 7))
        if not held(s):
            continue
        ends = [i for i, t in enumerate(s) if t[2] and i >= 10]
        i = rng.choice(ends)
        kind, level = s[i][1], 0
        for j in range(i - 1, -1, -1):  # the bracket that s[i] closes
            if not s[j][2] and level == 0:
                break
            level += 1 if s[j][2] else -1
        other = rng.choice([k for k in range(4) if k != kind])
        tokens = [t[0] for t in s[:i]]
        swapped = tokens[:j] + [" " + BRACKETS[other][0]] + tokens[j + 1:]
        yield row("brackets", "Brackets :" + "".join(tokens), "Brackets :" + "".join(swapped),
                  " " + BRACKETS[kind][1], " " + BRACKETS[other][1], choices=[" " + b[1] for b in BRACKETS])
        n -= 1
