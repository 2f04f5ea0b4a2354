"""The scan kernel's C under AddressSanitizer and UndefinedBehaviorSanitizer.

With clang libFuzzer chooses the inputs, guided by coverage; without it the driver mutates them at
random.
"""

import shutil
import struct
import subprocess
import sys
from pathlib import Path
from random import Random

from lynkrc_runtime.scan.fold import TABLE
from lynkrc_runtime.scan.kernel_sources import c_files
from tests.scan_cases import random_tables, random_text

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "runtime" / "lynkrc_runtime" / "scan"
FOLD = 2
"""The choice that makes an input one for the fold table."""
TURNS = 4
"""The choice that makes it the JSON text of messages, behind no table."""
CHAT = 5
"""The choice that makes it that of Chat's."""
BODY = 6
"""The choice that makes it that of a body; one more, and the tools of the body are known."""
ITEMS = 12
"""The choice that makes it that of Responses' items."""
CHATTED = (
    '[{"role":"system","content":"be"},{"role":"user","content":[{"type":"text","text":"go"}]},'
    '{"role":"assistant","content":"\u00e9","tool_calls":[{"id":"c","type":"function","function":'
    '{"name":"look","arguments":"{\\"a\\": [1, \\"\\u4e2d\\ud83d\\ude00\\"]}"}},{"id":"d",'
    '"function":{"arguments":" ","name":"find"}}]},{"role":"tool","tool_call_id":"d",'
    '"content":null},{"content":"\\n3","role":"tool","tool_call_id":"c","name":"look"},{"role":"user",'
    '"content":" \\n\\u00e9 < \\u003c/b"},{"content":[{"type":"text","text":"\\f\\"a"}],"role":'
    '"user"}]'
)
LISTED = (
    '[{"type":"message","role":"developer","content":"be"},{"type":"message","role":"user",'
    '"content":[{"type":"input_text","text":"go"}]},{"type":"message","id":"m","role":"assistant",'
    '"content":[{"type":"output_text","annotations":[],"logprobs":null,"text":"\u00e9"}]},{"type":'
    '"function_call","call_id":"c","name":"look","arguments":"{\\"a\\":[1,\\"\\u4e2d\\ud83d\\ude00'
    '\\"]}"},{"name":"find","call_id":"d","arguments":" ","type":"function_call"},{"type":'
    '"function_call_output","call_id":"d","output":""},{"type":"custom_tool_call_output","output":'
    '[{"type":"text","text":"\\n3"}],"call_id":"c"},{"type":"message","role":"user","content":"x"}]'
)
THOUGHT = (
    '[{"type":"message","role":"user","content":"go"},{"type":"reasoning","id":"r","summary":[{"type":'
    '"summary_text","text":"é"},{"type":"summary_text","text":"b"}],"content":null,'
    '"encrypted_content":"x"},{"type":"custom_tool_call","status":"completed","call_id":"c","name":'
    '"run","input":"ls \\n"},{"type":"custom_tool_call_output","call_id":"c","output":"a"},{"type":'
    '"message","role":"assistant","content":[{"type":"output_text","text":"x","annotations":[]}]}]'
)
SAID = (
    '[{"role":"user","content":"go"},{"role":"assistant","content":[{"type":"text","text":"a\\n"},'
    '{"type":"tool_use","id":"c","name":"look","input":{"a":[1,-2.5e3,true,null],"\\u00e9":{}}}]},'
    '{"content":[{"type":"tool_result","tool_use_id":"c","is_error":true,"content":[{"type":"text",'
    '"text":"\u4e2d\\ud83d\\ude00","cache_control":{"type":"ephemeral"}}]}],"role":"user"},{"role":'
    '"assistant","content":[{"type":"thinking","thinking":"\u00fc","signature":null},'
    '{"type":"redacted_thinking","data":"abc"}]}]'
)
ASKED = (
    '{"model":"m", "max_tokens": 9,"system":[{"type":"text","text":"be \\"brief\\" \u00e9"}],'
    f'"messages" :{SAID},"tools":[{{"name":"look"}}],"metadata":{{"user_id":null}},"stream":true}} '
)


def compile_driver(folder: Path, compiler: str, *, libfuzzer: bool = False) -> Path | str:
    """The program, or why there is none."""
    if shutil.which(compiler) is None:
        return f"there is no {compiler}"
    program = folder / "kernel_driver"
    sanitisers = "address,undefined" + (",fuzzer" if libfuzzer else "")
    command = [
        compiler,
        "-std=c11",
        "-O1",
        "-g",
        "-Wall",
        "-Wextra",
        "-Werror",
        f"-fsanitize={sanitisers}",
        "-fno-sanitize-recover=all",
        *(["-DLIBFUZZER"] if libfuzzer else []),
        f"-I{SOURCES}",
        str(Path(__file__).with_name("kernel_driver.c")),
        *(str(SOURCES / name) for name in c_files()),
        "-o",
        str(program),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return program if done.returncode == 0 else f"{compiler} cannot: {done.stderr.strip()}"


def write_inputs(folder: Path, chance: Random) -> list[Path]:
    """Sound tables and texts, to be broken."""
    paths = []
    for number in range(40):
        table, choice = random_tables(chance).data, number % 2
        text = random_text(chance).encode("utf-8", "surrogatepass")
        if number % 10 == 0:
            table, choice = TABLE, FOLD
            text = random_text(chance).encode("utf-32-le", "surrogatepass")
        if number % 10 == 5:
            table, choice, text = b"", TURNS, SAID.encode()
        if number % 10 == 7:
            table, choice, text = b"", ITEMS, LISTED.encode()
        if number % 10 == 9:
            table, choice, text = b"", ITEMS, THOUGHT.encode()
        if number % 10 == 3:
            table, choice, text = b"", CHAT, CHATTED.encode()
        if number % 10 in (1, 2):
            table, choice, text = b"", BODY + number % 2, ASKED.encode()
        path = folder / f"input-{number}"
        path.write_bytes(bytes([choice]) + struct.pack("<I", len(table)) + table + text)
        paths.append(path)
    return paths


def run_driver(program: Path, folder: Path, *, seconds: int, rounds: int, seed: int) -> str:
    """What the driver said at its end; RuntimeError with what was found."""
    inputs = [str(path) for path in write_inputs(folder, Random(seed))]
    words = [str(program), str(seconds), str(rounds), str(seed), *inputs]
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        raise RuntimeError(f"seed {seed}, exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def fuzz(kept: Path, seconds: int) -> None:
    """Look for what breaks it; ends the process with 1 where something does."""
    kept.mkdir(parents=True, exist_ok=True)
    program = compile_driver(kept, "clang", libfuzzer=True)
    if isinstance(program, Path):
        corpus = kept / "corpus"
        corpus.mkdir(exist_ok=True)
        write_inputs(corpus, Random(seconds))
        options = [f"-max_total_time={seconds}", "-max_len=65536", f"-artifact_prefix={kept}/"]
        command = [str(program), *options, "-print_final_stats=1", "-timeout=20", str(corpus)]
        sys.exit(subprocess.run(command, check=False).returncode)
    print(f"no libFuzzer ({program}): mutating at random")
    program = compile_driver(kept, "gcc")
    if not isinstance(program, Path):
        sys.exit(f"the kernel is not fuzzed: {program}")
    try:
        print(run_driver(program, kept, seconds=seconds, rounds=1 << 40, seed=seconds))
    except RuntimeError as error:
        sys.exit(str(error))
