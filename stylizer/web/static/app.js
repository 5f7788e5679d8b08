/** The page: wires the tabs, the styles and the settings to what uses them. */

import { request } from "/static/api.js";
import { Gallery } from "/static/gallery.js";
import { Jobs } from "/static/jobs.js";
import { watchKeys } from "/static/keys.js";
import { Live } from "/static/live.js";
import { OwnStyle } from "/static/own.js";
import { Photo } from "/static/photo.js";
import { Settings } from "/static/settings.js";
import { Tabs } from "/static/tabs.js";
import { Video } from "/static/video.js";

const gallery = new Gallery();
const settings = new Settings(gallery);
const jobs = new Jobs();
const photo = new Photo(settings, jobs);
const video = new Video(settings, jobs);
const live = new Live(settings, load);
new OwnStyle(gallery, jobs, load);

const tabs = new Tabs(document.querySelector("[role=tablist]"));
tabs.addEventListener("change", () => {
  settings.tab = tabs.current;
  live.watch();
});
settings.tab = tabs.current;

const places = Object.fromEntries(
  [..."123456789"].map((key, place) => [key, () => gallery.choose(place)]),
);
watchKeys({
  ...places,
  n: () => gallery.step(1),
  p: () => gallery.step(-1),
  s: () => live.press("snapshot"),
  r: () => live.press("record"),
  f: () => live.fullScreen(),
  m: () => document.getElementById("mirror").click(),
  u: () => settings.undo(),
});

const message = document.getElementById("page-message");
jobs.addEventListener("change", () => (message.textContent = ""));
document.addEventListener("visibilitychange", () => document.hidden || jobs.refresh());
jobs.addEventListener("error", ({ detail }) => (message.textContent = detail.message));

let shown = "";

/** Read what the server offers; again when it was started anew, since uploads are gone then. */
async function load() {
  try {
    const info = await request("/api/info");
    document.getElementById("engine").textContent = `${info.engine} · stylizer ${info.version}`;
    photo.limits = video.limits = info.limits;
    jobs.most = info.limits.jobs ?? Infinity;
    jobs.keepSeconds = info.limits.keep_seconds ?? 0;
    settings.methods = info.methods;
    document.getElementById("faces").closest(".field").hidden = Boolean(info.parts.face);
    if (JSON.stringify(info) !== shown) gallery.show(info);
    shown = JSON.stringify(info);
    await jobs.refresh();
  } catch (error) {
    message.textContent = error.message;
  }
}

await load();

// For other programs, such as OBS: nothing but the picture. `?clean&style=great_wave`
const asked = new URLSearchParams(location.search);
if (asked.has("clean")) {
  document.documentElement.classList.add("clean");
  location.hash = "live";
  if (asked.has("style")) gallery.choice = { style: asked.get("style") };
  live.start();
}
document.documentElement.dataset.loaded = "true"; // for whoever waits for it, as the tests do
