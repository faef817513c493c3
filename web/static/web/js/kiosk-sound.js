/* One short sound per kind of answer, so that the host need not look.
   Made by the audio clock: no files.  Browsers allow sound after the first touch. */
const PATTERNS = {
  granted: [[880, 0, 0.12], [1320, 0.13, 0.2]],
  soft: [[660, 0, 0.18]],
  twice: [[660, 0, 0.1], [660, 0.18, 0.1]],
  refused: [[220, 0, 0.5]],
};
let audio = null;

export function allowSound() {
  audio ||= new AudioContext();
  if (audio.state === "suspended") audio.resume();
}

export function play(name) {
  if (!audio || audio.state !== "running") return;
  for (const [pitch, wait, length] of PATTERNS[name] || []) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const at = audio.currentTime + wait;
    tone.frequency.value = pitch;
    tone.type = name === "refused" ? "square" : "sine";
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.25, at + 0.015);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + length);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + length + 0.02);
  }
}
