// The page of an export: begins the download by itself, shows how many rows are written, and shows the end. Without this
// file the button does the first, and looking again the rest.
"use strict";

const LOOK_AGAIN_MS = 500;
const area = document.querySelector("[data-export]");

async function look() {
  const answer = await fetch(area.dataset.export, { headers: { Accept: "application/json" } });
  if (!answer.ok) return true;
  const { done, state, is_over: isOver } = await answer.json();
  if (state === "running") {
    const bar = area.querySelector("progress");
    bar.hidden = false;
    if (bar.max > 1) bar.value = done;
    area.querySelector("[data-export-said]").textContent = `${done.toLocaleString("en")} rows are written.`;
    area.querySelector("[data-export-start]")?.remove();
  }
  return isOver;
}

async function watch() {
  let isOver = false;
  while (!isOver) {
    await new Promise((resolve) => { setTimeout(resolve, LOOK_AGAIN_MS); });
    isOver = await look().catch(() => false);
  }
  location.reload();
}

if (area) {
  area.querySelector("[data-export-start=at-once]")?.requestSubmit();
  watch();
}
