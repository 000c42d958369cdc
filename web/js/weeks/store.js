// One store's plan, and changing its staff.

import * as api from "../api.js";
import { field, h, say, table } from "../dom.js";
import { change, clock, moment, number, percent, sentence, wallClock } from "../language.js";
import { facts, nameOf } from "./state.js";
import { t } from "./words.js";

const EDITS_MAX = 90; // cells that the API takes at once

export async function storePage({ week: name, store: id, reload, reloadKeeping }) {
  const path = `/weeks/${encodeURIComponent(name)}/stores/${encodeURIComponent(id)}`;
  const [week, store] = await Promise.all([api.get(`/weeks/${encodeURIComponent(name)}`), api.get(path)]);
  const editable = week.state === "waiting_for_approval";
  const content = [
    h("p", {}, h("a", { href: `#/${name}` }, `← ${t("back_week", { week: name })}`)),
    h("h1", {}, store.name, " ", store.edited ? h("span", { class: "badge" }, t("edited")) : ""),
    h("p", { class: "note" }, `${store.store_id} · ${name} · ${t("version", { version: store.plan_version })}`),
    ...[store.infeasible, store.look].filter(Boolean).map((text) => h("p", { class: "warning card" }, sentence(text))),
    facts([
      [t("staff_days"), number(store.staff_days, 1)],
      [t("against"), change(store.staff_days, store.last_week_staff_days)],
      [t("risk"), percent(store.risk)],
      [t("method"), t(`method_${store.method}`)],
      [t("arm"), store.arm],
    ]),
    editable ? "" : h("p", { class: "note" }, t("locked")),
    editForm(store, path, editable, { reload, reloadKeeping }),
    store.shifts.length ? shifts(store.shifts) : "",
    store.edits.length ? edits(store) : "",
  ];
  return { title: `${store.name} ${name}`, content, again: null };
}

function editForm(store, path, editable, { reload, reloadKeeping }) {
  const cells = new Map(); // ts -> input
  const row = (one) => cellsOf(store, one, editable, cells);
  const hourly = store.plans_by === "hour";
  const columns = [
    { title: hourly ? t("hour") : t("day"), line: true }, { title: t("staff"), number: true }, { title: t("needed"), number: true },
    { title: t("visitors"), number: true }, { title: t("interval"), number: true }, { title: t("risk"), number: true },
  ];
  const tables = hourly
    ? [...byDay(store.rows)].map(([day, rows]) => {
      const open = rows.filter((one) => one.open);
      const people = open.length ? `${t("staff")} ${span(open.map((one) => one.staff))}` : t("closed");
      return h("details", {}, h("summary", {}, `${wallClock(day)}: ${people}`),
        open.length ? table(wallClock(day), columns, open.map(row), { hideCaption: true }) : "");
    })
    : [table(t("edit_title"), columns, store.rows.map(row), { hideCaption: true })];
  if (!editable) return h("section", {}, tables);

  const reason = h("input", { maxlength: "1000", required: true });
  const problem = h("p", { class: "problem", role: "alert" });
  const count = h("span", { class: "note", role: "status" });
  const submit = h("button", { class: "primary", disabled: true }, t("save"));
  const changed = () => store.rows.filter((one) => cells.has(one.ts) && Number(cells.get(one.ts).value) !== one.staff);

  async function save() {
    problem.textContent = "";
    const wanted = changed().map((one) => ({ ts: one.ts, staff: Number(cells.get(one.ts).value) }));
    try {
      const saved = await api.post(`${path}/edits`, { plan_version: store.plan_version, reason: reason.value, edits: wanted });
      say(t("saved", { version: saved.plan_version }));
      await reload();
    } catch (error) {
      if (error.status === 409) {
        say(t((await reloadKeeping()) ? "stale_kept" : "stale"));
      }
      problem.textContent = [sentence(error.sentence), error.detail].filter(Boolean).join(" ");
    }
  }

  return h("form", {
    class: "edit",
    oninput: () => {
      const many = changed().length;
      count.textContent = many > EDITS_MAX ? t("edit_too_many", { most: EDITS_MAX }) : many ? t("edit_count", { count: many }) : "";
      submit.disabled = many === 0 || many > EDITS_MAX;
    },
    onsubmit: async (event) => {
      event.preventDefault();
      submit.disabled = true;
      try { await save(); } finally { submit.disabled = false; }
    },
  },
  h("h2", {}, t("edit_title")), h("p", { class: "note" }, t("minimum", { min: store.min_staff })), tables,
  field("edit-reason", t("reason"), reason), problem, h("p", { class: "buttons" }, submit, " ", count));
}

function cellsOf(store, one, editable, cells) {
  const hourly = store.plans_by === "hour";
  const when = hourly ? `${wallClock(one.ts)} ${clock(one.ts)}` : wallClock(one.ts);
  const shown = hourly ? clock(one.ts) : wallClock(one.ts);
  if (!one.open) return [shown, t("closed"), "–", "–", "–", "–"];
  let staff = number(one.staff);
  if (editable) {
    staff = h("input", {
      type: "number", inputmode: "numeric", min: String(store.min_staff), max: "10000", step: "1", required: true, value: String(one.staff),
      class: one.edited ? "staff edited" : "staff", "aria-label": t("staff_at", { when }),
    });
    cells.set(one.ts, staff);
  } else if (one.edited) staff = [staff, " ", h("span", { class: "badge" }, t("edited"))];
  return [shown, staff, number(one.needed), number(one.yhat), `${number(one.q10)} ~ ${number(one.q90)}`, percent(one.risk)];
}

function byDay(rows) {
  const days = new Map();
  for (const one of rows) {
    const day = one.ts.slice(0, 10);
    days.set(day, [...(days.get(day) ?? []), one]);
  }
  return days;
}

function span(numbers) {
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  return low === high ? `${low}` : `${low}~${high}`;
}

const hour = (value) => `${String(value).padStart(2, "0")}:00`;

const shifts = (all) => h("section", {}, h("h2", {}, t("shifts")),
  table(t("shifts"), [{ title: t("day") }, { title: t("shift") }, { title: t("time") }, { title: t("people"), number: true }],
    all.map((one) => [wallClock(one.day), one.shift, `${hour(one.starts_at)}~${hour(one.ends_at)}`, number(one.people)]), { hideCaption: true }));

const edits = (store) => h("section", {}, h("h2", {}, t("edits")),
  h("ul", {}, store.edits.map((one) => h("li", {}, t("edit_line", {
    when: wallClock(one.ts, { hour: store.plans_by === "hour" }),
    planned: one.planned, staff: one.staff, by: nameOf(one.by), at: moment(one.at), reason: one.reason,
  })))));
