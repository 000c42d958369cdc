// The photos in this operator's hands: one before them, a few more taken, loaded and decoded ahead.
//
// The server holds each for ten minutes for this operator. Whatever was decided here is not taken up again, even when an
// answer that is on its way still names it.

import * as api from "../api.js";
import { preload } from "./picture.js";

const AHEAD = 3;
const TAKE_MAX = 5; // that the API gives at once, with those already in hand

/** `unsent()`: how many decided photos the server still counts as in hand; `onChange()`: another photo is before the operator. */
export function workQueue({ unsent, onChange }) {
  const settled = new Set(); // review ids that were decided, skipped or lost here
  let held = []; // the first one is before the operator
  let returned = 0; // how many after the first came back and go next
  let taking = null;
  let generation = 0; // raised when everything is put down

  const draft = (view) => ({ label: suggested(view), comment: "", revealed: false, boxes: false });
  // `seen`: what the operator looked at; `untold`: what of it the log does not know yet.
  const itemOf = (view) => ({
    view, draft: draft(view), picture: view.photo_url && preload(view.photo_url), seen: new Set(), untold: [], telling: Promise.resolve(),
  });

  /** Take more where fewer than wanted are in hand. Fails with an ApiError. */
  function refill() {
    taking ??= take().finally(() => { taking = null; });
    return taking;
  }

  async function take() {
    const mine = generation;
    const missing = AHEAD + 1 - held.length;
    const count = Math.min(TAKE_MAX, AHEAD + 1 + unsent());
    if (missing <= 0 || held.length + unsent() >= TAKE_MAX) return;
    const { items } = await api.post("/reviews/take", { count });
    if (mine !== generation) return;
    const first = held[0];
    for (const view of items) {
      const known = held.find((item) => item.view.review_id === view.review_id);
      if (known) known.view.locked_until = view.locked_until;
      else if (!settled.has(view.review_id) && held.length <= AHEAD) held.push(itemOf(view));
    }
    if (held[0] !== first) onChange();
  }

  /** Keep the locks: the server prolongs those of the photos that it gives again. */
  async function renew() {
    const { items } = await api.post("/reviews/take", { count: Math.max(1, held.length) });
    for (const view of items) {
      const known = held.find((item) => item.view.review_id === view.review_id);
      if (known) known.view.locked_until = view.locked_until;
    }
  }

  /** The one before the operator is done with: the next one is shown. */
  function settle() {
    const item = held.shift();
    settled.add(item.view.review_id);
    returned = Math.max(0, returned - 1);
    onChange();
    return item;
  }

  return {
    refill,
    renew,
    settle,
    current: () => held[0] ?? null,
    size: () => held.length,
    ids: () => held.map((item) => item.view.review_id),
    /** A verdict was not recorded: its photo comes next, never under a key that was meant for another one. */
    bringBack(item) {
      settled.delete(item.view.review_id);
      if (held.some((one) => one.view.review_id === item.view.review_id)) return;
      held.splice(Math.min(held.length, 1 + returned), 0, item);
      if (held.length === 1) onChange();
      else returned += 1;
    },
    /** A verdict was taken back: its photo is shown at once, the present one comes after it. */
    putFirst(view, past) {
      settled.delete(view.review_id);
      const item = itemOf(view);
      if (past) Object.assign(item.draft, past.draft);
      if (held.length) returned += 1;
      held = [item, ...held.filter((one) => one.view.review_id !== view.review_id)];
      onChange();
    },
    /** Somebody else has it, or it is gone. */
    lose(reviewId) {
      settled.add(reviewId);
      const first = held[0];
      held = held.filter((item) => item.view.review_id !== reviewId);
      if (held[0] !== first) onChange();
    },
    /** The server may offer it again. */
    forget: (reviewId) => settled.delete(reviewId),
    /** Put everything down; answers what was in hand. */
    clear() {
      generation += 1;
      const were = held;
      held = [];
      returned = 0;
      return were;
    },
  };
}

/** What the reason for a check suggests to have been seen; null where the operator must say it. */
function suggested(view) {
  if (["flagged", "disagreement"].includes(view.reason)) return "human_face";
  if (view.reason !== "appeal") return null;
  const earlier = view.history.findLast((one) => one.label && one.label !== "fine")?.label;
  return earlier ?? view.bank_match?.label ?? null;
}
