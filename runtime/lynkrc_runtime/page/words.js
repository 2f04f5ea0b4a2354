// Numbers and times to the words people read.

const NUMBER = new Intl.NumberFormat("en");

/** 12345 to 12,345. */
export function count(value) {
  return value === null || value === undefined ? "–" : NUMBER.format(value);
}

/** Tokens: 12345 to 12.3k. */
export function brief(value) {
  if (value < 1000) return String(value);
  if (value < 999_950) return `${trimmed(value / 1000)}k`;
  return `${trimmed(value / 1_000_000)}M`;
}

function trimmed(value) {
  return value < 100 ? value.toFixed(1).replace(/\.0$/, "") : Math.round(value).toString();
}

/** Micro-dollars to dollars, as exact as the amount is small. */
export function usd(micro) {
  if (micro === null || micro === undefined) return "–";
  const dollars = micro / 1_000_000;
  if (micro === 0) return "$0";
  if (Math.abs(dollars) >= 100) return `$${NUMBER.format(Math.round(dollars))}`;
  if (Math.abs(dollars) >= 1) return `$${dollars.toFixed(2)}`;
  if (Math.abs(dollars) >= 0.01) return `$${dollars.toFixed(4).replace(/0{1,2}$/, "")}`;
  return `$${dollars.toFixed(6)}`;
}

/** Milliseconds to a span. */
export function span(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1) return "<1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return seconds(ms / 1000);
}

/** Seconds to a span: 75 to 1 min 15 s. */
export function seconds(value) {
  if (value < 10) return `${value.toFixed(1).replace(/\.0$/, "")} s`;
  if (value < 60) return `${Math.round(value)} s`;
  const whole = Math.round(value);
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  if (days) return hours ? `${days} d ${hours} h` : `${days} d`;
  if (hours) return minutes ? `${hours} h ${minutes} min` : `${hours} h`;
  return whole % 60 ? `${minutes} min ${whole % 60} s` : `${minutes} min`;
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const SHORT = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat("en", { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const FULL = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });

/** Unix milliseconds to the time of the day. */
export const clock = (ms) => CLOCK.format(ms);
/** The same without seconds. */
export const minute = (ms) => SHORT.format(ms);
/** Day of the week and time. */
export const weekday = (ms) => DAY.format(ms);
/** Date and time. */
export const moment = (ms) => FULL.format(ms);

/** The first characters of a digest. */
export const short = (digest) => digest.slice(0, 12);

/** 1 request, 2 requests. */
export function many(number, one, several = `${one}s`) {
  return `${NUMBER.format(number)} ${number === 1 ? one : several}`;
}
