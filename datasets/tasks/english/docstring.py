"""Arguments of a docstring, for models that know code: the next argument of the definition is due. Corrupted: it has
changed places with the one behind it. [Heimersheim and Janiak 2023]"""
from ..common import row
from .words import ARGUMENTS, WORDS

ABOUT = [word for word in WORDS if word not in ARGUMENTS]
FUNCTIONS = "port read build store update create check move apply search merge write".split()


def rows(rng, n):
    for _ in range(n):
        arguments = rng.sample(ARGUMENTS, rng.choice([4, 5, 6]))
        k = rng.randrange(1, min(4, len(arguments) - 1))
        swapped = arguments[:k] + [arguments[k + 1], arguments[k]] + arguments[k + 2:]
        name, about = rng.choice(FUNCTIONS), " ".join(rng.sample(ABOUT, 3))
        told = "".join(f"    :param {argument}: {' '.join(rng.sample(ABOUT, 2))}\n" for argument in arguments[:k])
        text = lambda order: f'def {name}(self, {", ".join(order)}):\n    """{about}\n\n{told}    :param'
        yield row("docstring", text(arguments), text(swapped), " " + arguments[k], " " + arguments[k + 1])
