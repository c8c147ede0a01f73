"""Writes seeds for the fuzzers into FOLDER/safetensors, FOLDER/tokenizer and so on: small files, good and bad."""
import ast
import json
import pathlib
import struct
import sys
import zipfile


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



def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(value)) + value


def gguf_value(value):
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, (str, bytes)):
        return struct.pack("<I", 8) + text(value)
    kind, body = {int: (5, "<i"), float: (6, "<f"), bytes: (0, None), str: (8, None)}[type(value[0])]
    parts = [text(one) if body is None and kind == 8 else one if body is None else struct.pack(body, one) for one in value]
    return struct.pack("<IIQ", 9, kind, len(parts)) + b"".join(parts)


def gguf(values=(), tensors=(), version=3):
    """tensors: (name, shape, type, offset); each of 64 bytes."""
    body = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(values))
    for key, value in dict(values).items():
        body += text(key) + gguf_value(value)
    for name, shape, kind, offset in tensors:
        body += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
    return body + b"\0" * (-len(body) % 32) + b"x" * 64 * len(tensors) if tensors else body


def gguf_tokenizer(model, tokens, kinds=None, **more):
    values = {"general.architecture": "llama", "tokenizer.ggml.model": model, "tokenizer.ggml.tokens": tokens}
    if kinds:
        values["tokenizer.ggml.token_type"] = kinds
    return gguf(values | {f"tokenizer.ggml.{key}": value for key, value in more.items()})


def gguf_seeds():
    yield gguf()
    yield gguf({"general.alignment": 64, "n": 1.5, "flag": True, "t": ["a", ""], "i": [1, -2], "f": [0.5]}, [("a", [4, 4], 0, 0), ("b", [32], 1, 64)])
    for kind in (2, 3, 6, 7, 8, 10, 11, 12, 13, 14, 30, 16):
        yield gguf((), [("w", [256, 1] if kind > 9 and kind < 15 else [32], kind, 0), ("v", [2], 0, 1024)]) + b"x" * 2048
    yield gguf((), [("w", [2**40, 2**40], 0, 0)])
    yield gguf({"x": 1}, version=1)
    words = ["<unk>", "<s>", "</s>", "\u2581", "a", "b", "ab", "\u2581ab", "<0x41>", "<0x0A>", "\u2581x", "x"]
    kinds = [2, 3, 3, 1, 1, 1, 1, 1, 6, 6, 4, 5]
    scores = [float(-i) for i in range(len(words))]
    for model in ("llama", "t5"):
        yield gguf_tokenizer(model, words, kinds, scores=scores, add_bos_token=True, add_eos_token=True, add_space_prefix=False, remove_extra_whitespaces=True)
        yield gguf_tokenizer(model, words, kinds, scores=scores, precompiled_charsmap=[bytes([b]) for b in struct.pack("<I", 4) + b"\0\0\0\0" + b"x\0"])
    for pre in ("default", "llama-bpe", "gpt-2", "qwen2", "deepseek-llm", "deepseek-coder", "starcoder", "falcon"):
        yield gguf_tokenizer("gpt2", ["a", "b", "ab", "\u0120", "\u0120a", "1", "<s>", "\u010a"], [1, 1, 1, 1, 1, 1, 3, 4], merges=["a b", "\u0120 a"], pre=pre, bos_token_id=6)
    yield gguf_tokenizer("bert", ["[UNK]", "[CLS]", "[SEP]", "\u2581ab", "a", "\u2581x", "1"], [1, 3, 3, 1, 1, 1, 1], unknown_token_id=0, cls_token_id=1, seperator_token_id=2)


def torch_seeds():
    """The archives in tests/fixtures/formats, their pickles alone, and pickles of every instruction that is allowed."""
    for path in sorted((pathlib.Path(__file__).parent.parent / "fixtures" / "formats").glob("torch_*.bin")):
        yield path.read_bytes()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    if name.endswith("data.pkl"):
                        yield archive.read(name)
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x08tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\0K\x02K\x03\x86K\x03K\x01\x86\x89ccollections\nOrderedDict\n)RtR"
    yield b"\x80\x02}X\x01\0\0\0w" + tensor + b"s."
    yield b"\x80\x02}(X\x01\0\0\0w" + tensor + b"U\x01vctorch._utils\n_rebuild_parameter\n(" + tensor + b"\x88)tRu."
    yield b"\x80\x04\x95\0\0\0\0\0\0\0\0}\x94(\x8c\x01w\x94\x8c\x0ccollections\x94\x8c\x0bOrderedDict\x94\x93\x94]\x94h\x01K\x01\x86\x94a\x85Ru."
    yield b"\x80\x02ccollections\nOrderedDict\n](X\x01\0\0\0a" + tensor + b"\x86e\x85R}b."
    yield b"\x80\x02](N\x88\x89J\1\0\0\0M\1\0\x8a\x02\xff\x00G\0\0\0\0\0\0\0\0T\1\0\0\0ae0(1r\0\1\0\0j\0\1\0\0."


def field(number, value):
    def varint(n):
        return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value if isinstance(value, bytes) else value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def sentencepiece(kind, rules=b"", **more):
    pieces = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3), ("\u2581", -2.0, 1), ("a", -3.0, 1), ("b", -3.5, 1), ("ab", -1.0, 1), ("\u2581ab", -1.5, 1),
              ("e\u0301", -4.0, 1), ("x", -5.0, 4), ("1", -5.0, 5), ("\u00e9", -6.0, 1)] + [(f"<0x{b:02X}>", 0.0, 6) for b in ((10, 195, 169) if more else ())]
    body = b"".join(field(1, field(1, name) + field(2, score) + field(3, type_)) for name, score, type_ in pieces)
    trainer = field(3, kind) + field(35, int(bool(more))) + field(24, more.get("suffix", 0)) + field(40, 0) + field(41, 1) + field(42, 2)
    return body + field(2, trainer) + field(3, field(1, "nmt_nfkc") + rules)


def sentencepiece_seeds():
    for kind in (1, 2, 3, 4):
        yield sentencepiece(kind)
        yield sentencepiece(kind, field(3, 0) + field(4, 0) + field(5, 0), suffix=1)
    # A map of characters: the size of its trie, the trie, the texts.
    for trie in ([], [0] * 256, [0x80000000, 0x100, 0x61]):
        yield sentencepiece(1, field(2, struct.pack("<I", 4 * len(trie)) + struct.pack(f"<{len(trie)}I", *trie) + b"x\0yz\0"))
    yield field(1, field(1, "a") + field(2, float("nan")))
    yield field(1, field(1, "\u2581") + field(3, 9))
    yield b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
    yield b"\x0b\x0c\x09" + b"\0" * 8


def chat_seeds():
    """The templates of make_chat.py, and one for each filter, test and method."""
    source = (pathlib.Path(__file__).parent.parent / "fixtures" / "chat" / "make_chat.py").read_text()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "TEMPLATES":
            yield from (template.encode() for template in ast.literal_eval(node.value).values())
    for name in ("tojson(indent=2)", "length", "trim('a')", "default('x', true)", "join(', ', attribute='role')", "items", "dictsort(by='value')",
                 "sort(reverse=true, attribute='role')", "map(attribute='role', default='')", "map('upper')", "unique", "reverse", "int(3)", "float", "round(2)", "escape",
                 "sum", "title", "capitalize", "list", "first", "last", "min", "max", "select('string')", "rejectattr('role', 'eq', 'user')", "abs", "attr('a.0')",
                 "replace('a', 'b', 1)", "indent(2, true)", "wordcount", "string"):
        yield f"{{% for v in [messages, messages[0], 'ab\\n a', -1.5, 7, none] %}}{{{{ v | {name} }}}}{{% endfor %}}{{{{ messages | {name} }}}}".encode()
    for name in ("defined", "none", "string", "number", "mapping", "sequence", "in [1]", "divisibleby(2)", "odd", "lower", "sameas(1)", "lt(2)"):
        yield f"{{{{ 1 is {name} }}}}{{{{ 'a' is not {name} }}}}{{{{ messages is {name} }}}}".encode()
    for name in ("strip('h')", "split('i', 1)", "rsplit()", "splitlines()", "startswith(('h', 'j'))", "removeprefix('h')", "replace('', '-', 2)", "find('i')", "count('h')",
                 "join(['a'])", "format('x', y=1)", "isdigit()", "title()", "items()", "get('a', 1)", "index('h')"):
        yield f"{{{{ '{{}}{{y}} hi'.{name} }}}}{{{{ messages[-1].{name} }}}}{{{{ messages.{name} }}}}".encode()
    yield b"{% macro f(a, b=[1]) %}{{ a ~ b }}{{ caller() }}{% endmacro %}{% call f(1, b={'x': 2}) %}y{% endcall %}{% filter upper %}z{% endfilter %}"
    yield b"{% set n = namespace(a=1) %}{% for i in range(9, 0, -2) if i % 3 %}{% set n.a = n.a * i ** 2 // 3 %}{% break %}{% else %}0{% endfor %}{{ n.a if n.a > 1 else '' }}"
    yield b"{% raw %}{{ }}{% endraw %}{%- if a is defined and not b or 'x' in 'xy' -%}{{ '\\x41\\u00e9\\n'[::-1][0:2] }}{%+ elif 1 < 2 <= 3 %}{% else %}{% endif %}{# c #}"
    yield b"{% set a, b = (1, [2.5e3, 'q']) %}{% set c | trim %} {{ strftime_now('%d %b %Y %H:%M %p %j %-d') }} {% endset %}{{ dict(a=a) }}{{ cycle }}{{ loop }}"


def main(folder):
    for name, seeds in [("safetensors", safetensors_seeds()), ("tokenizer", tokenizer_seeds()), ("gguf", gguf_seeds()), ("torch", torch_seeds()),
                        ("sentencepiece", sentencepiece_seeds()), ("chat", chat_seeds())]:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i, seed in enumerate(seeds):
            (folder / name / f"seed{i:02}").write_bytes(seed)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
