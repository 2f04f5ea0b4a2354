"""A seed to a large spec as people write them: many rules over many features, some in each other's
way, and assertions of every kind.

The same seed and size give the same text. Lexicons, dimensions, targets and assertions are as many
as a large team has; the number of rules is asked for.
"""

import random
from collections.abc import Iterator

LEXICONS = 17
DIMENSIONS = 13

_WORDS = (
    "deploy*", "invoice*", "contract*", "patient*", "salary|salaries", "refactor*", "migrat*",
    "benchmark*", "translate*", "summaris*|summariz*", "security audit", "prove that",
    "regression test*", "incident*", "roadmap*", "quarterly report*", "customer data", "root cause",
    "threat model*", "step by step", "design doc*", "legal hold", "source code", "unit test*",
    "race condition*", "stack trace*", "data set*", "machine learning", "load test*", "backup*",
)  # fmt: skip

HEAD = """\
version: 1
name: large
providers:
  desk: {kind: ollama, base_url: "http://localhost:11434", trust: local}
  rack: {kind: vllm, base_url: "http://rack.example:8000", trust: internal}
  house: {kind: openai-compatible, base_url: "https://models.example/v1", trust: internal}
  east: {kind: openai, api_key: "${EAST_KEY}", trust: cloud, retry: {times: 1}}
  west: {kind: anthropic, api_key: "${WEST_KEY}", trust: cloud}
targets:
  tiny: {provider: desk, model: a, context: 32k, max_output: 4k, capabilities: [tools], price: free}
  small: {provider: desk, model: b, context: 128k, max_output: 8k, capabilities: [tools, vision],
          price: free}
  rack-code: {provider: rack, model: c, context: 256k, max_output: 32k,
              capabilities: [tools, parallel_tools, json_schema], price: free}
  rack-large: {provider: rack, model: d, context: 256k, max_output: 32k,
               capabilities: [tools, vision, json_schema, thinking], price: free}
  house-mid: {provider: house, model: e, context: 200k, max_output: 16k,
              capabilities: [tools, vision, documents, json_schema],
              price: {input: 0.3, output: 1.2}}
  east-mid: {provider: east, model: f, context: 400k, max_output: 64k,
             capabilities: [tools, parallel_tools, vision, json_schema],
             price: {input: 0.5, output: 2, cache_read: 0.05}}
  east-best: {provider: east, model: g, context: 1M, max_output: 64k,
              capabilities: [tools, parallel_tools, vision, documents, json_schema, thinking],
              price: {input: 2.5, output: 10, cache_read: 0.25}}
  west-best: {provider: west, model: h, context: 1M, max_output: 64k,
              capabilities: [tools, vision, documents, json_schema, thinking, prompt_cache],
              price: {input: 5, output: 25, cache_read: 0.5, cache_write: 6.25}}
"""
TARGETS = 8

TAIL = """\
otherwise: escalate
assert:
  - {name: stays-home, never: secret and target.trust == cloud}
  - {name: sees, always: images.count > 0 implies target.vision}
  - {name: fits, always: context.tokens > 500k implies target.context > 500k}
  - {name: cheap-first, reachable: tier == SIMPLE and target == tiny and target.first}
  - {name: best-used, reachable: target == "west-best"}
  - {name: loops, always: loop.tool_results > 40 and not secret implies tier >= MEDIUM}
  - {name: no-deny, never: 'outcome == deny and header("x-vip") == "yes"'}
  - {name: cost, max_cost_usd: 60}
  - {name: time, max_latency: 30m}
  - {name: talk, monotone: ask.words}
  - {name: results, monotone: loop.tool_results}
allow:
  LK601: proofs come later
"""
ASSERTIONS = 11

_NUMBERS = {
    "ask.words": (1, 2_000), "ask.lines": (1, 400), "ask.code_blocks": (1, 9), "turns": (1, 40),
    "messages.count": (1, 200), "tools.count": (1, 60), "tools.added": (1, 30),
    "loop.tool_results": (1, 80), "loop.tool_errors": (1, 12), "loop.repeats": (1, 6),
    "loop.steps_since_user": (1, 30), "context.tokens": (500, 400_000),
    "request.max_tokens": (100, 60_000), "images.count": (1, 12), "documents.count": (1, 6),
}  # fmt: skip
_FLAGS = ("wants.stream", "wants.thinking", "wants.json_schema", "ask.last_is_question")
_HEADERS = {
    "x-app": ("ide", "cli", "batch", "chat", "review"),
    "x-env": ("dev", "ci", "prod"),
    "x-vip": ("yes",),
}
_TIERS = ("SIMPLE", "MEDIUM", "COMPLEX", "REASONING")
_CHAINS = ("[tiny, small]", "[rack-code, east-mid]", "[[east-best, west-best], rack-large]",
           "[house-mid, east-mid]", "[rack-large, west-best]")  # fmt: skip


_REQUIREMENTS = ("target.trust <= internal", "target.tools", "target.context > 100k")
TEAMS = 251


def large_text(rules: int, seed: int = 0) -> str:
    """The text of a spec with so many rules.

    `check` finds no error in it, but for a rule that covers another with some seeds of over 500.
    """
    draw = random.Random(f"{seed}/{rules}")
    return "".join(
        (
            HEAD,
            *_lexicons(draw),
            *_named(draw),
            *_score(draw),
            *_tiers(),
            *_rules(draw, rules),
            TAIL,
        )
    )


def _lexicons(draw: random.Random) -> Iterator[str]:
    yield "lexicons:\n"
    for i in range(LEXICONS):
        entries = ", ".join(f'"{word}"' for word in draw.sample(_WORDS, draw.randint(2, 6)))
        yield f'  lex{i}: [{entries}, "only {chr(97 + i)}{i}"]\n'


def _named(draw: random.Random) -> Iterator[str]:
    yield "features:\n"
    yield '  secret: header("x-data-class") in ["secret", "confidential"] or matches(ask, lex0)\n'
    yield (
        "  effort: steps(loop.tool_results, [[1, 10], [5, 25], [20, 50]])"
        " + steps(tools.added, [[3, 10], [9, 25]]) + when(matches(ask, lex1), 20, 0)\n"
    )
    yield f"  long_talk: turns > {draw.randint(10, 30)} or messages.count > 80\n"


def _score(draw: random.Random) -> Iterator[str]:
    values = [
        "ramp(ask.words, 20, 800)",
        "steps(ask.tokens, [[0, 10], [500, 30], [2000, 50], [5000, 80]])",
        "saturate(count(ask, lex2), 3)",
        "steps(tools.added, [[1, 20], [4, 40], [9, 80]])",
        "min(100, 15 * count(ask, lex3))",
        "steps(loop.tool_results, [[0, 10], [2, 40], [6, 80]])",
        "when(matches(ask, lex4), 80, when(matches(ask, lex5), 60, 20))",
        "ramp(ask.mean_sentence, 0, 120)",
        "saturate(distinct(ask, lex6), 4)",
        "steps(turns, [[0, 10], [3, 40], [8, 70]])",
        "when(matches(history, lex7), 50, 0) + when(matches(ask, lex8), 50, 0)",
        "tools.mean_weight",
        "saturate(ask.code_blocks, 5)",
    ]
    assert len(values) == DIMENSIONS
    yield "score:\n  dimensions:\n"
    for i, value in enumerate(values):
        yield f"    dim{i}: {{weight: {draw.choice((6, 8, 8.5, 10))}, value: '{value}'}}\n"


def _tiers() -> Iterator[str]:
    yield "tiers:\n"
    yield "  - {name: SIMPLE, up_to: 25, chain: [tiny, small, house-mid]}\n"
    yield "  - {name: MEDIUM, up_to: 50, chain: [rack-code, house-mid, east-mid]}\n"
    yield (
        "  - {name: COMPLEX, up_to: 70, chain: [[rack-large, east-mid], east-best],"
        " pick: weighted, weights: {rack-large: 3}}\n"
    )
    yield "  - {name: REASONING, chain: [west-best, east-best, rack-large]}\n"


def _rules(draw: random.Random, count: int) -> Iterator[str]:
    yield "rules:\n"
    yield "  - {name: stay-home, when: secret, require: target.trust != cloud}\n"
    # Every lexicon is read somewhere.
    every = " + ".join(f"count(ask, lex{i})" for i in range(LEXICONS))
    yield f"  - {{name: wordy, when: '{every} > 40', add: 5}}\n"
    yield "  - {name: efforts, when: effort >= 60 and not long_talk, floor: COMPLEX}\n"
    for i in range(count - 3):
        guard, effect = _guard(draw), _effect(draw)
        if effect.split(":")[0] in ("tier", "chain", "deny", "prefer"):
            # Rules of one team get in each other's way; those of two teams never do.
            guard = f'header("x-team") == "team{i % TEAMS}" and ({guard})'
        yield f"  - {{name: r{i}, when: '{guard}', {effect}}}\n"


def _guard(draw: random.Random) -> str:
    atoms = [_atom(draw) for _ in range(draw.choice((1, 2, 2, 3, 3)))]
    return f" {draw.choice(('and', 'and', 'and', 'or'))} ".join(atoms)


def _atom(draw: random.Random) -> str:
    match draw.randrange(10):
        case 0 | 1 | 2 | 3:
            name = draw.choice(tuple(_NUMBERS))
            low, high = _NUMBERS[name]
            return f"{name} {draw.choice(('>', '>=', '<', '<='))} {draw.randint(low, high)}"
        case 4 | 5:
            lexicon = f"lex{draw.randrange(LEXICONS)}"
            if draw.random() < 0.5:
                return f"matches({draw.choice(('ask', 'ask', 'history'))}, {lexicon})"
            return f"count(ask, {lexicon}) >= {draw.randint(1, 6)}"
        case 6 | 7:
            header = draw.choice(tuple(_HEADERS))
            value = draw.choice(_HEADERS[header])
            return f'header("{header}") {draw.choice(("==", "!="))} "{value}"'
        case 8:
            flag = draw.choice(_FLAGS)
            return draw.choice((flag, f"not {flag}"))
        case _:
            return f"effort {draw.choice(('>=', '<'))} {draw.randint(5, 90)}"


def _effect(draw: random.Random) -> str:
    match draw.choice("tttttffccaahrpd"):
        case "t":
            return f"tier: {draw.choice(_TIERS)}"
        case "f":
            return f"floor: {draw.choice(_TIERS[1:])}"
        case "c":
            return f"ceiling: {draw.choice(_TIERS[:3])}"
        case "a":
            return f"add: {draw.choice((-7.5, -3, 2, 4.25, 9))}"
        case "h":
            return f"chain: {draw.choice(_CHAINS)}"
        case "r":
            return f"require: {draw.choice(_REQUIREMENTS)}"
        case "p":
            return f"prefer: {draw.choice(('cheapest', 'fastest', 'small'))}"
        case _:
            return "deny: {status: 429, message: Not now.}"
