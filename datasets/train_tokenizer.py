"""Trains the byte-level BPE of vitrine-tiny: train_tokenizer.py CORPUS OUT/tokenizer.json

A BPE is trained on a sample of the novels and cut short; training then goes on over the list of words that the
tasks need as single tokens (tasks/words.py) until each is one token. Numbers are cut in pairs of digits from the
left, so that the year 1732 is " 17", "32".
"""
import json
import lzma
import sys
from collections import Counter

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from tasks.words import REQUIRED

SIZE = 4096
SPECIAL = ["<|bos|>", "<|eos|>", "<|pad|>"]
PATTERN = r"'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}{1,2}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def read_corpus(path):
    with (lzma.open if str(path).endswith(".xz") else open)(path, "rt", encoding="utf-8", newline="\n") as f:
        return f.read()


def blank():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERN), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = decoders.ByteLevel()
    return t


def apply(word, ranks):
    parts = list(word)
    while True:
        pairs = [(ranks[p], i) for i, p in enumerate(zip(parts, parts[1:])) if p in ranks]
        if not pairs:
            return parts
        _, i = min(pairs)
        parts[i:i + 2] = [parts[i] + parts[i + 1]]


def continued(merges, words):
    """BPE over the words, each counted once, until each is one token: the merges to append."""
    ranks = {m: i for i, m in enumerate(merges)}
    words = [apply(w, ranks) for w in words]
    added = []
    while True:
        pairs = Counter(p for w in words for p in zip(w, w[1:]))
        if not pairs:
            return added
        best = max(pairs, key=lambda p: (pairs[p], p))
        added.append(best)
        for w in words:
            for i in range(len(w) - 1, 0, -1):
                if (w[i - 1], w[i]) == best:
                    w[i - 1:i + 1] = ["".join(best)]


def main(corpus, out):
    paragraphs = read_corpus(corpus).replace("\f", "\n").split("\n")[::8]
    t = blank()
    t.train_from_iterator(paragraphs, trainers.BpeTrainer(
        vocab_size=SIZE, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False))
    spec = json.loads(t.to_str())
    merges = [tuple(m) for m in spec["model"]["merges"]]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    required = [blank().pre_tokenizer.pre_tokenize_str(w)[0][0] for w in REQUIRED]
    room = SIZE - len(SPECIAL) - len(alphabet)
    for kept in range(room, 0, -20):  # prose merges, as many as leave room for the words
        added = continued(merges[:kept], required)
        if kept + len(added) <= room:
            break
    while kept + len(added) < room:  # a few left over: one pair more of the prose at the end
        have = set(merges[:kept]) | set(added)
        known = {a + b for a, b in have} | set(alphabet)
        added.append(next(m for m in merges[kept:] if m not in have and m[0] in known and m[1] in known
                          and m[0] + m[1] not in known))
    merges = merges[:kept] + added
    vocab = {s: i for i, s in enumerate(SPECIAL + alphabet + [a + b for a, b in merges])}
    assert len(vocab) == SIZE, len(vocab)
    t = blank()
    t.model = models.BPE(vocab=vocab, merges=merges)
    t.add_special_tokens(SPECIAL)
    t.post_processor = processors.TemplateProcessing(
        single="<|bos|> $A", pair="<|bos|> $A <|bos|> $B", special_tokens=[("<|bos|>", 0)])
    t.save(out, pretty=False)
    wrong = [w for w in REQUIRED if len(t.encode(w, add_special_tokens=False).ids) != 1]
    assert not wrong, wrong
    text = "\n".join(paragraphs[:2000])
    print(f"{kept} merges of prose, {len(added)} for the words; "
          f"{len(text.encode()) / len(t.encode(text).ids):.3f} bytes per token of prose")


if __name__ == "__main__":
    main(*sys.argv[1:])
