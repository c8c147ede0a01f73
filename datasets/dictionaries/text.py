"""Windows of tokens for dictionaries: prose first, then tasks, as the model itself was trained; or prose alone."""
import gzip
import multiprocessing
from argparse import Namespace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from data import HELD_DOCUMENTS, WINDOW, novels, task_stream, task_windows
from tasks import ITEMS
from train import Batches
from train_tokenizer import read_corpus

SHARES = {name: share for name, (_, share) in ITEMS.items()}
EVAL = Path(__file__).parent.parent / "eval"


class Mixed:
    """vitrine-tiny's own material (train.py): every other batch has windows of 64 tokens, as many tokens in all."""

    def __init__(self, tokenizer, corpus, rows, seed, processes, share):
        a = Namespace(short=64, short_share=share, task_share=share, rows=rows, seed=seed)
        stream = task_stream(tokenizer, seed, processes, SHARES, a.short)
        prose, _ = novels(tokenizer, corpus, processes)
        self.batches = Batches(a, prose, stream, [next(stream), next(stream)])

    def next(self):
        """(ids, rows of prose)."""
        ids, _ = self.batches.next()
        return ids, self.batches.shape[ids.shape[1]][0]


_tokenizer = None


def _encode(args):
    global _tokenizer
    _tokenizer = _tokenizer or Tokenizer.from_file(args[0])
    return np.array(_tokenizer.encode(args[1], add_special_tokens=False).ids, np.int32)


class Prose:
    """Windows at random places of the corpus, in another model's tokens; every other one starts with `first`."""

    def __init__(self, tokenizer, corpus, rows, seed, processes, first, width=WINDOW // 2):
        documents = [d for i, d in enumerate(read_corpus(corpus).split("\f")) if i % HELD_DOCUMENTS]
        with multiprocessing.get_context("fork").Pool(processes) as pool:
            ids = pool.map(_encode, [(str(tokenizer), d) for d in documents], chunksize=4)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.ids = torch.from_numpy(np.concatenate(ids)).to(self.device)
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.rows, self.width, self.first = rows, width, first

    def next(self):
        start = torch.randint(len(self.ids) - self.width, (self.rows, 1), generator=self.generator, device=self.device)
        ids = self.ids[start + torch.arange(self.width, device=self.device)].long()
        ids[::2, 0] = self.first
        return ids, self.rows


def held_prose(tokenizer, first, rows, width=WINDOW):
    """Windows of the held-out novels, the token `first` in front of each."""
    text = gzip.decompress((EVAL / "prose.txt.gz").read_bytes()).decode()
    ids = Tokenizer.from_file(str(tokenizer)).encode(text, add_special_tokens=False).ids
    ids = torch.tensor(ids)[:len(ids) // (width - 1) * (width - 1)].view(-1, width - 1)[:rows]
    return torch.nn.functional.pad(ids, (1, 0), value=first)


def held_tasks(tokenizer, rows, seed=2):
    """Windows of task items that training did not draw (another seed)."""
    return torch.from_numpy(task_windows(str(tokenizer), seed, 0, SHARES, rows, WINDOW).astype("int64") & 4095)
