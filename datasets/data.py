"""Token streams for training: windows of the novels and windows of task items."""
import multiprocessing
import re

import numpy as np
from tokenizers import Tokenizer

from tasks import ITEMS
from tasks.common import HELD_NAMES, TEXT, rng_of
from train_tokenizer import read_corpus

BOS, EOS, WINDOW = 0, 1, 512
CLASS_SHIFT = 12  # a token's loss class (tasks/common.py) sits above its 12 bits
HELD_DOCUMENTS = 40  # every 40th document of the corpus is held out
ASCII = re.compile(r"'(?:s|t|re|ve|m|ll|d)| ?[A-Za-z]+| ?[0-9]{1,2}| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+")


class Env:
    """The vocabulary as the generators see it; a tenth of the ids is held out of induction, another of mqar."""

    def __init__(self, path):
        self.tokenizer = Tokenizer.from_file(str(path))
        self.cache = {}
        ids = range(3, self.tokenizer.get_vocab_size())
        text = {i: self.tokenizer.decode([i]) for i in ids}
        words = [i for i in ids if re.fullmatch(" [A-Za-z][a-z]{2,}", text[i])]
        lower = [i for i in words if text[i].islower()]
        self.lower_words = [text[i] for i in lower]
        self.all_ids = list(ids)
        self.induction_ids = [i for i in ids if i % 10 != 7]
        self.induction_word_ids = [i for i in words if i % 10 != 7]
        self.induction_held = [text[i] for i in lower if i % 10 == 7]
        self.mqar_words = [text[i] for i in words if i % 10 != 3]
        self.mqar_held = [text[i] for i in lower if i % 10 == 3]
        self.capitals = [t for i in words if (t := text[i].strip()).istitle() and t not in HELD_NAMES]

    def encode(self, text):
        """Ids of ASCII text without special tokens: the tokenizer's own, word by word from a cache."""
        out = []
        for word in ASCII.findall(text):
            if word not in self.cache:
                self.cache[word] = self.tokenizer.encode(word, add_special_tokens=False).ids
            out += self.cache[word]
        return out

    def tokens(self, item):
        """Ids of an item, each with its loss class above it."""
        out = []
        for segment, kind in item:
            ids = self.encode(segment) if isinstance(segment, str) else segment
            out += [i | kind << CLASS_SHIFT for i in ids] if kind != TEXT else ids
        return out


def task_windows(path, seed, chunk, shares, count, width):
    """count windows of BOS and items of the tasks in random order, one a line, cut at the width."""
    env, rng = Env(path), rng_of(seed, "windows", chunk)
    names = list(shares)
    length = {}
    for name in names:  # items are drawn so that each task gets its share of the tokens
        probe = rng_of(seed, "probe", name)
        length[name] = sum(min(len(env.tokens(ITEMS[name][0](probe, env))), WINDOW // 2) for _ in range(200)) / 200
    odds = [shares[name] / length[name] for name in names]
    newline = env.encode("\n")
    out = np.full((count, width), BOS, np.uint16)
    for w in range(count):
        line = [BOS]
        while len(line) < width:
            line += env.tokens(ITEMS[rng.choices(names, odds)[0]][0](rng, env)) + newline
        out[w] = line[:width]
    return out


def _windows(args):
    return task_windows(*args)


def task_stream(path, seed, processes, shares, short=0, count=2048):
    """Chunks of windows without end, made by other processes, in a fixed order; of two widths by turns if short.

    shares: of the task tokens, by name of the task.
    """
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        pending = []
        for chunk in range(1 << 30):
            shape = (count * WINDOW // short, short) if short and chunk % 2 else (count, WINDOW)
            pending.append(pool.apply_async(_windows, ((str(path), seed, chunk, shares, *shape),)))
            if len(pending) >= 3 * processes:
                yield pending.pop(0).get()


def _encode_document(args):
    path, text = args
    global _tokenizer
    if "_tokenizer" not in globals():
        _tokenizer = Tokenizer.from_file(path)
    ids = _tokenizer.encode(text, add_special_tokens=False).ids
    return np.array(ids + [EOS], np.uint16)


def novels(path, corpus, processes):
    """(training ids, held-out texts)."""
    if str(corpus).endswith(".npy"):  # the ids of an earlier run
        return np.load(corpus), None
    documents = read_corpus(corpus).split("\f")
    train = [d for i, d in enumerate(documents) if i % HELD_DOCUMENTS]
    pieces = [(str(path), d) for d in train]
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        ids = pool.map(_encode_document, pieces, chunksize=4)
    return np.concatenate(ids), documents[::HELD_DOCUMENTS]
