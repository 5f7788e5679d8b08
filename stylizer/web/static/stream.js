/** The socket that frames travel through in their order, and that comes back when the server does. */

import { ApiError, renewSession, sentence } from "/static/api.js";

const PATIENCE = 15_000; // ms without an answer before the connection counts as lost
const REFUSED = 1008;
const OF_SETTINGS = ["bad_message", "bad_options", "no_style"]; // errors that answer no frame
const PAUSES = [500, 1000, 2000, 4000, 8000];

/** Dispatches `state` (see `state`, `words`) and `stats` (detail: the server's numbers). */
export class Stream extends EventTarget {
  #socket = null;
  #wanted = false;
  #tries = 0;
  #pending = []; // frames on their way, in order
  #opened = null;
  #told = ""; // the last settings that were sent

  /** @type {"closed" | "connecting" | "ready" | "waiting" | "refused"} */
  state = "closed";
  words = "";

  /** @param {() => object} settings what to send first, whenever the connection is made */
  constructor(settings) {
    super();
    this.settings = settings;
  }

  open() {
    this.#wanted = true;
    this.#tries = 0;
    this.#connect();
  }

  close() {
    this.#wanted = false;
    this.#socket?.close();
    this.#lost();
    this.#set("closed", "");
  }

  /** Connect anew, since the server knows a visitor by what is sent when the connection begins. */
  reconnect() {
    if (this.state !== "ready") return;
    const before = this.#socket;
    this.#lost();
    before.close();
    this.#connect();
  }

  /** Send settings from now on; before the connection stands, they go with it. */
  apply(settings) {
    if (this.state === "ready") this.#tell(settings);
  }

  #tell(settings) {
    this.#told = JSON.stringify({ type: "settings", ...settings });
    this.#socket.send(this.#told);
  }

  /** @returns {Promise<void>} resolves when frames can be sent, or when the stream was closed */
  ready() {
    if (this.state === "ready" || !this.#wanted) return Promise.resolve();
    return new Promise((resolve) => (this.#opened = resolve));
  }

  /** @returns {number} how many frames are on their way */
  get onTheWay() {
    return this.#pending.length;
  }

  /**
   * Send a frame; answers come in the order of the frames.
   * @param {ArrayBuffer} frame a JPEG
   * @returns {Promise<ArrayBuffer>} the painted one
   */
  send(frame) {
    if (this.state !== "ready") return Promise.reject(new ApiError("Not connected.", "lost"));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#socket?.close(), PATIENCE);
      this.#pending.push({ resolve, reject, timer });
      this.#socket.send(frame);
    });
  }

  /** @returns {{resolve: Function, reject: Function} | undefined} who waits for the next answer */
  #next() {
    const next = this.#pending.shift();
    clearTimeout(next?.timer);
    return next;
  }

  #connect() {
    this.#set("connecting", "Connecting…");
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/live`);
    this.#socket = socket;
    socket.binaryType = "arraybuffer"; // a blob goes through another process, and is late
    socket.onopen = () => this.#tell(this.settings());
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.#heard(JSON.parse(data));
      else this.#next()?.resolve(data);
    };
    socket.onclose = (event) => {
      if (this.#socket === socket) this.#closed(event);
    };
  }

  #heard(message) {
    if (message.type === "ready") {
      this.#tries = 0;
      const now = this.settings(); // they may have changed since the connection was made
      if (JSON.stringify({ type: "settings", ...now }) !== this.#told) this.#tell(now);
      this.#set("ready", "");
    } else if (message.type === "stats") {
      this.dispatchEvent(new CustomEvent("stats", { detail: message }));
    } else if (message.type === "error") {
      const error = new ApiError(message.message, message.code);
      if (!OF_SETTINGS.includes(error.code)) this.#next()?.reject(error);
      else this.dispatchEvent(new CustomEvent("complaint", { detail: error }));
    }
  }

  #closed(event) {
    this.#lost();
    if (!this.#wanted) return;
    if (event.code === REFUSED) this.#refuse(event.reason || "The server refused the connection.");
    else this.#wait();
  }

  #wait() {
    const pause = PAUSES[Math.min(this.#tries++, PAUSES.length - 1)];
    this.#set("waiting", "The server is gone. Trying again until it is back…");
    setTimeout(() => this.#retry(), pause);
  }

  async #retry() {
    const waiting = () => this.#wanted && this.state === "waiting";
    if (!waiting()) return;
    try {
      const back = await renewSession();
      if (!waiting()) return;
      if (!back) return this.#wait();
      this.dispatchEvent(new Event("renewed"));
      this.#connect();
    } catch (error) {
      if (waiting()) this.#refuse(error.message);
    }
  }

  #refuse(words) {
    this.#wanted = false;
    this.#set("refused", sentence(words));
  }

  #lost() {
    this.#socket = null;
    while (this.#pending.length) this.#next().reject(new ApiError("The connection was lost.", "lost"));
  }

  #set(state, words) {
    this.state = state;
    this.words = words;
    if (["ready", "closed", "refused"].includes(state)) {
      this.#opened?.();
      this.#opened = null;
    }
    this.dispatchEvent(new Event("state"));
  }
}
