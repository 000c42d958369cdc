// The copy with covered faces: being made, or before and after side by side.

import { h } from "../dom.js";
import { t } from "./words.js";

/** What a post shows of its mosaic; `renew` is called when a photo's link has ended. */
export function mosaicOf(one, renew) {
  const { state, before_url: before, after_url: after, faces } = one.mosaic;
  if (state === "making") return h("p", { class: "making" }, h("span", { class: "turning", "aria-hidden": "true" }), t("mosaic_making"));
  const side = (label, url) => h("figure", {},
    url ? h("img", { src: url, alt: `${label}: ${one.title}`, onerror: renew }) : h("div", { class: "nothing" }, t("no_photo")),
    h("figcaption", { "aria-hidden": url ? "true" : null }, label));
  return h("div", { class: "mosaic" },
    h("p", {}, h("strong", {}, faces === 1 ? t("mosaic_ready_one") : t("mosaic_ready", { n: faces }))),
    h("div", { class: "pair" }, side(t("before"), before), side(t("after"), after)),
    h("p", { class: "note" }, t("mosaic_next")));
}
