"""A whole `generateContent` answer, to a neutral `Answer`: a stream of one response, folded."""

from lynkrc_runtime.protocol.conversation import Answer
from lynkrc_runtime.protocol.dialect import ANY_TARGET, TargetFacts
from lynkrc_runtime.protocol.fold import fold
from lynkrc_runtime.protocol.gemini.response import ResponseReader


def read_answer(body: bytes, facts: TargetFacts = ANY_TARGET) -> Answer:
    """The answer of an upstream's 200; BrokenAnswer where that is no answer."""
    reader = ResponseReader(facts.maker)
    return fold([*reader.read(body), *reader.end()])
