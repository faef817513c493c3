/* A QR symbol as an SVG picture: level M, version 4 or more, a quiet zone of 4 cells (P6).
   Drawn here, without network; the encoder is vendored (vendor/README.md). */
import { qrcode } from "../vendor/qrcode-generator-2.0.4/qrcode.mjs";

const QUIET = 4;
const LEAST = 4;

/* Puts the symbol of `text` (capitals of the QR's own alphabet) into an SVG element. */
export function drawQr(svg, text) {
  const code = qrcode(LEAST, "M");
  code.addData(text, "Alphanumeric");
  code.make();
  const cells = code.getModuleCount();
  let path = "";
  for (let y = 0; y < cells; y += 1) {
    for (let x = 0; x < cells; x += 1) if (code.isDark(y, x)) path += `M${x + QUIET} ${y + QUIET}h1v1h-1z`;
  }
  const size = cells + 2 * QUIET;
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.querySelector("rect").setAttribute("width", size);
  svg.querySelector("rect").setAttribute("height", size);
  svg.querySelector("path").setAttribute("d", path);
}
