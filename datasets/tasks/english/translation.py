"""Few-shot translation into English: four pairs, then a word. Corrupted: another word of as many tokens."""
from ..common import row
from .words import TRANSLATIONS

LISTS = {language: [[pair.split() for pair in text.split(",")] for text in texts]
         for language, texts in TRANSLATIONS.items()}


def rows(rng, n):
    languages = list(LISTS)
    for i in range(n):
        language = languages[i % len(languages)]
        (word, answer), (other, distractor) = rng.sample(rng.choice(LISTS[language]), 2)
        shown = [pair for pairs in LISTS[language] for pair in pairs if pair[0] not in (word, other)]
        shots = "".join(f"{language}: {a}\nEnglish: {b}\n\n" for a, b in rng.sample(shown, 4))
        text = lambda last: f"{shots}{language}: {last}\nEnglish:"
        yield row("translation", text(word), text(other), " " + answer, " " + distractor, language=language)
