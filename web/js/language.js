// Korean and English. Words are tables of [ko, en]; what the API says comes as {ko, en}.

import { kept } from "./kept.js";

const choice = kept("localStorage", "pawcast-language");
const listeners = new Set();
let language = remembered() ?? (navigator.language.startsWith("ko") ? "ko" : "en");
document.documentElement.lang = language;

function remembered() {
  const text = choice.read();
  return text === "ko" || text === "en" ? text : null;
}

/** The language shown now. */
export const current = () => language;

/** Call when the language changes. */
export const onLanguage = (listener) => listeners.add(listener);

export function setLanguage(wanted) {
  language = wanted;
  choice.write(wanted);
  document.documentElement.lang = wanted;
  for (const listener of listeners) listener();
}

/** A speaker of a table of words: `t("code", {fact: 1})`. */
export function speaker(words) {
  return (code, facts = {}) => {
    const [ko, en] = words[code];
    return (language === "ko" ? ko : en).replace(/\{(\w+)\}/g, (_, name) => String(facts[name]));
  };
}

/** A sentence of the API. */
export const sentence = (text) => text?.[language] ?? "";

const locale = () => (language === "ko" ? "ko-KR" : "en-GB");

export function number(value, digits = 0) {
  if (value === null || value === undefined) return "–";
  return new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

export const percent = (share, digits = 0) => (share === null ? "–" : `${number(100 * share, digits)} %`);

/** A change as a share, with its sign. */
export function change(now, before) {
  if (!before) return "–";
  const share = 100 * (now / before - 1);
  return `${share > 0 ? "+" : share < 0 ? "−" : ""}${number(Math.abs(share), 1)} %`;
}

/** A moment (ISO 8601 with a zone) in this browser's time zone. */
export function moment(iso) {
  if (!iso) return "–";
  return new Intl.DateTimeFormat(locale(), {
    weekday: "short", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short",
  }).format(new Date(iso));
}

/** The day of a moment in this browser's time zone, as short as a chart's axis wants it. */
export const shortDay = (at) => new Intl.DateTimeFormat(locale(), { month: "2-digit", day: "2-digit" }).format(at);

/** The day of a moment in this browser's time zone, with its weekday. */
export const dayOf = (iso) => new Intl.DateTimeFormat(locale(), { weekday: "short", month: "2-digit", day: "2-digit" }).format(new Date(iso));

/** The hour of a moment in this browser's time zone, as 09:00. */
export const shortHour = (at) => new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);

/** A wall-clock day or hour without a zone, as stores' plans have them. */
export function wallClock(iso, { hour = false } = {}) {
  const shown = { weekday: "short", month: "2-digit", day: "2-digit", timeZone: "UTC" };
  if (hour) Object.assign(shown, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return new Intl.DateTimeFormat(locale(), shown).format(new Date(`${iso.slice(0, 16)}${iso.length > 10 ? "" : "T00:00"}Z`));
}

/** The hour alone, as 09:00. */
export const clock = (iso) => iso.slice(11, 16);
