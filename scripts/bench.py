"""The table of scripts/bench: vitrine-cli bench and, where they are installed, torch and transformers in turn."""

import argparse
import json
import statistics
import subprocess
import sys
import time

try:
    import torch
    import transformers
except ImportError:
    torch = None


def reference_model(shape):
    """The same shape with random float32 weights, eager attention."""
    llama = dict(vocab_size=32000, max_position_embeddings=2048, tie_word_embeddings=False)
    configs = {
        "gpt2-small": lambda: transformers.GPT2Config(),
        "llama-160m": lambda: transformers.LlamaConfig(
            hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, **llama),
        "llama-1.1b": lambda: transformers.LlamaConfig(
            hidden_size=2048, intermediate_size=5632, num_hidden_layers=22, num_attention_heads=32,
            num_key_value_heads=4, **llama),
    }
    config = configs[shape]()
    config._attn_implementation = "eager"
    return transformers.AutoModelForCausalLM.from_config(config).eval()


class Reference:
    """transformers eager on the CPU, timed as vitrine-cli times itself: logits of the last position."""

    def __init__(self, shape, threads):
        torch.set_num_threads(threads)
        self.model = reference_model(shape)

    def ids(self, tokens):
        return torch.tensor([[(13 + 7919 * i) % self.model.config.vocab_size for i in range(tokens)]])

    @torch.no_grad() if torch else (lambda f: f)
    def forward(self, tokens, everything):
        ids = self.ids(tokens)
        start = time.perf_counter()
        out = self.model(ids, use_cache=False, output_attentions=everything, output_hidden_states=everything,
                         logits_to_keep=1)
        float(out.logits[0, -1, 0])
        return 1000 * (time.perf_counter() - start)

    @torch.no_grad() if torch else (lambda f: f)
    def decode(self, tokens, count=16):
        out = self.model(self.ids(tokens), use_cache=True, logits_to_keep=1)
        times = []
        for _ in range(count):
            start = time.perf_counter()
            token = out.logits[:, -1].argmax(-1, keepdim=True)
            out = self.model(token, past_key_values=out.past_key_values, use_cache=True)
            times.append(1000 * (time.perf_counter() - start))
        return statistics.median(times)


    @torch.no_grad() if torch else (lambda f: f)
    def sweep(self, tokens):
        """Every head zeroed by itself as one batch: row r loses head r."""
        config = self.model.config
        heads, layers = config.num_attention_heads, config.num_hidden_layers
        outputs = [m for name, m in self.model.named_modules()
                   if name.endswith("attn.c_proj") or name.endswith("self_attn.o_proj")]
        width = config.hidden_size // heads

        def without(layer):
            def hook(_, inputs):
                z = inputs[0].clone()
                for head in range(heads):
                    z[layer * heads + head, :, head * width:(head + 1) * width] = 0
                return (z,)
            return hook

        hooks = [module.register_forward_pre_hook(without(layer)) for layer, module in enumerate(outputs)]
        ids = self.ids(tokens).expand(layers * heads, tokens)
        start = time.perf_counter()
        out = self.model(ids, use_cache=False, logits_to_keep=1)
        float(out.logits[0, -1, 0])
        time_ms = 1000 * (time.perf_counter() - start)
        for hook in hooks:
            hook.remove()
        return time_ms


def bench(program, device, arguments):
    """Rows of one call; None if the device is not there."""
    command = [program, "bench", *arguments, "--device", device, "--json", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True)
    document = json.loads(done.stdout)
    if "error" in document:
        print(f"{device}: {document['error']['message']}", file=sys.stderr)
        return None
    return document


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--model", default="gpt2-small")
    parser.add_argument("--tokens", default="16,128,512,1024")
    parser.add_argument("--devices", default="cpu,vulkan")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    tokens = [int(t) for t in options.tokens.split(",")]

    machine = None
    reference = None
    measured = {}  # (work, tokens, capture, device) -> rows of each round
    theirs = {}  # (work, tokens, capture) -> ms of each round
    present = []
    for device in options.devices.split(","):
        document = bench(options.program, device, ["load", "--model", options.model, "--tokens", "1", "--runs", "3"])
        if document is None:
            continue
        present.append(device)
        machine = machine or document["machine"]
        measured[("load", None, "none", device)] = document["rows"]
    if not present:
        sys.exit(1)
    if torch:
        reference = Reference(options.model, machine["threads"])
        reference.forward(16, False)

    for _ in range(options.rounds):
        for count in tokens:
            works = [("forward", "none"), ("forward", "all")]
            if count + 17 <= 1024:
                works.append(("decode", "none"))
            for work, capture in works:
                for device in present:
                    document = bench(options.program, device, [work, "--model", options.model, "--tokens", str(count),
                                                               "--capture", capture, "--runs", "1"])
                    if document:
                        measured.setdefault((work, count, capture, device), []).append(document["rows"][0])
                if reference:
                    time_ms = (reference.forward(count, capture == "all") if work == "forward"
                               else reference.decode(count))
                    theirs.setdefault((work, count, capture), []).append(time_ms)

    for _ in range(options.rounds):
        for work, count in [("sweep", 16), ("patch", 64)]:
            for device in present:
                document = bench(options.program, device, [work, "--model", options.model, "--tokens", str(count),
                                                           "--runs", "1"])
                if document:
                    measured.setdefault((work, count, "none", device), []).append(document["rows"][0])
            if reference and work == "sweep":
                theirs.setdefault((work, count, "none"), []).append(reference.sweep(count))

    print(f"{options.model}, float32, random weights; {machine['cpu']}, {machine['threads']} threads; "
          f"{options.rounds} rounds, medians")
    if not reference:
        print("torch and transformers are not installed for this Python: no ratio.")
    header = ["work", "tokens", "captured", "device", "ms", "tokens/s", "share of peak", "peak memory", "eager ms",
              "ratio"]
    table = [header]
    for (work, count, capture, device), rows in measured.items():
        ms = statistics.median(row["median_ms"] for row in rows)
        each = None if work == "load" else 1 if work == "decode" else count * rows[0]["batch"]
        per_second = each * 1000 / ms if each else None
        shares = [row["share_of_peak"] for row in rows if row["share_of_peak"]]
        eager = theirs.get((work, count, capture))
        eager_ms = statistics.median(eager) if eager and device == "cpu" else None
        table.append([work, count or "", capture, device, f"{ms:.4g}", f"{per_second:.4g}" if per_second else "",
                      f"{statistics.median(shares):.0%}" if shares else "",
                      f"{max(row['peak_bytes'] for row in rows) / 1e6:.0f} MB",
                      f"{eager_ms:.4g}" if eager_ms else "", f"{eager_ms / ms:.2f}" if eager_ms else ""])
    widths = [max(len(str(row[i])) for row in table) for i in range(len(header))]
    for row in table:
        print("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip())


if __name__ == "__main__":
    main()
