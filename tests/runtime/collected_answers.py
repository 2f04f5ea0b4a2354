"""What upstreams answer in the tests of spans: whole, streamed, and not, in words of their own."""

from tests.runtime.by_hand import Script

PROMPT, ANSWER, BLAME = "the-secret-plan", "the-secret-answer", "the-words-of-the-upstream"
JSON = {"content-type": "application/json"}
WHOLE = Script(
    headers=JSON,
    steps=[
        b'{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text",'
        b'"text":"the-secret-answer"}],"stop_reason":"end_turn","stop_sequence":null,"usage":'
        b'{"input_tokens":11,"output_tokens":7,"cache_read_input_tokens":100,'
        b'"cache_creation_input_tokens":5}}'
    ],
)
BEGIN = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message",'
    b'"role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,'
    b'"usage":{"input_tokens":11,"output_tokens":1}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
    b'"content_block":{"type":"text","text":""}}\n\n'
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"the-secret-answer"}}\n\n'
)
END = (
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn",'
    b'"stop_sequence":null},"usage":{"output_tokens":7}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)
DOWN = Script(
    status=503, headers=JSON, steps=[b'{"error":{"message":"the-words-of-the-upstream"}}']
)
