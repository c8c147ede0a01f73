"""The figures of a model on the held-out sets of eval/: evaluate.py FOLDER [TOKENIZER] prints them as JSON.

FOLDER is a Hugging Face folder; it runs on the CPU in float32 by transformers.
"""
import gzip
import json
import sys
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

EVAL = Path(__file__).parent / "eval"


def read_rows(task):
    return [json.loads(line) for line in (EVAL / f"{task}.jsonl").read_text().split("\n") if line]


def last_logits(logits, prompts, batch=64):
    """Logits after each prompt; prompts of one length run together."""
    out = [None] * len(prompts)
    by_length = {}
    for i, ids in enumerate(prompts):
        by_length.setdefault(len(ids), []).append(i)
    for group in by_length.values():
        for at in range(0, len(group), batch):
            part = group[at:at + batch]
            y = logits(torch.tensor([prompts[i] for i in part]))[:, -1].float().cpu()
            for i, row in zip(part, y):
                out[i] = row
    return torch.stack(out)


def nll(logits, ids, batch=16):
    """Loss of each token but the first of each row, nats."""
    out = []
    for at in range(0, len(ids), batch):
        x = ids[at:at + batch]
        y = logits(x).float().cpu()
        out.append(torch.nn.functional.cross_entropy(y[:, :-1].transpose(1, 2), x[:, 1:], reduction="none"))
    return torch.cat(out)


def task(logits, tokenizer, name):
    rows = read_rows(name)
    one = lambda w: tokenizer.encode(w, add_special_tokens=False).ids[0]
    many = lambda w: [one(v) for v in ([w] if isinstance(w, str) else w)]
    y = last_logits(logits, [tokenizer.encode(r["clean"]).ids for r in rows])
    p = y.softmax(-1)
    answer = np.array([float(q[many(r["answer"])].sum()) for q, r in zip(p, rows)])
    other = np.array([float(q[many(r["distractor"])].sum()) for q, r in zip(p, rows)])
    top = np.array([int(q.argmax()) in many(r["answer"]) for q, r in zip(p, rows)])
    out = {"rows": len(rows), "accuracy": top.mean(), "answer_over_distractor": (answer > other).mean(),
           "probability": answer.mean()}
    if isinstance(rows[0]["answer"], str):
        out["logit_difference"] = np.mean([float(v[one(r["answer"])] - v[one(r["distractor"])])
                                           for v, r in zip(y, rows)])
    if "choices" in rows[0]:
        out["accuracy_among_choices"] = np.mean([float(q[one(r["answer"])]) == float(q[many(r["choices"])].max())
                                                 for q, r in zip(p, rows)])
    if "chain" in rows[0]:
        chains = sorted({"-".join(r["chain"]) for r in rows})
        out["accuracy_by_chain"] = {c: np.mean([t for t, r in zip(top, rows) if "-".join(r["chain"]) == c])
                                    for c in chains}
    return out


def induction_loss(logits, pool, length=50, rows=64):
    """Losses on BOS and a random segment twice, its ids from the pool; the first token of a copy is left out."""
    g = np.random.default_rng(7)
    segment = torch.tensor(g.choice(pool, (rows, length)))
    loss = nll(logits, torch.cat((torch.zeros(rows, 1, dtype=torch.long), segment, segment), 1))
    first, second = loss[:, 1:length].mean(), loss[:, length + 1:].mean()
    return {"first_copy": float(first), "second_copy": float(second), "ratio": float(second / first)}


def prose(logits, tokenizer, windows=None):
    text = gzip.decompress((EVAL / "prose.txt.gz").read_bytes()).decode()
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    n = len(ids) // 511
    x = torch.tensor(ids[:n * 511]).view(n, 511)
    x = torch.cat((torch.zeros(n, 1, dtype=torch.long), x), 1)[:windows]
    size = len(tokenizer.decode(x[:, 1:].reshape(-1).tolist()).encode())
    loss = nll(logits, x)
    return {"tokens": loss.numel(), "nats_per_token": float(loss.mean()), "nats_per_byte": float(loss.sum() / size)}


TASKS = ["ioi", "greater-than", "induction", "agreement", "one-hop", "two-hop", "mqar", "brackets"]


@torch.no_grad()
def measure(logits, tokenizer, prose_windows=None):
    """All figures of the function logits: ids [rows, tokens] -> [rows, tokens, vocabulary]."""
    out = {"prose": prose(logits, tokenizer, prose_windows)}
    for name in TASKS:
        out[name] = task(logits, tokenizer, name)
    ids = range(3, tokenizer.get_vocab_size())
    out["induction"]["loss_all_ids"] = induction_loss(logits, list(ids))
    out["induction"]["loss_held_ids"] = induction_loss(logits, [i for i in ids if i % 10 == 7])
    return json.loads(json.dumps(out, default=float), parse_float=lambda v: round(float(v), 4))


if __name__ == "__main__":
    from transformers import AutoModelForCausalLM

    folder = Path(sys.argv[1])
    tokenizer = Tokenizer.from_file(sys.argv[2] if len(sys.argv) > 2 else str(folder / "tokenizer.json"))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    print(json.dumps(measure(lambda ids: model(ids, use_cache=False).logits, tokenizer), indent=1))
