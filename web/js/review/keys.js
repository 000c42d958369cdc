// Which key means what. One letter or digit each, so they can be switched off (WCAG 2.1.4) and never act while typing.

import { kept } from "../kept.js";

export const LABEL_KEYS = { 1: "human_face", 2: "printed_face", 3: "no_living_animal", 4: "gruesome", 5: "other" };
export const KEYS = {
  reveal: "R", boxes: "B", uphold: "U", overturn: "O", skip: "S", undo: "Z", comment: "C", pause: "P", help: "?",
};
const ACTIONS = { " ": "reveal", ...Object.fromEntries(Object.entries(KEYS).map(([action, key]) => [key, action])) };
const choice = kept("localStorage", "pawcast-review-keys");

export const keysOn = () => choice.read() !== "off";
export const setKeys = (on) => choice.write(on ? null : "off");

/** What a key press asks for: {action} or {label}; null when it is not for us. */
export function meant(event) {
  if (!keysOn() || event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return null;
  if (document.querySelector("dialog[open]") || event.target.closest("textarea, input:not([type=radio]), select")) return null;
  const key = typed(event);
  if (key === " " && event.target.closest("button, a, summary, input")) return null; // it presses what has the focus
  if (LABEL_KEYS[key]) return { label: LABEL_KEYS[key] };
  return ACTIONS[key] ? { action: ACTIONS[key] } : null;
}

/** The Latin letter of a key, also while a Korean keyboard layout is on. */
function typed({ key, code }) {
  if (key.length === 1 && key.charCodeAt(0) < 128) return key.toUpperCase();
  return code.replace(/^(Key|Digit)/, "");
}
