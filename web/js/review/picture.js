// A photo that is loaded, decoded and veiled before it is shown.

import { svg } from "../svg.js";

const COARSE = 20; // pixels of the longer side that are left of a veiled photo
const SMOOTH = 3; // doublings that turn those pixels into a soft picture

/** Starts to load; `ready` is fulfilled when the photo can be painted at once, or `failed`. */
export function preload(url) {
  const image = new Image();
  image.referrerPolicy = "no-referrer";
  image.src = url;
  const picture = { image, veil: null, failed: false };
  picture.ready = image.decode().then(() => { picture.veil = veilOf(image); }, () => { picture.failed = true; });
  return picture;
}

/** The photo as a few soft patches of colour: what it hides is not in it, whatever a browser does with filters. */
function veilOf(image) {
  const scale = COARSE / Math.max(image.naturalWidth, image.naturalHeight);
  let drawn = image;
  let [width, height] = [image.naturalWidth * scale, image.naturalHeight * scale].map((side) => Math.max(1, Math.round(side)));
  for (let step = 0; step <= SMOOTH; step += 1) {
    const canvas = Object.assign(document.createElement("canvas"), { width, height, className: "veil" });
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(drawn, 0, 0, width, height);
    drawn = canvas;
    width *= 2;
    height *= 2;
  }
  return drawn;
}

/** The boxes of found faces, laid over a photo of any size. */
export function boxes(faces, label) {
  const corners = ({ x0, y0, x1, y1 }) => ({ x: x0, y: y0, width: x1 - x0, height: y1 - y0, "vector-effect": "non-scaling-stroke" });
  return svg("svg", { class: "boxes", viewBox: "0 0 1 1", preserveAspectRatio: "none", role: "img", "aria-label": label },
    ...faces.flatMap((face) => [
      svg("rect", { class: "under", ...corners(face) }), svg("rect", { class: "box", ...corners(face) }),
    ]));
}
