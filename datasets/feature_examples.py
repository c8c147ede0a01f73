"""Collects the positions at which each feature is most active: feature_examples.py MODEL TOKENIZER FOLDER OUT.jsonl

One JSON line a feature: dictionary, feature, greatest activation, share of positions, share of them in prose, and the
texts around its strongest positions, that token in double brackets. Held-out prose and task items; first positions
and special tokens are left out.
"""
import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer

from dictionaries.formats import read_crosslayer, read_saelens
from dictionaries.host import Host, load
from dictionaries.measure import CrossTensors, counted, encode
from dictionaries.text import held_prose, held_tasks

ROWS, EXAMPLES, CANDIDATES, BEFORE, AFTER = 100, 8, 64, 14, 4


def excerpt(tokenizer, ids, at):
    show = lambda part: tokenizer.decode(part, skip_special_tokens=False).replace("\n", "\\n")
    return show(ids[max(0, at - BEFORE):at]) + "[[" + show(ids[at:at + 1]) + "]]" + show(ids[at + 1:at + 1 + AFTER])


def lines(name, features, ids, keep, prose, tokenizer):
    """features: [windows * positions, f] with zeros where not counted."""
    values, places = features.topk(CANDIDATES, 0)
    active = features > 0
    share = active.sum(0) / keep.sum()
    in_prose = active[:prose * ids.shape[1]].sum(0) / active.sum(0).clamp(min=1)
    total = features.sum(0) / keep.sum()
    rows, width = ids.tolist(), ids.shape[1]
    for f in range(features.shape[1]):
        examples = {}
        for value, place in zip(values[:, f].tolist(), places[:, f].tolist()):
            if value > 0 and len(examples) < EXAMPLES:
                examples.setdefault(excerpt(tokenizer, rows[place // width], place % width), round(value, 3))
        yield {"dictionary": name, "feature": f, "greatest": round(values[0, f].item(), 3),
               "mean": round(total[f].item(), 5), "share": round(share[f].item(), 6),
               "prose": round(in_prose[f].item(), 3), "examples": [[v, k] for k, v in examples.items()]}


@torch.no_grad()
def main(model, tokenizer_path, folder, out):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    config, state, _ = load(model)
    host, tokenizer = Host(config, state, device), Tokenizer.from_file(tokenizer_path)
    prose = held_prose(tokenizer_path, 0, ROWS)
    ids = torch.cat((prose, held_tasks(tokenizer_path, ROWS))).to(device)
    keep = counted(ids, 3).flatten()
    runs = [host.run(part) for part in ids.split(20)]
    with open(out, "w") as file:
        for path in sorted(p for p in Path(folder).iterdir() if p.is_dir()):
            if (path / "cfg.json").exists():
                site, tensors = read_saelens(path)
                tensors = {k: v.to(device) for k, v in tensors.items()}
                sets = [(path.name, [encode(tensors, site.values(seen)[0]) for seen in runs])]
            else:
                cross = CrossTensors({k: v.to(device) for k, v in read_crosslayer(path).items()})
                sets = [(f"{path.name}/{layer}", [cross.encode(seen["mlp_in"][layer], layer) for seen in runs])
                        for layer in range(cross.layers)]
            for name, parts in sets:
                features = torch.cat([p.flatten(0, 1) for p in parts]) * keep[:, None]
                for line in lines(name, features, ids.cpu(), keep, len(prose), tokenizer):
                    file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
