// A recording as the plainest sound file there is: WAV, 16 kHz, one channel, 16 bit. Every model can read that.

const RATE_HZ = 16_000;

/** {file, seconds, peak, play}: the recording in `context`'s hands, cut at `longestS`. Raises where it cannot be read. */
export async function wavOf(blob, context, longestS) {
  const decoded = await context.decodeAudioData(await blob.arrayBuffer());
  const seconds = Math.min(decoded.duration, longestS);
  const offline = new OfflineAudioContext(1, Math.max(1, Math.ceil(seconds * RATE_HZ)), RATE_HZ);
  const source = offline.createBufferSource();
  source.buffer = decoded;
  source.connect(offline.destination);
  source.start();
  const samples = (await offline.startRendering()).getChannelData(0);
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  return { file: new File([header(samples.length), pcm(samples)], "voice.wav", { type: "audio/wav" }), seconds, peak, sound: decoded };
}

function pcm(samples) {
  const data = new DataView(new ArrayBuffer(samples.length * 2));
  samples.forEach((sample, at) => data.setInt16(at * 2, Math.round(Math.max(-1, Math.min(1, sample)) * 32_767), true));
  return data;
}

function header(count) {
  const data = new DataView(new ArrayBuffer(44));
  const text = (at, words) => [...words].forEach((letter, index) => data.setUint8(at + index, letter.charCodeAt(0)));
  text(0, "RIFF");
  data.setUint32(4, 36 + count * 2, true);
  text(8, "WAVEfmt ");
  data.setUint32(16, 16, true);
  data.setUint16(20, 1, true); // PCM
  data.setUint16(22, 1, true); // channels
  data.setUint32(24, RATE_HZ, true);
  data.setUint32(28, RATE_HZ * 2, true); // bytes per second
  data.setUint16(32, 2, true); // bytes per frame
  data.setUint16(34, 16, true); // bits per sample
  text(36, "data");
  data.setUint32(40, count * 2, true);
  return data;
}
