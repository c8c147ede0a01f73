"""Writes card.json into each dictionary of a folder that train_dictionaries.py made: see README.md.

Figures on held-out novels (eval/prose.txt.gz) and on task items of another seed, apart and together, in float32 with
the float16 numbers that were saved. What they mean is in dictionaries/measure.py.
"""
import argparse
import json
from pathlib import Path

import torch

from dictionaries.formats import read_crosslayer, read_saelens
from dictionaries.host import Host, load
from dictionaries.measure import CrossTensors, card, cross_card
from dictionaries.text import held_prose, held_tasks


def texts(a):
    out = {"prose": held_prose(a.tokenizer, a.first, a.rows)}
    if a.tasks:
        out["tasks"] = held_tasks(a.tokenizer, a.rows)
        out["both"] = torch.cat(tuple(out.values()))
    return out


def main():
    p = argparse.ArgumentParser()
    for name in ("model", "tokenizer", "folder"):
        p.add_argument(f"--{name}", required=True)
    p.add_argument("--name", default="vitrine-tiny")
    p.add_argument("--rows", type=int, default=100, help="windows of 512 of each text")
    p.add_argument("--first", type=int, default=0, help="the id in front of each window of prose")
    p.add_argument("--special", type=int, default=3, help="ids below are special")
    p.add_argument("--tasks", action=argparse.BooleanOptionalAction, default=True)
    p.add_argument("--only", default="*", help="names of dictionaries, such as transcoder-*")
    a = p.parse_args()
    torch.set_float32_matmul_precision("highest")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    config, state, sha256 = load(a.model)
    host, root = Host(config, state, device), Path(a.folder)
    windows = {k: v.to(device) for k, v in texts(a).items()}
    trained = json.loads((root / "training.json").read_text())
    assert trained["model_sha256"] == sha256, "the dictionaries were trained on other weights than --model"
    facts = {"model": a.name, "model_sha256": sha256, "seed": trained["seed"], "trained_tokens": trained["tokens"],
             "dtype": "float16", "first_positions": "left out of L0, FVE and the silent share; kept when spliced, "
             "except in `everywhere`"}
    for folder in sorted(f for f in root.glob(a.only) if f.is_dir()):
        silent = {"silent_in_4_million_training_tokens": trained["silent_in_4_million_tokens"][folder.name]}
        if (folder / "cfg.json").exists():
            site, tensors = read_saelens(folder)
            tensors = {k: v.to(device) for k, v in tensors.items()}
            hooks = {"hook_in": site.hook_in, "hook_out": site.hook_out, "features": len(tensors["b_enc"])}
            figures = {k: card(host, site, tensors, v, a.special) for k, v in windows.items()}
        else:
            cross = CrossTensors({k: v.to(device) for k, v in read_crosslayer(folder).items()})
            hooks = {"hook_in": "blocks.*.mlp.hook_in", "hook_out": "blocks.*.hook_mlp_out",
                     "features": len(cross.t["b_enc_0"]) * cross.layers}
            figures = {k: cross_card(host, cross, v, a.special) for k, v in windows.items()}
        (folder / "card.json").write_text(json.dumps(facts | hooks | silent | {"figures": figures}, indent=1) + "\n")
        for text, f in figures.items():
            print(f"{folder.name:14} {text:6} L0 {f['l0']:6.1f}  FVE {f['fve']:.3f}  silent {f['silent_share']:.3f}  "
                  f"CE {f['ce_clean']:.3f} {f['ce_spliced']:.3f} {f['ce_zero']:.3f}  "
                  f"recovered {f['loss_recovered']:.4f} ({f['loss_recovered_everywhere']:.4f} everywhere)", flush=True)


if __name__ == "__main__":
    main()
