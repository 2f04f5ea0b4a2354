// The official OpenAI SDK for Node, Responses.
import OpenAI from "openai";
import { main, MOST_TURNS, PNG, task, TOOLS } from "./task.mjs";

const client = new OpenAI({ baseURL: task.url + "/v1", apiKey: "local" });
const head = { model: task.model, store: false };
const asked = [{ role: "user", content: task.ask }];
const done = (response, more = {}) => ({ text: response.output_text, usage: response.usage, stop: response.status, ...more });
const stream = (input, more = {}) => client.responses.stream({ ...head, input, ...more }).finalResponse();

await main({
  whole: async () => done(await client.responses.create({ ...head, input: task.ask })),
  error: async () => done(await client.responses.create({ ...head, input: task.ask })),
  stream: async () => done(await stream(asked)),
  cut: async () => done(await stream(asked)),
  image: async () => {
    const image = { type: "input_image", detail: "auto", image_url: "data:image/png;base64," + PNG };
    return done(await stream([{ role: "user", content: [image, { type: "input_text", text: task.ask }] }]));
  },
  cancel: async () => {
    const running = await client.responses.create({ ...head, input: task.ask, stream: true });
    for await (const event of running) {
      if (event.type === "response.output_text.delta") {
        running.controller.abort();
        break;
      }
    }
    return { cancelled: true };
  },
  tools: async () => {
    const tools = Object.entries(TOOLS).map(([name, { description, parameters }]) => ({
      type: "function",
      name,
      description,
      parameters,
      strict: true,
    }));
    const input = [...asked];
    const calls = [];
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      const response = await stream(input, { tools });
      const wanted = response.output.filter((item) => item.type === "function_call");
      if (!wanted.length) return done(response, { calls });
      input.push(...response.output.map(({ parsed_arguments, ...item }) => item));
      for (const call of wanted) {
        const given = JSON.parse(call.arguments);
        calls.push([call.name, given]);
        input.push({ type: "function_call_output", call_id: call.call_id, output: TOOLS[call.name].run(given) });
      }
    }
    return { calls };
  },
});
