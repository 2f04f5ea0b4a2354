// What every Node driver has in common: a task on stdin, a report on stdout, two tools to call.
import { readFileSync } from "node:fs";

export const task = JSON.parse(readFileSync(0, "utf8"));

export const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

export const TOOLS = {
  read: {
    description: "Reads a file",
    parameters: {
      type: "object",
      properties: { path: { type: "string" } },
      required: ["path"],
      additionalProperties: false,
    },
    run: ({ path }) => `content of ${path}`,
  },
  add: {
    description: "Adds two numbers",
    parameters: {
      type: "object",
      properties: { a: { type: "number" }, b: { type: "number" } },
      required: ["a", "b"],
      additionalProperties: false,
    },
    run: ({ a, b }) => String(a + b),
  },
};

export const MOST_TURNS = 6;

export function report(value) {
  process.stdout.write(JSON.stringify(value) + "\n");
  process.exit(0);
}

export async function main(modes) {
  try {
    report(await modes[task.mode]());
  } catch (error) {
    if (task.mode !== "error" && task.mode !== "cut") throw error;
    report({ error: { status: error.status ?? error.statusCode ?? null, message: String(error.message) } });
  }
}
