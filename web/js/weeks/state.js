// How a week's state looks, wherever it is shown.

import { h } from "../dom.js";
import { person } from "../session.js";
import { t } from "./words.js";

const KINDS = {
  running: "busy", approved: "busy", distributing: "busy", waiting_for_approval: "todo", done: "good", rejected: "bad", missed: "bad", failed: "bad",
};
const BUSY_SECONDS = 15;
const REST_SECONDS = 300; // links to the report end after 15 minutes

export const badge = (state) => h("span", { class: `badge ${KINDS[state] ?? ""}` }, t(`state_${state}`));

/** After how many seconds a page about this state looks again. */
export const lookAgain = (state) => (KINDS[state] === "busy" ? BUSY_SECONDS : REST_SECONDS);

/** Who did something: the API knows ids; one's own is said in words. */
export const nameOf = (id) => (id === person()?.id ? t("you") : id);

/** Facts as a list of pairs; pairs without a value are left out. */
export const facts = (pairs) => h("dl", {}, pairs.filter(([, value]) => value !== null).map(([name, value]) => (
  h("div", {}, h("dt", {}, name), h("dd", {}, value)))));
