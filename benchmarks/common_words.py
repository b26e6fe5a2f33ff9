"""The words that news writes mostly in lower case, and its verbs, for the claim check.

A capital at the beginning of a sentence may be a name ("Brazil plans") or not ("Officials
plan"); the first list tells. Both are counted in the even-numbered articles of RealTime QA,
and hold single words alone. Writes ``assistant/grounding/common_words.json``.

Run it with ``python -m benchmarks.common_words ARTICLES.jsonl.gz``.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

LISTS = Path("assistant/grounding/common_words.json")
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+|\n+")
_WORD = re.compile(r"[A-Za-z][a-z]+")
_SEEN, _SEEN_VERB, _FORMS = 4, 20, 5  # occurrences that make a word, a verb, a form of it more than a slip
_MOSTLY = 3  # times as often in lower case as capitalised inside a sentence
_FREQUENT = 200  # in lower case: parts of many names ("New York"), but hardly a name alone


def main(articles: Path) -> None:
    """Count the words of the articles and write the lists."""
    with gzip.open(articles, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines][::2]
    lists = common_words(texts)
    LISTS.write_text(json.dumps(lists, indent=2) + "\n", encoding="utf-8")
    print({name: len(words.split()) for name, words in lists.items()})


def common_words(texts: Iterable[str]) -> dict[str, str]:
    """The lists of the texts, each as one line of words in order of the alphabet."""
    lower, inside = Counter[str](), Counter[str]()
    for sentence in (sentence for text in texts for sentence in _SENTENCE_END.split(text)):
        for found in _WORD.finditer(sentence):
            word = found.group()
            if word.islower():
                lower[word] += 1
            elif found.start():
                inside[word.lower()] += 1
    common = (w for w in lower if lower[w] >= _SEEN and lower[w] >= _least(lower[w]) * inside[w])
    verbs = (w for w in lower if lower[w] >= _SEEN_VERB and _has_forms(w, lower))
    return {"common": " ".join(sorted(common)), "verbs": " ".join(sorted(verbs))}


def _least(count: int) -> int:
    return 1 if count >= _FREQUENT else _MOSTLY


def _has_forms(word: str, counts: Counter[str]) -> bool:
    doubled = word + word[-1]
    past = counts[f"{word}ed"] + counts[f"{word}d"] + counts[f"{doubled}ed"]
    present = counts[f"{word}ing"] + counts[f"{word[:-1]}ing"] + counts[f"{doubled}ing"]
    return past >= _FORMS and present >= _FORMS


if __name__ == "__main__":
    main(Path(sys.argv[1]))
