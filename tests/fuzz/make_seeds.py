"""Writes seeds for the fuzzers into FOLDER/safetensors and FOLDER/tokenizer: small files, good and bad."""
import json
import pathlib
import struct
import sys


def safetensors(header, data=b""):
    if not isinstance(header, bytes):
        header = json.dumps(header).encode()
    return struct.pack("<Q", len(header)) + header + data


def tensor(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def safetensors_seeds():
    yield safetensors({})
    yield safetensors({"__metadata__": {"format": "pt"}, "a": tensor("F32", [2, 1], 0, 8), "b": tensor("BF16", [], 8, 10)}, b"x" * 10)
    for dtype, size in [("F64", 8), ("F16", 2), ("I64", 8), ("I32", 4), ("I16", 2), ("I8", 1), ("U8", 1), ("BOOL", 1), ("F8_E4M3", 1)]:
        yield safetensors({"w": tensor(dtype, [2], 0, 2 * size)}, b"x" * 2 * size)
    yield safetensors({"w": tensor("U8", [0, 3], 0, 0) | {"note": [{"a": None}]}})
    yield safetensors({"w": tensor("U8", [2**60, 2**60], 0, 4)}, b"xxxx")
    yield safetensors({"a": tensor("U8", [4], 0, 4), "b": tensor("U8", [2], 2, 4)}, b"xxxx")
    yield safetensors(b'{"w":{},"w":{}}')
    yield safetensors(b"{}")[:-1]


def tokenizer(model=None, **stages):
    model = model or {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "\u2581": 3, "<s>": 4, "</s>": 5, "abab": 6},
                      "merges": ["a b", ["ab", "ab"]], "unk_token": "<s>", "fuse_unk": True}
    return json.dumps({"added_tokens": [{"id": 4, "content": "<s>", "special": True}, {"id": 5, "content": "</s>", "lstrip": True, "rstrip": True,
                                                                                     "single_word": True, "normalized": True}],
                       "model": model, **stages}, ensure_ascii=False).encode()


def tokenizer_seeds():
    yield tokenizer()
    for form in ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "ByteLevel"]:
        yield tokenizer(normalizer={"type": form})
    yield tokenizer(normalizer={"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"}, {"type": "Strip", "strip_left": True, "strip_right": True},
                                                                   {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": "\u2581"}]})
    for behaviour in ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]:
        yield tokenizer(pre_tokenizer={"type": "Split", "pattern": {"Regex": "[\\p{L}x]|\\d*"}, "behavior": behaviour, "invert": True})
    yield tokenizer(pre_tokenizer={"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, {"type": "Punctuation"}, {"type": "ByteLevel", "add_prefix_space": True}]})
    for kind in ["Whitespace", "WhitespaceSplit"]:
        yield tokenizer(pre_tokenizer={"type": kind})
    yield tokenizer(pre_tokenizer={"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": True},
                    decoder={"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first"})
    yield tokenizer(post_processor={"type": "Sequence", "processors": [{"type": "ByteLevel", "trim_offsets": True}, {
        "type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [4], "tokens": ["<s>"]}}}]})
    yield tokenizer(decoder={"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"},
                                                             {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 1}]})
    yield tokenizer({"type": "BPE", "vocab": {"a": 0, "##b": 1, "a##b": 2, "b</w>": 3, "<0x41>": 4, "ab": 5}, "merges": ["a ##b"], "continuing_subword_prefix": "##",
                     "end_of_word_suffix": "</w>", "byte_fallback": True, "ignore_merges": True, "dropout": 0.1})
    yield b'{"model":{"type":"BPE","vocab":{"a":1152921504606846976},"merges":[]}}'
    yield b"["


def main(folder):
    for name, seeds in [("safetensors", safetensors_seeds()), ("tokenizer", tokenizer_seeds())]:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i, seed in enumerate(seeds):
            (folder / name / f"seed{i:02}").write_bytes(seed)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
