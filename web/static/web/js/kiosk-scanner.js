/* A keyboard-type scanner (USB, Bluetooth): fast keystrokes and Enter, wherever the focus is.
   Also while nothing has the focus, and with a Japanese input method switched on. */
const PAUSE = 700; // milliseconds between two keys of one card, at most: slow Bluetooth, slow tablet
const SHORTEST = 6;

export function listen(onText) {
  let buffer = "";
  let last = 0;
  const hear = (event) => {
    if (event.target.matches?.("input, textarea, select") || event.ctrlKey || event.altKey || event.metaKey) return;
    // the time of the key, not of this code: a busy page must not split a card in two
    if (event.timeStamp - last > PAUSE) buffer = "";
    last = event.timeStamp;
    const key = event.key === "Process" ? event.code.replace(/^(Key|Digit)/, "") : event.key;
    if (key === "Enter" && buffer.length >= SHORTEST) {
      event.preventDefault();
      event.stopPropagation();
      const text = buffer;
      buffer = "";
      onText(text);
    } else if (key.length === 1) buffer += key;
  };
  document.addEventListener("keydown", hear, true);
  return () => document.removeEventListener("keydown", hear, true);
}
