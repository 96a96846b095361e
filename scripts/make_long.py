#!/usr/bin/env python3
"""Composes the long contexts, datasets/long-zh.jsonl and datasets/long-en.jsonl.

usage: scripts/make_long.py [DATASETS_DIR]     writes both files
       scripts/make_long.py --check            says whether the files in datasets/ are what it would write

The words are our own: `long_zh.py` and `long_en.py` beside this file hold hand-written sentences with gaps, and the small worlds
(a stock with its balances, machines with their open faults, minutes with their open tasks) whose facts fill them. Everything comes
from fixed seeds, so a second run gives the same bytes. Python's standard library only; `tests/datasets.rs` counts the tokens.
"""

import json
import pathlib
import random
import re
import sys

GAP = re.compile(r"\{(\d+)\.\.(\d+)\}|\{([a-z_]+)\}")


class Writer:
    """Fills the gaps of sentences: `{3..9}` with a number, `{word}` with one of the texts that a grammar lists under that word, gaps
    in those filled likewise. All texts of a word are used, in an order of chance, before one comes again."""

    def __init__(self, seed, grammar):
        self.chance = random.Random(seed)
        self.grammar = grammar
        self.unused = {}

    def below(self, n):
        # `random()` is the one method whose numbers Python promises to keep.
        return int(self.chance.random() * n)

    def number(self, low, high):
        return low + self.below(high - low + 1)

    def likely(self, share):
        return self.chance.random() < share

    def one(self, texts):
        return texts[self.below(len(texts))]

    def mixed(self, texts):
        rest, order = list(texts), []
        while rest:
            order.append(rest.pop(self.below(len(rest))))
        return order

    def pick(self, word):
        if not self.unused.get(word):
            self.unused[word] = self.mixed(self.grammar[word])
        return self.unused[word].pop()

    def __call__(self, sentence, **known):
        def fill(gap):
            low, high, word = gap.groups()
            if word is None:
                return str(self.number(int(low), int(high)))
            return str(known[word]) if word in known else self(self.pick(word), **known)

        return GAP.sub(fill, sentence)


class Pages:
    """Collects paragraphs up to a number of characters."""

    def __init__(self, characters):
        self.room = characters
        self.parts = []

    def add(self, text):
        self.parts.append(text)
        self.room -= len(text) + 1

    def left(self):
        return self.room > 0

    def text(self):
        return "\n".join(self.parts)


def lines(name, language):
    for i, (compose, characters, seed) in enumerate(language.CONTEXTS, 1):
        pages = Pages(characters)
        question = compose(Writer(seed, language.GRAMMAR), pages)
        prompt = pages.text().strip() + "\n\n" + question
        yield json.dumps({"id": f"{name}-{i:02}", "prompt": prompt}, ensure_ascii=False) + "\n"


def main():
    import long_en
    import long_zh

    check = sys.argv[1:] == ["--check"]
    folder = pathlib.Path(__file__).resolve().parent.parent / "datasets" if check or len(sys.argv) < 2 else pathlib.Path(sys.argv[1])
    differ = []
    for name, language in (("long-zh", long_zh), ("long-en", long_en)):
        file, text = folder / f"{name}.jsonl", "".join(lines(name, language)).encode()
        if not check:
            file.write_bytes(text)
        elif file.read_bytes() != text:
            differ.append(str(file.name))
    if differ:
        print("not what this script writes:", ", ".join(differ))
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
