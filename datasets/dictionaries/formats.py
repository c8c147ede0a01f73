"""Writes and reads dictionaries in the forms that others open: SAELens' folders (6), circuit-tracer's files."""
import json

import torch
from safetensors.torch import load_file, save_file

from .sites import Site


def half(tensors):
    out = {k: v.detach().to("cpu", torch.float16).contiguous() for k, v in tensors.items()}
    assert all(torch.isfinite(v).all() for v in out.values())
    return out


def write_saelens(folder, site, tensors, metadata):
    """One dictionary; metadata: model_name, context_size, dataset_path and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    transcoder = site.kind == "transcoder"
    d_in, d_sae = tensors["W_enc"].shape
    config = {"architecture": "jumprelu_transcoder" if transcoder else "jumprelu", "d_in": d_in, "d_sae": d_sae,
              "dtype": "float16", "device": "cpu", "apply_b_dec_to_input": False, "normalize_activations": "none",
              "reshape_activations": "hook_z" if site.kind == "z" else "none"}
    if transcoder:
        config["d_out"] = tensors["W_dec"].shape[1]
    config["metadata"] = metadata | {"hook_name": site.hook_in, "hook_head_index": None, "prepend_bos": True,
                                     "exclude_special_tokens": True, "sae_lens_version": "6.54.0"}
    if transcoder:
        config["metadata"] |= {"hook_name_out": site.hook_out, "hook_head_index_out": None}
    (folder / "cfg.json").write_text(json.dumps(config, indent=1) + "\n")
    save_file(half(tensors), folder / "sae_weights.safetensors")


def read_saelens(folder):
    """(site, tensors in float32)."""
    config = json.loads((folder / "cfg.json").read_text())
    kind = "transcoder" if "transcoder" in config["architecture"] else \
        "z" if config["reshape_activations"] == "hook_z" else "resid"
    site = Site(kind, int(config["metadata"]["hook_name"].split(".")[1]))
    return site, {k: v.float() for k, v in load_file(folder / "sae_weights.safetensors").items()}


def write_crosslayer(folder, files, model_name):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(
        f"model_name: {model_name}\nmodel_kind: cross_layer_transcoder\nfeature_input_hook: mlp.hook_in\n"
        f"feature_output_hook: mlp.hook_out\nscan: {folder.name}\n")
    for name, tensors in files.items():
        save_file(half(tensors), folder / f"{name}.safetensors")


def read_crosslayer(folder):
    """Tensors in float32: {name: tensor} of all files."""
    out = {}
    for file in sorted(folder.glob("W_*.safetensors")):
        out |= {k: v.float() for k, v in load_file(file).items()}
    return out
