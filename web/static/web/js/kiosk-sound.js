/* One short sound per answer (names: points.domain.results), so that the host need not look.
   Made by the audio clock: no files.  Browsers allow sound after the first touch. */
const PATTERNS = {
  rise: [[880, 0, 0.12], [1320, 0.13, 0.2]],
  two_soft: [[660, 0, 0.1], [660, 0.18, 0.1]],
  one_soft: [[660, 0, 0.18]],
  one_low: [[330, 0, 0.25]],
  one_high: [[1320, 0, 0.2]],
  fall: [[660, 0, 0.15], [330, 0.16, 0.35]],
  fall_short: [[660, 0, 0.08], [440, 0.09, 0.12]],
  two_low: [[220, 0, 0.18], [220, 0.26, 0.18]],
  three_soft: [[660, 0, 0.08], [660, 0.14, 0.08], [660, 0.28, 0.08]],
  low_soft: [[440, 0, 0.2]],
  two_low_soft: [[440, 0, 0.12], [440, 0.2, 0.12]],
  low_long: [[440, 0, 0.5]],
  three_low: [[220, 0, 0.14], [220, 0.22, 0.14], [220, 0.44, 0.14]],
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
    tone.type = pitch < 400 ? "square" : "sine";
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.25, at + 0.015);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + length);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + length + 0.02);
  }
}
