// The operator's desk: what is on it, and what each key and button does.
//
// A verdict is shown as done at once and sent in the background. What the server refuses comes back with the label and
// the comment that were chosen, as the next photo: never in the place of the one that a key is about to decide.

import * as api from "../api.js";
import { h } from "../dom.js";
import { sentence } from "../language.js";
import { person } from "../session.js";
import { askSkipReason, showHelp } from "./dialogs.js";
import { moreFacts, reasonCard, tickDue } from "./facts.js";
import { keysOn, meant } from "./keys.js";
import { lastVerdicts } from "./last.js";
import { notices } from "./notices.js";
import { preload } from "./picture.js";
import { workQueue } from "./queue.js";
import { sender } from "./sender.js";
import { keyHint, stage } from "./stage.js";
import { summaryStrip } from "./summary.js";
import { verdictPanel } from "./verdict.js";
import { t } from "./words.js";

const TICK = 1000; // ms
const REFRESH = 30_000; // ms between looks at the queue
const AWAY = 8 * 60_000; // ms without a key or pointer, after which photos go back: less than their locks last
const RENEW = 2 * 60_000; // ms before its end at which a lock is prolonged

export function desk() {
  const operator = person().id;
  const send = sender();
  const queue = workQueue({ unsent: () => send.waiting(), onChange: showCurrent });
  const strip = summaryStrip();
  const last = lastVerdicts((entry) => undo(entry));
  const told = notices();
  const live = h("p", { class: "unseen", role: "status" });
  const element = h("div", { class: "desk" });
  const work = h("div", { class: "work" });
  let mode = "loading"; // loading | working | empty | paused | away
  let shown = null; // {item, stage, panel} before the operator
  let undoing = false;
  let moved = Date.now(); // when the operator last did something
  let refreshed = 0;
  let renewing = false;
  let timers = [];

  const url = (item, what) => `/reviews/${encodeURIComponent(item.view.review_id)}${what}`;
  const titleOf = (item) => item.view.title || t("untitled");
  const words = (error) => [sentence(error.sentence), error.detail].filter(Boolean).join(" ");
  const isLost = (error) => error.status === 409 || error.status === 404;
  const announce = (text) => { live.textContent = text; };

  // ---------------------------------------------------------------- what is shown

  /** Draw everything anew: at the beginning, and when the language changes. */
  function draw() {
    strip.draw();
    last.draw(Date.now());
    element.replaceChildren(
      h("div", { class: "head" }, strip.element, h("div", { class: "buttons" },
        tool("pause", pause), tool("keys", help, "?"))),
      told.element, live, work, last.element,
    );
    keysChanged();
    showCurrent({ focus: false });
  }

  const tool = (word, does, key = "P") => h("button", { type: "button", class: "quiet", "aria-keyshortcuts": key, onclick: does }, t(word), " ", keyHint(key));

  const keysChanged = () => element.classList.toggle("no-keys", !keysOn());

  function showCurrent({ focus = true } = {}) {
    const item = queue.current();
    if (!item) {
      shown = null;
      work.replaceChildren(instead());
      if (focus && mode !== "loading") work.querySelector("h1")?.focus();
      return;
    }
    mode = "working";
    const photo = stage(item, { reveal, showBoxes, reload });
    const panel = verdictPanel(item, {
      uphold: () => decide("uphold"), overturn: () => decide("overturn"), skip, undo: () => undo(), saveComment, leave: () => photo.focus(),
    });
    shown = { item, stage: photo, panel };
    work.replaceChildren(photo.element, h("div", { class: "side" }, reasonCard(item.view), panel.element, h("div", { class: "more" }, moreFacts(item.view))));
    tick();
    if (focus) photo.focus();
    item.picture?.ready.then(() => { if (shown?.item === item) photo.draw(); });
  }

  /** What stands where the photo would be. */
  function instead() {
    const heading = (text) => h("h1", { tabindex: "-1" }, text);
    if (mode === "paused" || mode === "away") {
      return h("section", { class: "card narrow" }, heading(t(mode === "away" ? "away" : "paused")), h("p", {}, t("paused_note")),
        h("button", { type: "button", class: "primary", onclick: begin }, t("go_on")));
    }
    if (mode === "empty") {
      const open = strip.open();
      return h("section", { class: "card narrow" }, heading(t("empty")),
        h("p", { role: "status" }, open ? t("arrived", { n: open }) : t("empty_note")),
        strip.blocked() ? h("p", { class: "note" }, t("blocked", { n: strip.blocked() })) : "",
        h("button", { type: "button", class: "primary", disabled: !open, onclick: begin }, t("take")));
    }
    return h("section", { class: "stage fetching" }, heading(t("title")), h("p", { class: "note" }, t("loading")));
  }

  // ---------------------------------------------------------------- fetching

  async function begin() {
    mode = "loading";
    moved = Date.now();
    showCurrent({ focus: false });
    await more();
    refresh({ now: true });
  }

  /** Have enough photos ahead. */
  async function more() {
    if (mode === "paused" || mode === "away") return;
    try {
      await queue.refill();
      told.remove("take");
    } catch (error) {
      if (!error.sentence) throw error;
      if (error.status !== 401) told.add(t("take_failed"), { key: "take", more: [words(error)], action: { label: t("again"), work: more } });
    }
    if (queue.current() || send.waiting() || mode === "empty") return;
    mode = "empty";
    showCurrent();
  }

  /** Look at the queue and at the shift again, not more often than needed. */
  async function refresh({ now = false } = {}) {
    if (!now && (document.hidden || Date.now() - refreshed < REFRESH / 2)) return;
    refreshed = Date.now();
    try {
      const [summary, shift] = await Promise.all([api.get("/reviews/summary"), api.get("/reviews/shift", { hours: 8 })]);
      strip.update(summary);
      last.merge(shift, Date.now());
      if (mode === "empty" && !shown) showCurrent({ focus: false });
    } catch (error) {
      if (!error.sentence) throw error; // the figures stay as they were
    }
  }

  async function reload() {
    const { item } = shown;
    try {
      item.view = { ...item.view, photo_url: (await api.get(url(item, ""))).photo_url };
    } catch (error) {
      if (error.sentence) told.add(t("photo_failed"), { more: [words(error)] });
    }
    item.picture = item.view.photo_url && preload(item.view.photo_url);
    showCurrent();
  }

  // ---------------------------------------------------------------- looking

  function reveal() {
    const { item, stage: photo } = shown;
    if (!item.picture) return;
    item.draft.revealed = !item.draft.revealed;
    photo.draw();
    announce(t(item.draft.revealed ? "said_shown" : "said_blurred"));
    if (item.draft.revealed) tellSeen(item, "photo");
  }

  function showBoxes() {
    const { item, stage: photo } = shown;
    const { faces } = item.view;
    if (!faces?.length) return announce(t(faces ? "boxes_none" : "boxes_unknown"));
    item.draft.boxes = !item.draft.boxes;
    photo.draw();
    announce(item.draft.boxes ? t("boxes_label", { n: faces.length }) : t("said_boxes_off"));
    if (item.draft.boxes) tellSeen(item, "boxes");
    return undefined;
  }

  /** For the log: each thing that was looked at, once. What can't be told now is told before the verdict. */
  function tellSeen(item, what) {
    if (item.seen.has(what)) return;
    item.seen.add(what);
    item.untold.push(what);
    tell(item).catch((error) => {
      if (!error.sentence) throw error;
      if (isLost(error)) loseInHand(item, error);
    });
  }

  function tell(item) {
    item.telling = item.telling.catch(() => {}).then(async () => {
      while (item.untold.length) {
        await api.post(url(item, "/seen"), { what: item.untold[0] });
        item.untold.shift();
      }
    });
    return item.telling;
  }

  // ---------------------------------------------------------------- deciding

  /** A verdict needs a look at the photo, where there is one that can be shown. */
  function wasSeen({ picture, view, draft }) {
    if (!picture || (picture.failed && view.reason === "failed")) return true;
    return draft.revealed && picture.veil !== null;
  }

  function decide(verdict) {
    const { item } = shown;
    if (undoing) return hint("wait_undo");
    if (!wasSeen(item)) return hint("look_first");
    if (verdict === "uphold" && !item.draft.label) return hint("label_first");
    const label = verdict === "uphold" ? item.draft.label : "fine";
    const comment = item.draft.comment.trim();
    const entry = { review_id: item.view.review_id, title: titleOf(item), verdict, label, at: new Date().toISOString(), undo_until: null, state: "sending", item };
    told.remove(item.view.review_id);
    queue.settle();
    announce(t(`said_${verdict}`, { label: t(`label_${label}`) }));
    entry.sent = new Promise((resolve) => {
      const done = (answer) => {
        Object.assign(entry, { state: "done", undo_until: answer.review.undo_until });
        strip.updateCapacity(answer.capacity);
        settled(resolve);
      };
      send.add({
        send: () => tell(item).then(() => api.post(url(item, "/verdict"), { verdict, label, ...(comment && { comment }) })),
        done,
        failed: (error) => refused(entry, error, done).then(() => settled(resolve)),
      });
    });
    last.add(entry, Date.now());
    more();
    return undefined;
  }

  function settled(resolve) {
    tick();
    more();
    refresh();
    resolve();
  }

  /** A verdict was not taken: it had arrived before, the photo is another's now, or it is to be decided again. */
  async function refused(entry, error, done) {
    const { item } = entry;
    if (!isLost(error)) {
      entry.state = "failed";
      told.add(t("not_recorded", { title: entry.title }), { key: entry.review_id, more: [words(error)] });
      return queue.bringBack(item);
    }
    const view = await api.get(url(item, "")).catch(() => null);
    const mine = view?.undo_until && view.history.findLast((one) => one.kind === entry.verdict)?.operator === "you";
    if (mine) return done({ review: view });
    entry.state = "lost";
    return lost(item, error);
  }

  function lost(item, error) {
    const comment = item.draft.comment.trim();
    queue.forget(item.view.review_id);
    told.add(t("lost", { title: titleOf(item) }), { key: item.view.review_id, more: [words(error), comment && t("lost_comment", { comment })] });
  }

  /** The photo that is looked at turns out to be another's. */
  function loseInHand(item, error) {
    if (!queue.ids().includes(item.view.review_id)) return; // its verdict is on its way and hears the same
    queue.lose(item.view.review_id);
    lost(item, error);
    more();
  }

  async function skip() {
    const { item } = shown;
    const reason = await askSkipReason();
    if (reason === null || shown?.item !== item || undoing) return;
    queue.settle();
    announce(t("said_skip"));
    send.add({
      send: () => api.post(url(item, "/skip"), { reason }),
      done: () => settled(() => {}),
      failed: (error) => {
        if (isLost(error)) lost(item, error);
        else {
          told.add(t("skip_not_recorded", { title: titleOf(item) }), { key: item.view.review_id, more: [words(error)] });
          queue.bringBack(item);
        }
        settled(() => {});
      },
    });
    more();
  }

  /** Take a verdict back; the present photo waits behind it. */
  async function undo(entry = last.undoable(Date.now())?.entry) {
    if (undoing) return;
    if (!entry) {
      hint("nothing_to_undo");
      return;
    }
    undoing = true;
    try {
      await entry.sent;
      if (entry.state !== "done") return; // it came back by itself
      const { review } = await api.post(`/reviews/${encodeURIComponent(entry.review_id)}/undo`, {});
      entry.state = "undone";
      mode = "working";
      queue.putFirst(review, entry.item);
      announce(t("said_undone"));
    } catch (error) {
      if (!error.sentence) throw error;
      told.add(t("undo_failed", { title: entry.title ?? "" }), { key: `undo ${entry.review_id}`, more: [words(error)] });
    } finally {
      undoing = false;
      tick();
      refresh();
    }
  }

  async function saveComment() {
    const { item, panel } = shown;
    try {
      const { review } = await api.post(url(item, "/comment"), { text: item.draft.comment.trim() });
      panel.clearComment();
      item.view = { ...item.view, history: review.history };
      if (shown?.item === item) work.querySelector(".more").replaceChildren(...moreFacts(item.view));
      announce(t("comment_saved"));
    } catch (error) {
      if (!error.sentence) throw error;
      told.add(t("comment_failed"), { more: [words(error)] });
    }
  }

  async function pause({ away = false } = {}) {
    const were = queue.clear();
    mode = away ? "away" : "paused";
    showCurrent();
    await Promise.all(were.map((item) => api.post(url(item, "/release"), {}).catch(() => { /* its lock ends by itself */ })));
    refresh({ now: true });
  }

  const help = () => showHelp({ onKeys: keysChanged });

  /** A key that can't do its work says why. */
  function hint(code) {
    const place = work.querySelector(".stage") ?? work;
    place.querySelector(".hint")?.remove();
    const made = h("p", { class: "hint", role: "status" });
    place.append(made);
    made.textContent = t(code);
  }

  // ---------------------------------------------------------------- keys and time

  const ACTIONS = {
    reveal, boxes: showBoxes, uphold: () => decide("uphold"), overturn: () => decide("overturn"), skip, comment: () => shown.panel.focusComment(),
  };
  const ANYWHERE = { undo: () => undo(), help, pause: () => (mode === "paused" || mode === "away" ? null : pause()) };

  function onKey(event) {
    moved = Date.now();
    const wanted = meant(event);
    if (!wanted) return;
    const act = wanted.label ? shown && (() => shown.panel.choose(wanted.label)) : ANYWHERE[wanted.action] ?? (shown && ACTIONS[wanted.action]);
    if (!act) return;
    event.preventDefault();
    work.querySelector(".hint")?.remove();
    act();
  }

  const onPointer = () => { moved = Date.now(); };
  const onLeave = (event) => { if (send.waiting() || shown?.item.draft.comment.trim()) event.preventDefault(); };

  function tick() {
    const now = Date.now();
    tickDue(work, now);
    last.tick(now);
    shown?.panel.undoText(last.undoable(now)?.text ?? null);
    if (mode === "working" && now - moved > AWAY && !send.waiting()) pause({ away: true });
    else keepLocks(now);
  }

  async function keepLocks(now) {
    const until = Date.parse(shown?.item.view.locked_until ?? "");
    if (renewing || !(until - now < RENEW)) return;
    renewing = true;
    await queue.renew().catch(() => { /* a lock that was lost is said with the verdict */ });
    setTimeout(() => { renewing = false; }, RENEW / 4);
  }

  return {
    element,
    operator,
    draw,
    drop: send.drop,
    /** Somebody sits down: listen, go on sending, fetch. */
    start() {
      document.addEventListener("keydown", onKey);
      document.addEventListener("pointerdown", onPointer);
      addEventListener("beforeunload", onLeave);
      timers = [setInterval(tick, TICK), setInterval(refresh, REFRESH)];
      draw();
      send.resume();
      if (mode === "loading" || mode === "empty") begin();
      else refresh({ now: true });
    },
    stop() {
      document.removeEventListener("keydown", onKey);
      document.removeEventListener("pointerdown", onPointer);
      removeEventListener("beforeunload", onLeave);
      timers.forEach(clearInterval);
    },
  };
}
