"""The spec that the cost of a decision is told for: 16 dimensions, 10 rules, four tiers."""

SIXTEEN = """\
version: 1
name: sixteen
providers:
  desk: {kind: ollama, base_url: "http://localhost:11434", trust: local}
  house: {kind: vllm, base_url: "http://models.example:8000", trust: internal}
targets:
  small: {provider: desk, model: a, context: 64k, max_output: 8k, capabilities: [tools],
          price: free}
  mid: {provider: house, model: b, context: 128k, max_output: 8k,
        capabilities: [tools, json_schema], price: free}
  large: {provider: house, model: c, context: 256k, max_output: 16k,
          capabilities: [tools, vision, json_schema, thinking], price: free}
lexicons:
  technical: ["database*", "kernel*", "compiler*"]
  reasons: ["step by step", "prove that"]
  code: ["function*", "class*", "refactor*"]
  words: ["design*", "architecture*"]
  risky: ["password*", "salary"]
score:
  dimensions:
    length: {weight: 10, value: 'ramp(ask.words, 20, 800)'}
    tokens: {weight: 8, value: 'steps(ask.tokens, [[0, 10], [500, 30], [2000, 50], [5000, 80]])'}
    sentences: {weight: 6, value: 'ramp(ask.mean_sentence, 0, 120)'}
    lines: {weight: 4, value: 'saturate(ask.lines, 200)'}
    blocks: {weight: 5, value: 'saturate(ask.code_blocks, 5)'}
    technical: {weight: 8, value: 'min(100, 15 * count(ask, technical))'}
    reasons: {weight: 8, value: 'saturate(count(ask, reasons), 3)'}
    code: {weight: 8, value: 'when(matches(ask, code), 80, 20)'}
    words: {weight: 6, value: 'saturate(distinct(ask, words), 2)'}
    turns: {weight: 5, value: 'steps(turns, [[0, 10], [3, 40], [8, 70]])'}
    talk: {weight: 3, value: 'ramp(messages.count, 4, 80)'}
    tools: {weight: 6, value: 'steps(tools.added, [[1, 20], [4, 40], [9, 80]])'}
    heavy-tools: {weight: 6, value: 'tools.mean_weight'}
    results: {weight: 7, value: 'steps(loop.tool_results, [[0, 10], [2, 40], [6, 80]])'}
    errors: {weight: 5, value: 'saturate(loop.tool_errors, 4)'}
    steps: {weight: 5, value: 'ramp(loop.steps_since_user, 0, 20)'}
tiers:
  - {name: SIMPLE, up_to: 25, chain: [small, mid]}
  - {name: MEDIUM, up_to: 50, chain: [mid, large]}
  - {name: COMPLEX, up_to: 75, chain: [large, mid]}
  - {name: REASONING, chain: [large]}
otherwise: escalate
rules:
  - {name: home, when: 'matches(ask, risky)', require: target.trust == local}
  - {name: team, when: 'header("x-team") == "legal"', require: target.trust <= internal}
  - {name: long, when: 'ask.tokens > 4000', floor: COMPLEX}
  - {name: pictures, when: 'images.count > 2', floor: COMPLEX}
  - {name: hello, when: 'ask.words <= 4 and tools.count == 0', tier: SIMPLE}
  - {name: proofs, when: 'count(ask, reasons) >= 3', tier: REASONING}
  - {name: loops, when: 'loop.repeats >= 3', floor: MEDIUM}
  - {name: stuck, when: 'loop.tool_errors > 5 and turns > 10', add: 15}
  - {name: thinks, when: wants.thinking, add: 10}
  - {name: batch, when: 'header("x-app") == "batch"', ceiling: MEDIUM}
"""
