"""Which heads do what: heads.py FOLDER prints, per head, the mean attention to fixed places, and the roles.

On repeated random ids (BOS, 50 ids, the same again; 32 rows): induction = attention from the second copy to the
token after the first one, duplicate = to the first one, previous = to the token before. On held-out prose: sink =
attention to BOS, previous as before. Queries at BOS are left out.
"""
import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from evaluate import EVAL, gzip

THRESHOLD = 0.4


@torch.no_grad()
def scores(folder, tokenizer):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    g = torch.Generator().manual_seed(11)
    segment = torch.randint(3, 4096, (32, 50), generator=g)
    ids = torch.cat((torch.zeros(32, 1, dtype=torch.long), segment, segment), 1)
    mean = lambda attentions, f: torch.stack([f(a) for a in attentions])  # [layer, head]
    a = model(ids, output_attentions=True, use_cache=False).attentions
    second = torch.arange(51, 101)
    out = {"induction": mean(a, lambda p: p[:, :, second, second - 49].mean((0, 2))),
           "duplicate": mean(a, lambda p: p[:, :, second, second - 50].mean((0, 2))),
           "previous_random": mean(a, lambda p: p[:, :, range(1, 101), range(100)].mean((0, 2)))}
    text = gzip.decompress((EVAL / "prose.txt.gz").read_bytes()).decode()
    t = tokenizer.encode(text[:60000], add_special_tokens=False).ids[:127 * 32]
    ids = torch.cat((torch.zeros(32, 1, dtype=torch.long), torch.tensor(t).view(32, 127)), 1)
    y = model(ids, output_attentions=True, output_hidden_states=True, use_cache=False)
    a = y.attentions
    out["previous_prose"] = mean(a, lambda p: p[:, :, range(1, 128), range(127)].mean((0, 2)))
    out["sink"] = mean(a, lambda p: p[:, :, 1:, 0].mean((0, 2)))
    norms = [[float(h[:, 0].norm(dim=-1).mean()), float(h[:, 1:].norm(dim=-1).mean())] for h in y.hidden_states[:-1]]
    return {k: v.tolist() for k, v in out.items()}, norms


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    tokenizer = Tokenizer.from_file(sys.argv[2] if len(sys.argv) > 2 else str(folder / "tokenizer.json"))
    table, norms = scores(folder, tokenizer)
    roles = {k: {f"L{i}H{j}": round(v, 2) for i, row in enumerate(rows) for j, v in enumerate(row) if v > THRESHOLD}
             for k, rows in table.items()}
    print(json.dumps({"roles": roles, "resid_pre norm at BOS and elsewhere": [[round(n, 1) for n in p] for p in norms],
                      "sink by layer": [round(sum(r) / len(r), 2) for r in table["sink"]]}, indent=1))
