/* Camera → text of a QR code.  The browser's own BarcodeDetector where it reads QR codes;
   otherwise the ponyfill with its exact zxing-wasm, both served from here (never a CDN). */
async function nativeDetector() {
  if (!("BarcodeDetector" in window)) return null;
  try {
    const formats = await window.BarcodeDetector.getSupportedFormats();
    return formats.includes("qr_code") ? new window.BarcodeDetector({ formats: ["qr_code"] }) : null;
  } catch {
    return null;
  }
}

function loadScript(url) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = resolve;
    script.onerror = () => reject(new Error("ponyfill"));
    document.head.append(script);
  });
}

export async function makeDetector(ponyfillUrl, wasmUrl) {
  const native = await nativeDetector();
  if (native) return native;
  if (!window.BarcodeDetectionAPI) await loadScript(ponyfillUrl);
  const parts = window.BarcodeDetectionAPI;
  await parts.prepareZXingModule({ overrides: { locateFile: () => wasmUrl }, fireImmediately: true });
  return new parts.BarcodeDetector({ formats: ["qr_code"] });
}

/* Opens the camera and calls onText for every code seen; returns a function that stops. */
export async function watch(video, detector, onText, facing = "user") {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: false,
    video: { facingMode: { ideal: facing }, width: { ideal: 1280 }, height: { ideal: 720 } },
  });
  video.srcObject = stream;
  await video.play();
  let running = true;
  (async () => {
    while (running) {
      if (video.readyState >= 2 && !document.hidden) {
        try {
          for (const found of await detector.detect(video)) onText(found.rawValue);
        } catch {
          /* a frame that cannot be read is followed by another one */
        }
      }
      await new Promise((next) => setTimeout(next, 160));
    }
  })();
  return () => {
    running = false;
    for (const track of stream.getTracks()) track.stop();
  };
}
