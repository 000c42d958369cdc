// One week: where it stands, its checks, the decision, what became of the stores, its history.

import * as api from "../api.js";
import { button, field, h, say, table } from "../dom.js";
import { change, moment, number, sentence } from "../language.js";
import { decisionForm } from "./decision.js";
import { startForm } from "./list.js";
import { badge, facts, lookAgain, nameOf } from "./state.js";
import { storesSection } from "./stores.js";
import { t } from "./words.js";

const RECEIPTS = ["told", "no_address", "refused", "uncertain", "missing"];
const LINK_SECONDS = 600; // the report's address ends after 15 minutes, also for somebody who is still typing
const SENDABLE = ["done", "distributing", "failed"];

export async function weekPage({ week: name, reload, reloadKeeping }) {
  const path = `/weeks/${encodeURIComponent(name)}`;
  const week = await api.get(path);
  const planned = week.report_url !== null;
  const stores = planned ? await storesSection(week) : "";
  const content = [
    h("p", {}, h("a", { href: "#/" }, `← ${t("back_weeks")}`)),
    head(week),
    week.error ? h("p", { class: "problem card", role: "alert" }, sentence(week.error)) : "",
    planned ? h("p", {}, reportLink(week, path)) : "",
    week.gate.length ? checks(week.gate) : "",
    decision(week, { reload, reloadKeeping }),
    week.approval?.decision === "approve" ? receipts(week, path, reload) : "",
    week.quarantined.length ? apart(week.quarantined) : "",
    stores,
    history(week, path, reload),
    ["approved", "distributing", "done"].includes(week.state) && !week.backfill ? "" : startForm(week.week),
  ];
  return { title: week.week, content, again: lookAgain(week.state) };
}

function head(week) {
  const totals = week.totals;
  const small = [t("from_to", { monday: week.monday }), t("attempt", { attempt: week.attempt }),
    week.plan_version ? t("version", { version: week.plan_version }) : null, week.backfill ? t("backfill") : null];
  return h("section", {},
    h("h1", {}, week.week, " ", badge(week.state)),
    h("p", { class: "note" }, small.filter(Boolean).join(" · ")),
    facts([
      [t("approve_by"), week.state === "waiting_for_approval" ? moment(week.approve_by) : null],
      [t("deadline"), moment(week.deadline)],
      [t("stores"), totals && number(totals.stores)],
      [t("visitors"), totals && number(totals.visitors)],
      [t("staff_days"), totals && number(totals.staff_days, 1)],
      [t("against"), totals && change(totals.staff_days, totals.last_week_staff_days)],
    ]));
}

/** The report, whose address is asked for again as long as the link is shown. */
function reportLink(week, path) {
  const link = h("a", { class: "primary", href: week.report_url, target: "_blank", rel: "noopener noreferrer" },
    `${t("report")} `, h("span", { class: "unseen" }, t("new_tab")));
  const timer = setInterval(async () => {
    if (!link.isConnected) return clearInterval(timer);
    const { report_url: address } = await api.get(path).catch(() => ({}));
    if (address) link.href = address;
    return undefined;
  }, 1000 * LINK_SECONDS);
  return link;
}

function checks(gate) {
  const kind = (check) => (check.passed ? "passed" : check.blocking ? "stopped" : "warned");
  const failed = gate.filter((check) => !check.passed);
  return h("details", { open: failed.length > 0 },
    h("summary", {}, `${t("checks")}: ${gate.length - failed.length} / ${gate.length} ${t("passed")}`),
    h("ul", { class: "checks" }, [...failed, ...gate.filter((check) => check.passed)].map((check) => (
      h("li", {}, h("span", { class: `result ${kind(check)}` }, t(kind(check))), " ", sentence(check.text))))));
}

function decision(week, reloads) {
  const made = week.approval;
  if (week.state === "waiting_for_approval") return decisionForm(week, reloads);
  if (!made) return "";
  const line = t(`decided_${made.decision}`, { by: nameOf(made.by), at: moment(made.at), version: made.plan_version });
  return h("section", {}, h("h2", {}, t("decision")), h("p", {}, line), made.reason ? h("blockquote", {}, made.reason) : "");
}

function receipts(week, path, reload) {
  const counts = week.receipts;
  const uncertain = h("input", { type: "checkbox" });
  const open = counts.missing + counts.uncertain + counts.refused > 0 && SENDABLE.includes(week.state);
  const problem = h("p", { class: "problem", role: "alert" });
  const send = async () => {
    problem.textContent = "";
    try {
      await api.post(`${path}/resend`, { include_uncertain: uncertain.checked });
      say(t("resent"));
      await reload();
    } catch (error) { problem.textContent = sentence(error.sentence); }
  };
  return h("section", {}, h("h2", {}, t("receipts")),
    facts(RECEIPTS.map((state) => [t(`receipt_${state}`), number(counts[state])])),
    open ? [
      counts.uncertain ? h("p", {}, h("label", { class: "choice" }, uncertain, " ", t("resend_uncertain"))) : "",
      problem, button(t("resend"), send),
    ] : "");
}

const apart = (stores) => h("section", {}, h("h2", {}, t("quarantined")),
  table(t("quarantined"), [{ title: t("store") }, { title: t("reason") }],
    stores.map((store) => [store.store_id, sentence(store.text)]), { hideCaption: true }));

function history(week, path, reload) {
  const text = h("textarea", { rows: "2", maxlength: "1000", required: true });
  const problem = h("p", { class: "problem", role: "alert" });
  const submit = h("button", {}, t("send"));
  return h("section", {}, h("h2", {}, t("history")),
    h("ol", { class: "history" }, [...week.events].reverse().map((event) => h("li", {},
      h("span", { class: "note" }, `${moment(event.at)} · ${nameOf(event.by)}`), h("span", { class: "block" }, sentence(event.text))))),
    h("form", {
      onsubmit: async (event) => {
        event.preventDefault();
        submit.disabled = true;
        problem.textContent = "";
        try {
          await api.post(`${path}/comments`, { text: text.value });
          say(t("commented"));
          await reload();
        } catch (error) { problem.textContent = sentence(error.sentence); } finally { submit.disabled = false; }
      },
    }, field("comment", t("comment"), text), problem, submit));
}
