"""Writes Hugging Face folders from what train.py left: export.py CONFIG WEIGHTS TOKENIZER FOLDER

WEIGHTS is the float16 file of a model, or the file of its checkpoints (then one folder step-NNNNN each).
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from model import CONFIGS

SHARD = 15_000_000


def write(folder, config, state):
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: v.to(torch.float16).contiguous() for k, v in state.items()}
    assert all(torch.isfinite(v).all() for v in state.values())
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)
    assert (folder / "model.safetensors").stat().st_size <= SHARD
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")


def main(name, weights, tokenizer, folder):
    state, folder = load_file(weights), Path(folder)
    steps = sorted({k.split("/")[0] for k in state if "/" in k})
    for step in steps:
        write(folder / step, CONFIGS[name], {k.split("/")[1]: v for k, v in state.items() if k.startswith(step + "/")})
    if not steps:
        write(folder, CONFIGS[name], state)
        (folder / "generation_config.json").write_text(json.dumps(
            {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2, "do_sample": False}, indent=1) + "\n")
        (folder / "tokenizer.json").write_bytes(Path(tokenizer).read_bytes())
        (folder / "tokenizer_config.json").write_text(json.dumps(
            {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|bos|>", "eos_token": "<|eos|>",
             "pad_token": "<|pad|>", "add_bos_token": True, "clean_up_tokenization_spaces": False,
             "model_max_length": CONFIGS[name]["max_position_embeddings"]}, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
