// The stores of a week: searched, page by page, those to look at first.

import * as api from "../api.js";
import { button, field, h, table } from "../dom.js";
import { change, number, percent, sentence } from "../language.js";
import { t } from "./words.js";

const PAUSE = 250; // ms without a key before a search

export async function storesSection(week) {
  const path = `/weeks/${encodeURIComponent(week.week)}/stores`;
  const place = h("div", { "aria-live": "polite" });
  const find = h("input", { type: "search", autocomplete: "off", maxlength: "80" });
  let stores = [];
  let asked = 0;

  async function load(cursor) {
    const mine = (asked += 1);
    const page = await api.get(path, { q: find.value.trim(), cursor });
    if (mine !== asked) return; // a later search is on its way
    stores = cursor ? [...stores, ...page.items] : page.items;
    place.replaceChildren(
      stores.length ? storesTable(week, stores) : h("p", {}, t("stores_none")),
      h("p", { class: "note" }, t("total", { shown: number(stores.length), total: number(page.total) })),
      page.next_cursor ? button(t("more"), () => load(page.next_cursor)) : "",
    );
  }

  let pause;
  find.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(() => load(null).catch((error) => place.replaceChildren(sentence(error.sentence))), PAUSE);
  });
  await load(null);
  return h("section", {}, h("h2", {}, t("stores")), field("find", t("find"), find), place);
}

function storesTable(week, stores) {
  const columns = [
    { title: t("store") }, { title: t("staff_days"), number: true }, { title: t("against"), number: true },
    { title: t("risk"), number: true }, { title: t("method"), line: true },
  ];
  const told = week.approval?.decision === "approve";
  if (told) columns.push({ title: t("receipts"), line: true });
  return table(t("stores"), columns, stores.map((store) => [
    [h("a", { href: `#/${week.week}/${encodeURIComponent(store.store_id)}` }, store.name),
      h("small", { class: "block" }, store.store_id, store.edited ? h("span", { class: "badge" }, t("edited")) : ""),
      [store.infeasible, store.look].filter(Boolean).map((why) => h("span", { class: "block why" }, sentence(why)))],
    number(store.staff_days, 1),
    change(store.staff_days, store.last_week_staff_days),
    percent(store.risk),
    t(`method_${store.method}`),
    ...(told ? [t(`receipt_${store.receipt?.state ?? "missing"}`)] : []),
  ]), { hideCaption: true });
}
