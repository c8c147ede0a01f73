"""Trains one model on the novels and the tasks: see README.md. Everything it makes goes to --out.

The schedule follows the clock (--minutes) or a number of steps (--steps): warm-up, constant, linear to zero.
"""
import argparse
import csv
import json
import os
import time
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import torch
from safetensors.torch import save_file

from data import CLASS_SHIFT, WINDOW, Env, novels, task_stream
from evaluate import measure
from model import CONFIGS, Llama
from tasks import ITEMS
from tasks.common import WEIGHTS

WARMUP = 300  # steps


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--config", choices=CONFIGS, default="vitrine-tiny")
    for name in ("tokenizer", "corpus", "out"):
        p.add_argument(f"--{name}", required=True)
    p.add_argument("--minutes", type=float)
    p.add_argument("--steps", type=int)
    p.add_argument("--rows", type=int, default=192, help="windows per step, of prose and tasks together")
    p.add_argument("--task-share", type=float, default=0.5, help="of the windows of 512")
    p.add_argument("--short", type=int, default=0, help="every other step has windows of this many tokens")
    p.add_argument("--short-share", type=float, default=0.5, help="of tasks in the short windows")
    p.add_argument("--tasks", type=json.loads, help="shares of the tasks as JSON, else those of tasks/__init__.py",
                   default={name: share for name, (_, share) in ITEMS.items()})
    p.add_argument("--rate", type=float, default=3e-3)
    p.add_argument("--hold", type=float, default=0.5, help="share of the run after which the rate falls to zero")
    p.add_argument("--decay", type=float, default=0.1)
    p.add_argument("--checkpoints", type=int, default=0, help="float16 weights at so many log-spaced steps")
    p.add_argument("--evaluations", type=int, default=10)
    p.add_argument("--processes", type=int, default=max(1, (os.cpu_count() or 2) - 2))
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--no-compile", action="store_true")
    return p.parse_args()


class Batches:
    """Windows of prose at random offsets, below them windows of tasks; ids and loss weights on the device."""

    def __init__(self, a, prose, stream, first):
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.shape = {}  # width: windows of prose, of tasks
        for width, share in ((a.short or WINDOW, a.short_share), (WINDOW, a.task_share)):
            tasks = int(a.rows * share) * (WINDOW // width)
            self.shape[width] = a.rows * (WINDOW // width) - tasks, tasks
        self.prose = torch.from_numpy(prose.astype("int32")).to(self.device)
        self.generator = torch.Generator(self.device).manual_seed(a.seed)
        self.weights = torch.tensor(WEIGHTS, device=self.device)
        self.stream, self.chunks, self.at, self.turn = stream, first, [0] * len(first), 0

    def next(self):
        k = self.turn = (self.turn + 1) % len(self.chunks)  # widths by turns, as many tokens in each batch
        width = self.chunks[k].shape[1]
        prose_rows, task_rows = self.shape[width]
        if self.at[k] + task_rows > len(self.chunks[k]):
            self.chunks = [next(self.stream) for _ in self.chunks]
            self.at = [0] * len(self.chunks)
        tasks = torch.from_numpy(self.chunks[k][self.at[k]:self.at[k] + task_rows].astype("int32"))
        self.at[k] += task_rows
        start = torch.randint(len(self.prose) - width, (prose_rows, 1), generator=self.generator, device=self.device)
        prose = self.prose[start + torch.arange(width - 1, device=self.device)]
        prose, tasks = torch.nn.functional.pad(prose, (1, 0)), tasks.to(self.device)
        both = torch.cat((prose, tasks)).long()
        return both & (1 << CLASS_SHIFT) - 1, self.weights[both >> CLASS_SHIFT][:, 1:]


def main():
    a = arguments()
    out = Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    began = time.time()
    env = Env(a.tokenizer)
    stream = task_stream(a.tokenizer, a.seed, a.processes, a.tasks, a.short)
    prose, _ = novels(a.tokenizer, a.corpus, a.processes)
    first = [next(stream) for _ in range(2 if a.short else 1)]  # the worker processes start before the device does
    print(f"{len(prose)} tokens of prose; data ready after {time.time() - began:.0f} s", flush=True)
    torch.manual_seed(a.seed)
    torch.set_float32_matmul_precision("high")
    batches = Batches(a, prose, stream, first)
    device = batches.device
    model = Llama(CONFIGS[a.config]).to(device)
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": a.decay},
                                   {"params": vectors, "weight_decay": 0.0}],
                                  lr=a.rate, betas=(0.9, 0.95), fused=device == "cuda")
    autocast = torch.autocast(device, torch.bfloat16, enabled=device == "cuda")

    def losses(ids, weights):
        with autocast:
            logits = model(ids)
        ce = torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]).float(),
                                               ids[:, 1:].reshape(-1), reduction="none").view(weights.shape)
        n = batches.shape[ids.shape[1]][0]
        return (ce * weights).sum() / weights.sum(), ce[:n].mean().detach(), ce[n:].mean().detach()

    forward = losses if a.no_compile else torch.compile(losses, dynamic=False)

    def state(dtype):
        return {k: v.detach().to("cpu", dtype).contiguous() for k, v in model.state_dict().items()}

    def evaluate(step, progress):
        save_file(state(torch.float16), out / f"{a.config}.safetensors")

        @torch.no_grad()
        def logits(ids):
            with autocast:
                return model(ids.to(device))

        figures = measure(logits, env.tokenizer, 32)
        with open(out / "evaluations.jsonl", "a") as f:
            f.write(json.dumps({"step": step, "progress": round(progress, 3), **figures}) + "\n")
        short = {k: v.get("accuracy", v.get("nats_per_token")) for k, v in figures.items()}
        short["induction-ratio"] = figures["induction"]["loss_held_ids"]["ratio"]
        short["gt-mass"] = figures["greater-than"]["probability"]
        print(step, json.dumps(short), flush=True)

    points = {round(20 * (a.steps / 20) ** (k / (a.checkpoints - 1))) for k in range(a.checkpoints)} \
        if a.checkpoints else set()
    kept = {}
    log = open(out / f"{a.config}.csv", "w", newline="")
    table = csv.writer(log)
    table.writerow(["step", "tokens", "seconds", "rate", "prose_loss", "task_loss"])
    step, progress, evaluations, start = 0, 0.0, 0, None
    sums = torch.zeros(2, device=device)
    while progress < 1:
        rate = a.rate * min(1, (step + 1) / WARMUP) * (min(1, (1 - progress) / (1 - a.hold)) if a.hold < 1 else 1)
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss, on_prose, on_tasks = forward(*batches.next())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        sums += torch.stack((on_prose, on_tasks))
        step += 1
        start = start or time.time()  # the first step compiles: the clock starts after it
        seconds = time.time() - (began if a.minutes else start)
        progress = step / a.steps if a.steps else min(1, seconds / 60 / a.minutes)
        if step in points:
            kept |= {f"step-{step:05d}/{k}": v for k, v in state(torch.float16).items()}
            save_file(kept, out / f"{a.config}-checkpoints.safetensors")
        if step % 50 == 0 or progress >= 1:
            n = step % 50 or 50
            table.writerow([step, step * a.rows * WINDOW, round(time.time() - start, 1), f"{rate:.3g}",
                            *(f"{v:.4f}" for v in (sums / n).tolist())])
            log.flush()
            sums.zero_()
        if progress * a.evaluations >= evaluations + 1 or progress >= 1:
            evaluations += 1
            evaluate(step, progress)
            print(f"{step * a.rows * WINDOW / (time.time() - start) / 1e6:.2f} M tokens/s, "
                  f"{time.time() - began:.0f} s in all", flush=True)
    full = state(torch.float32)
    parts = ({}, {})
    for k, v in sorted(full.items(), key=lambda e: -e[1].numel()):
        min(parts, key=lambda part: sum(w.numel() for w in part.values()))[k] = v
    for half, part in enumerate(parts):
        save_file(part, out / f"{a.config}-float32-{half}.safetensors")
    (out / f"{a.config}.json").write_text(json.dumps({**vars(a), "steps": step, "tokens": step * a.rows * WINDOW,
                                                      "seconds": round(time.time() - began), "torch": torch.__version__}))


if __name__ == "__main__":
    main()
