// All weeks, newest first, and the form that starts one by hand.

import * as api from "../api.js";
import { button, field, h, say, table } from "../dom.js";
import { change, moment, number, sentence } from "../language.js";
import { badge } from "./state.js";
import { t } from "./words.js";

export async function listPage() {
  const page = await api.get("/weeks");
  const weeks = [...page.items];
  const place = h("div");
  let cursor = page.next_cursor;

  const show = () => place.replaceChildren(
    weeks.length ? weeksTable(weeks) : h("p", {}, t("weeks_none")),
    cursor ? button(t("more"), async () => {
      const next = await api.get("/weeks", { cursor });
      weeks.push(...next.items);
      cursor = next.next_cursor;
      show();
    }) : "",
  );
  show();
  return { title: t("weeks"), content: [h("h1", {}, t("weeks")), place, startForm(null)], again: 60 };
}

function weeksTable(weeks) {
  const columns = [
    { title: t("week"), line: true }, { title: t("state") }, { title: t("deadline"), line: true }, { title: t("staff_days"), number: true },
    { title: t("against"), number: true }, { title: t("visitors"), number: true }, { title: t("stores"), number: true },
  ];
  return table(t("weeks"), columns, weeks.map((week) => [
    h("a", { href: `#/${week.week}` }, week.week),
    [badge(week.state), week.error ? h("small", { class: "block" }, sentence(week.error)) : ""],
    moment(week.deadline),
    number(week.totals?.staff_days, 1),
    week.totals ? change(week.totals.staff_days, week.totals.last_week_staff_days) : "–",
    number(week.totals?.visitors),
    number(week.stores),
  ]), { hideCaption: true });
}

/** Start a week by hand; without one given, it is asked for. */
export function startForm(week) {
  const wanted = h("input", { required: true, pattern: "\\d{4}-W\\d{2}", maxlength: "8", placeholder: "2026-W49", value: week });
  const reason = h("input", { maxlength: "500" });
  const problem = h("p", { class: "problem", role: "alert" });
  const submit = h("button", {}, t("start"));
  return h("details", { class: "card" },
    h("summary", {}, week ? t("start_again") : t("start_title")),
    h("form", {
      onsubmit: async (event) => {
        event.preventDefault();
        submit.disabled = true;
        problem.textContent = "";
        const name = week ?? wanted.value.trim();
        try {
          await api.post(`/weeks/${encodeURIComponent(name)}/runs`, { override_gate_reason: reason.value });
          say(t("started", { week: name }));
        } catch (error) {
          problem.textContent = [sentence(error.sentence), error.detail].filter(Boolean).join(" ");
        } finally { submit.disabled = false; }
      },
    },
    week ? "" : field("start-week", t("week"), wanted, t("start_hint")),
    field("start-reason", t("override"), reason), problem, submit));
}
