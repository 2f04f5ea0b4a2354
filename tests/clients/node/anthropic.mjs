// The official Anthropic SDK for Node.
import Anthropic from "@anthropic-ai/sdk";
import { main, MOST_TURNS, PNG, task, TOOLS } from "./task.mjs";

const client = new Anthropic({ baseURL: task.url, apiKey: "local" });
const head = { model: task.model, max_tokens: 1000 };
const asked = [{ role: "user", content: task.ask }];
const textOf = (message) =>
  message.content.filter((block) => block.type === "text").map((block) => block.text).join("");
const done = (message, more = {}) => ({ text: textOf(message), usage: message.usage, stop: message.stop_reason, ...more });
const stream = (messages, more = {}) => client.messages.stream({ ...head, messages, ...more }).finalMessage();

await main({
  whole: async () => done(await client.messages.create({ ...head, messages: asked })),
  stream: async () => done(await stream(asked)),
  cut: async () => done(await stream(asked)),
  error: async () => done(await client.messages.create({ ...head, messages: asked })),
  image: async () => {
    const source = { type: "base64", media_type: "image/png", data: PNG };
    const content = [{ type: "image", source }, { type: "text", text: task.ask }];
    return done(await stream([{ role: "user", content }]));
  },
  cancel: async () => {
    const running = client.messages.stream({ ...head, messages: asked });
    for await (const event of running) {
      if (event.type === "content_block_delta") {
        running.abort();
        break;
      }
    }
    return { cancelled: true };
  },
  tools: async () => {
    const tools = Object.entries(TOOLS).map(([name, tool]) => ({
      name,
      description: tool.description,
      input_schema: tool.parameters,
    }));
    const messages = [...asked];
    const calls = [];
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      const message = await stream(messages, { tools });
      const wanted = message.content.filter((block) => block.type === "tool_use");
      if (!wanted.length) return done(message, { calls });
      calls.push(...wanted.map((call) => [call.name, call.input]));
      messages.push({ role: "assistant", content: message.content });
      messages.push({
        role: "user",
        content: wanted.map((call) => ({
          type: "tool_result",
          tool_use_id: call.id,
          content: TOOLS[call.name].run(call.input),
        })),
      });
    }
    return { calls };
  },
});
