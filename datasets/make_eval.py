"""Writes the held-out rows of every task and a piece of held-out prose to eval/: make_eval.py TOKENIZER [CORPUS]"""
import gzip
import json
import sys
from pathlib import Path

from data import HELD_DOCUMENTS, Env
from tasks import ROWS
from tasks.common import rng_of
from train_tokenizer import read_corpus

SEED = 1
EVAL = Path(__file__).parent / "eval"


def main(tokenizer, corpus=None):
    env = Env(tokenizer)
    EVAL.mkdir(exist_ok=True)
    length = lambda text: len(env.tokenizer.encode(text).ids)
    for name, (rows, count) in ROWS.items():
        lines = []
        for row in rows(rng_of(SEED, "rows", name), env, count):
            assert length(row["clean"]) == length(row["corrupted"]) <= 512, row
            for text in (row["clean"], row["corrupted"]):  # the cut before the answer is a cut between tokens
                answer = row["answer"] if isinstance(row["answer"], str) else row["answer"][0]
                joined = env.tokenizer.encode(text + answer).ids
                assert joined == env.tokenizer.encode(text).ids + joined[-1:], row
                assert joined == [0] + env.encode(text + answer), row
            lines.append(json.dumps(row))
        (EVAL / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
        print(name, len(lines), lines[0][:300])
    if corpus:
        documents = read_corpus(corpus).split("\f")[::HELD_DOCUMENTS]
        text = "\n".join(d[len(d) // 2:][:36000] for d in documents)
        (EVAL / "prose.txt.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main(*sys.argv[1:])
