"""Trains sparse autoencoders, transcoders and a cross-layer transcoder of one model, all at once: see README.md.

First on the reconstruction alone; then, after --tune of the run, also on what the model says with each dictionary's
output in place of its own (KL divergence from the clean run), while the rate falls to zero.
"""
import argparse
import csv
import json
import os
import time
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import torch

from dictionaries.crosslayer import CrossLayer
from dictionaries.formats import write_crosslayer, write_saelens
from dictionaries.host import Host, load
from dictionaries.sites import Site
from dictionaries.stack import Stack
from dictionaries.text import Mixed, Prose

WARMUP = 200  # steps


def arguments():
    def layers(text):
        return [int(v) for v in text.split(",") if v]

    p = argparse.ArgumentParser()
    for name in ("model", "tokenizer", "corpus", "out"):
        p.add_argument(f"--{name}", required=True)
    p.add_argument("--name", default="vitrine-tiny")
    p.add_argument("--prose", type=int, help="windows of prose alone; every other one starts with this id")
    p.add_argument("--task-share", type=float, default=0.3, help="of the windows, the rest is prose")
    p.add_argument("--transcoders", type=layers, default=list(range(8)), help="layers, such as 0,1,2")
    p.add_argument("--resid", type=layers, default=[2, 4, 6], help="layers of SAEs on hook_resid_post")
    p.add_argument("--z", type=layers, default=[3, 4, 5], help="layers of SAEs on attn.hook_z")
    p.add_argument("--features", type=int, default=768)
    p.add_argument("--z-features", type=int, default=512)
    p.add_argument("--cross-features", type=int, default=144, help="a layer; 0: no cross-layer transcoder")
    p.add_argument("--aim", type=float, default=31, help="active features at a position")
    p.add_argument("--cross-aim", type=float, default=20, help="the same, a layer of the cross-layer transcoder")
    p.add_argument("--minutes", type=float)
    p.add_argument("--steps", type=int, help="in place of --minutes")
    p.add_argument("--rows", type=int, default=64, help="windows of 512 a step")
    p.add_argument("--tune", type=float, default=0.4, help="share of the run after which the KL divergence counts")
    p.add_argument("--tune-stride", type=int, default=2, help="then every so many-th window of a batch is used")
    p.add_argument("--kl", type=float, default=4.0, help="weight of KL / (KL of the zeroed output)")
    p.add_argument("--rate", type=float, default=1e-3)
    p.add_argument("--processes", type=int, default=max(1, (os.cpu_count() or 2) - 2))
    p.add_argument("--seed", type=int, default=1)
    return p.parse_args()


def divergence(logits, clean):
    """KL(clean | logits), mean over positions; clean: log-probabilities."""
    log = logits.float().log_softmax(-1)
    return (clean.exp() * (clean - log)).sum(-1).mean()


class Trainer:
    def __init__(self, a, host, device):
        self.a, self.host, self.device = a, host, device
        groups = [([Site("transcoder", i) for i in a.transcoders] + [Site("resid", i) for i in a.resid], a.features),
                  ([Site("z", i) for i in a.z], a.z_features)]
        self.stacks = [Stack(sites, f, a.aim, device) for sites, f in groups if sites]
        self.cross = CrossLayer(host.layers, a.cross_features, a.cross_aim, device) if a.cross_features else None
        self.parts = self.stacks + ([self.cross] if self.cross else [])
        self.last = host.layers - 1 if self.cross else max(s.layer for k in self.stacks for s in k.sites)
        self.zero = None  # KL of each site's zeroed output, and of all MLPs

    def start(self, ids):
        with torch.no_grad():
            seen = self.host.run(ids, self.last)
            for part in self.parts:
                part.start(seen)
        self.optimizer = torch.optim.Adam([p for part in self.parts for p in part.parameters()], lr=self.a.rate,
                                          fused=self.device == "cuda")

    def joins(self, seen, written):
        """(layer, spliced) in order of layers, and the order."""
        flat = [(s, w) for stack, out in zip(self.stacks, written) for s, w in zip(stack.sites, out)]
        order = sorted(range(len(flat)), key=lambda i: flat[i][0].layer)
        shape = seen["post"][0].shape[:2]
        return [(flat[i][0].layer, flat[i][0].spliced(self.host, seen, flat[i][1].view(*shape, -1)))
                for i in order], order

    def divergences(self, seen, written, ids):
        """KL by site, and last of the cross-layer transcoder."""
        clean = seen["logits"].float().log_softmax(-1)
        joins, order = self.joins(seen, written)
        out = [None] * len(order)
        for i, logits in zip(order, self.host.tails(joins)):
            out[i] = divergence(logits, clean)
        if self.cross:
            out.append(divergence(self.cross.replaced(self.host, ids), clean))
        return torch.stack(out)

    @torch.no_grad()
    def measure_zero(self, seen, ids):
        zeros = [torch.zeros_like(stack.values(seen)[1]) for stack in self.stacks]
        self.zero = self.divergences(seen, zeros, ids).clamp(min=0.02)
        if self.cross:
            self.zero[-1] = 1.0  # all MLPs at once: no scale to compare with

    def step(self, ids, prose, rate, tune):
        # One context a step: it keeps its copies of the weights until it is left.
        with torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
            total, losses, l0, kl = self.losses(ids, prose, tune)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        total.backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return losses, l0, kl

    def losses(self, ids, prose, tune):
        """(sum, mean squares, active features and KL by dictionary); steers the thresholds."""
        if tune:
            stride = self.a.tune_stride
            ids, prose = ids[::stride], -(-prose // stride)
        with torch.no_grad():
            seen = self.host.run(ids, None if tune else self.last)
        if tune and self.zero is None:
            self.measure_zero(seen, ids)
        written, losses, l0 = [], [], []
        for part in self.parts:
            out, loss, active = part(*part.values(seen))
            written.append(out)
            losses.append(loss)
            l0.append(part.steer(active, len(ids), prose, 0.002 if tune else 0.01))
        total = sum(loss.sum() for loss in losses)
        kl = None
        if tune:
            kl = self.divergences(seen, written, ids)
            total = total + self.a.kl * (kl / self.zero).sum()
        return total, torch.cat(losses).detach(), torch.cat(l0), None if kl is None else kl.detach()

    def revive(self, ids, tokens):
        with torch.no_grad():
            seen = self.host.run(ids, self.last)
        return [part.revive(seen, self.optimizer, tokens) for part in self.parts]

    def save(self, out, metadata):
        for stack in self.stacks:
            for i, site in enumerate(stack.sites):
                write_saelens(out / f"{site.kind}-{site.layer}", site, stack.tensors(i), metadata)
        if self.cross:
            write_crosslayer(out / "cross-layer", self.cross.files(), metadata["model_name"])


def main():
    a = arguments()
    out = Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(a.seed)
    torch.set_float32_matmul_precision("high")
    began = time.time()
    # The worker processes start before the device does.
    text = Mixed(a.tokenizer, a.corpus, a.rows, a.seed, a.processes, a.task_share) if a.prose is None else \
        Prose(a.tokenizer, a.corpus, a.rows * 2, a.seed, a.processes, a.prose)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    config, state, sha256 = load(a.model)
    trainer = Trainer(a, Host(config, state, device), device)
    print(f"data ready after {time.time() - began:.0f} s", flush=True)
    log = open(out / "training.csv", "w", newline="")
    table, step, tokens, progress = csv.writer(log), 0, 0, 0.0
    trainer.start(text.next()[0])
    start = time.time()
    while progress < 1:
        ids, prose = text.next()
        tune = progress >= a.tune
        rate = a.rate * min(1, (step + 1) / WARMUP) * (min(1, (1 - progress) / (1 - a.tune)))
        loss, l0, kl = trainer.step(ids, prose, rate, tune)
        step += 1
        tokens += ids.numel() // (a.tune_stride if tune else 1)
        progress = step / a.steps if a.steps else min(1, (time.time() - start) / 60 / a.minutes)
        if progress < 0.75 * a.tune and step % 250 == 0:
            print("revived", trainer.revive(ids[::4], 2_000_000), flush=True)
        if step % 100 == 0 or progress >= 1:
            row = [step, tokens, round(time.time() - start, 1), f"{rate:.2e}"]
            table.writerow(row + [f"{v:.4f}" for v in loss.tolist() + l0.tolist() +
                                  ([] if kl is None else (kl / trainer.zero).tolist())])
            log.flush()
        if step % 500 == 0 or progress >= 1:
            print(*row, "loss", [round(v, 3) for v in loss.tolist()], "L0", [round(v) for v in l0.tolist()],
                  "KL", [] if kl is None else [round(v, 3) for v in (kl / trainer.zero).tolist()], flush=True)
    trainer.save(out, {"model_name": a.name, "model_class_name": "HookedTransformer", "context_size": ids.shape[1],
                       "dataset_path": Path(a.corpus).name, "model_sha256": sha256})
    silent = {f"{s.kind}-{s.layer}": (v >= 4e6).float().mean().item() for stack in trainer.stacks
              for s, v in zip(stack.sites, stack.silent)}
    if trainer.cross:
        silent["cross-layer"] = (trainer.cross.silent >= 4e6).float().mean().item()
    (out / "training.json").write_text(json.dumps(
        {**vars(a), **{k: Path(getattr(a, k)).name for k in ("model", "tokenizer", "corpus", "out")}, "steps": step,
         "tokens": tokens, "seconds": round(time.time() - began), "model_sha256": sha256,
         "torch": torch.__version__, "silent_in_4_million_tokens": silent}, indent=1) + "\n")


if __name__ == "__main__":
    main()
