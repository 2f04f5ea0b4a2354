// The Vercel AI SDK; `task.provider` chooses the package and with it the surface.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import { main, MOST_TURNS, PNG, task, TOOLS } from "./task.mjs";

const options = { baseURL: task.url + "/v1", apiKey: "local" };
const MODELS = {
  anthropic: () => createAnthropic(options)(task.model),
  responses: () => createOpenAI(options).responses(task.model),
  chat: () => createOpenAI(options).chat(task.model),
  compatible: () => createOpenAICompatible({ ...options, name: "lynkrc", includeUsage: true })(task.model),
};
const model = MODELS[task.provider]();

async function streamed(more) {
  let failure;
  const result = streamText({ model, onError: ({ error }) => (failure = error), ...more });
  const text = await Promise.resolve(result.text).catch(() => "");
  if (failure) throw failure;
  const calls = (await result.steps).flatMap((step) => step.toolCalls.map((call) => [call.toolName, call.input]));
  return { text, calls, usage: await result.totalUsage, stop: await result.finishReason };
}

await main({
  whole: async () => {
    const { text, usage, finishReason } = await generateText({ model, prompt: task.ask });
    return { text, usage, stop: finishReason };
  },
  error: async () => {
    const { text } = await generateText({ model, prompt: task.ask });
    return { text };
  },
  stream: () => streamed({ prompt: task.ask }),
  cut: () => streamed({ prompt: task.ask, maxRetries: 0 }),
  image: () => {
    const content = [{ type: "file", mediaType: "image/png", data: PNG }, { type: "text", text: task.ask }];
    return streamed({ messages: [{ role: "user", content }] });
  },
  cancel: async () => {
    const abort = new AbortController();
    const result = streamText({ model, prompt: task.ask, abortSignal: abort.signal, onError: () => {} });
    for await (const _ of result.textStream) {
      abort.abort();
      break;
    }
    return { cancelled: true };
  },
  tools: () => {
    const tools = Object.fromEntries(
      Object.entries(TOOLS).map(([name, { description, parameters, run }]) => [
        name,
        tool({ description, inputSchema: jsonSchema(parameters), execute: async (input) => run(input) }),
      ]),
    );
    return streamed({ prompt: task.ask, tools, stopWhen: stepCountIs(MOST_TURNS) });
  },
});
