"""Writes resources/prompts: sets of prompts that the window offers beside the text that is typed.

prose.txt: 100 passages of the held-out, public-domain novels (eval/prose.txt.gz), each from the start of a
sentence and long enough for 64 tokens of any tokenizer (the length that the sink rate was published for).
ioi.txt: the first 100 clean prompts of eval/ioi.jsonl. One prompt a line.
"""
import gzip
import json
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
TO = HERE.parent / "resources" / "prompts"
ROWS = 100
LEAST = 440  # characters


def passages(text):
    """Chunks of whole sentences, LEAST characters or a little more, paragraph by paragraph."""
    out = []
    for paragraph in text.split("\n"):
        sentences = re.findall(r'(?<=[.!?;]["”’ ])\s*(["“A-Z][^.!?]*[.!?]+["”]?)(?=\s|$)', paragraph)
        chunk = ""
        for sentence in sentences:
            chunk = (chunk + " " + sentence.strip()).strip()
            if len(chunk) >= LEAST:
                out.append(chunk)
                chunk = ""
    return out


def main():
    TO.mkdir(exist_ok=True)
    found = passages(gzip.decompress((HERE / "eval" / "prose.txt.gz").read_bytes()).decode())
    short = [passage for passage in found if len(passage) <= LEAST + 160]
    step = len(short) / ROWS
    chosen = [short[int(i * step)] for i in range(ROWS)]
    (TO / "prose.txt").write_text("\n".join(chosen) + "\n", encoding="utf-8")
    lines = (HERE / "eval" / "ioi.jsonl").read_text(encoding="utf-8").splitlines()[:ROWS]
    prompts = [json.loads(line)["clean"] for line in lines]
    (TO / "ioi.txt").write_text("\n".join(prompts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
