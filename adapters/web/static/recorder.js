// Saying it instead of writing it: a bar in the composer's place while it records.

import { byId, speak } from "./dom.js";
import { wavOf } from "./wav.js";
import { t } from "./words.js";

const LONGEST_S = 60;
const SHORTEST_S = 0.4;
const SILENCE = 0.004;
const TICK_MS = 100;

export const canRecord = () => Boolean(navigator.mediaDevices?.getUserMedia && window.MediaRecorder && window.AudioContext && window.OfflineAudioContext);

const clockOf = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** Emits `voice` (detail: {file, length}), `trouble` (words) and `close`. */
export class Recorder extends EventTarget {
  constructor() {
    super();
    this.state = "off"; // off, asking, recording, reading, ready
    this.bar = byId("recording");
    byId("record").onclick = () => this.start();
    byId("record-drop").onclick = () => this.#close();
    byId("record-stop").onclick = () => this.#stop(false);
    byId("record-play").onclick = () => this.#play();
    byId("record-send").onclick = () => (this.state === "recording" ? this.#stop(true) : this.#send());
    this.bar.addEventListener("keydown", (event) => event.key === "Escape" && this.#close());
  }

  async start() {
    if (this.state !== "off") return;
    this.#be("asking");
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true } });
      if (this.state !== "asking") stream.getTracks().forEach((track) => track.stop());
      else await this.#record(stream);
    } catch {
      this.#close(t("I can't use the microphone here. Please allow it in the browser, or write instead."));
    }
  }

  async #record(stream) {
    this.stream = stream;
    this.context = new AudioContext();
    await this.context.resume();
    this.analyser = this.context.createAnalyser();
    this.analyser.fftSize = 1024;
    this.context.createMediaStreamSource(stream).connect(this.analyser);
    this.parts = [];
    this.recorder = new MediaRecorder(stream);
    this.recorder.ondataavailable = ({ data }) => this.parts.push(data);
    this.recorder.onstop = () => this.#read();
    this.recorder.start();
    this.since = performance.now();
    this.ticking = setInterval(() => this.#tick(), TICK_MS);
    this.#be("recording");
    speak(t("Recording"));
    byId("record-send").focus();
  }

  get #passed() {
    return (performance.now() - this.since) / 1000;
  }

  #tick() {
    const samples = new Float32Array(this.analyser.fftSize);
    this.analyser.getFloatTimeDomainData(samples);
    const loudness = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
    byId("record-level").style.setProperty("--level", Math.min(1, Math.sqrt(loudness) * 1.6).toFixed(2));
    byId("record-time").textContent = clockOf(this.#passed);
    if (this.#passed >= LONGEST_S) this.#stop(false);
  }

  #stop(isSent) {
    if (this.state !== "recording") return;
    this.isSent = isSent;
    clearInterval(this.ticking);
    this.#be("reading");
    this.recorder.stop();
  }

  async #read() {
    if (this.state !== "reading") return;
    try {
      this.read = await wavOf(new Blob(this.parts, { type: this.recorder.mimeType }), this.context, LONGEST_S);
    } catch {
      return this.#close(t("The browser could not make a recording. Please try again, or write instead."));
    }
    if (this.state !== "reading") return;
    this.stream.getTracks().forEach((track) => track.stop());
    if (this.read.seconds < SHORTEST_S) return this.#close(t("That was too short to hear anything."));
    if (this.read.peak < SILENCE) return this.#close(t("I heard nothing at all. Is the right microphone switched on?"));
    byId("record-time").textContent = clockOf(this.read.seconds);
    this.#be("ready");
    if (this.isSent) this.#send();
    else byId("record-send").focus();
  }

  #play() {
    if (this.playing) return this.#hush();
    this.playing = this.context.createBufferSource();
    this.playing.buffer = this.read.sound;
    this.playing.connect(this.context.destination);
    this.playing.onended = () => this.#hush();
    this.playing.start();
    this.#be("ready");
  }

  #hush() {
    this.playing?.stop();
    this.playing = null;
    if (this.state === "ready") this.#be("ready");
  }

  #send() {
    if (this.state !== "ready") return;
    const { file, seconds } = this.read;
    this.#close();
    this.dispatchEvent(new CustomEvent("voice", { detail: { file, length: clockOf(seconds) } }));
  }

  #close(trouble = "") {
    clearInterval(this.ticking);
    this.#hush();
    this.stream?.getTracks().forEach((track) => track.stop());
    this.context?.close();
    this.stream = this.context = this.recorder = this.read = null;
    this.#be("off");
    this.dispatchEvent(new CustomEvent("close"));
    if (trouble) this.dispatchEvent(new CustomEvent("trouble", { detail: trouble }));
  }

  #be(state) {
    this.state = state;
    const isOff = state === "off" || state === "asking";
    this.bar.hidden = isOff;
    byId("writing").hidden = !isOff;
    this.bar.dataset.state = state;
    byId("record-stop").hidden = state !== "recording";
    byId("record-play").hidden = state !== "ready";
    byId("record-send").disabled = state === "reading";
    byId("record-play").setAttribute("aria-label", this.playing ? t("Stop listening") : t("Listen to it"));
    byId("record-play").querySelector("use").setAttribute("href", this.playing ? "#i-stop" : "#i-play");
  }
}
