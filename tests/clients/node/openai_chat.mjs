// The official OpenAI SDK for Node, Chat Completions.
import OpenAI from "openai";
import { main, MOST_TURNS, PNG, task, TOOLS } from "./task.mjs";

const client = new OpenAI({ baseURL: task.url + "/v1", apiKey: "local" });
const asked = [{ role: "user", content: task.ask }];
const done = (completion, more = {}) => ({
  text: completion.choices[0].message.content ?? "",
  usage: completion.usage,
  stop: completion.choices[0].finish_reason,
  ...more,
});
const stream = (messages, more = {}) =>
  client.chat.completions
    .stream({ model: task.model, messages, stream_options: { include_usage: true }, ...more })
    .finalChatCompletion();
const create = () => client.chat.completions.create({ model: task.model, messages: asked });

await main({
  whole: async () => done(await create()),
  error: async () => done(await create()),
  stream: async () => done(await stream(asked)),
  cut: async () => done(await stream(asked)),
  image: async () => {
    const image = { type: "image_url", image_url: { url: "data:image/png;base64," + PNG } };
    return done(await stream([{ role: "user", content: [image, { type: "text", text: task.ask }] }]));
  },
  cancel: async () => {
    const running = await client.chat.completions.create({ model: task.model, messages: asked, stream: true });
    for await (const chunk of running) {
      if (chunk.choices[0]?.delta.content) {
        running.controller.abort();
        break;
      }
    }
    return { cancelled: true };
  },
  tools: async () => {
    const tools = Object.entries(TOOLS).map(([name, { description, parameters }]) => ({
      type: "function",
      function: { name, description, parameters },
    }));
    const messages = [...asked];
    const calls = [];
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      const completion = await stream(messages, { tools });
      const message = completion.choices[0].message;
      if (!message.tool_calls?.length) return done(completion, { calls });
      messages.push(message);
      for (const call of message.tool_calls) {
        const input = JSON.parse(call.function.arguments);
        calls.push([call.function.name, input]);
        messages.push({ role: "tool", tool_call_id: call.id, content: TOOLS[call.function.name].run(input) });
      }
    }
    return { calls };
  },
});
