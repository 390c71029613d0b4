// Small conveniences. Every page works without this file.
"use strict";

function onThemeToggle() {
  const root = document.documentElement;
  const next = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
  root.setAttribute("data-bs-theme", next);
  localStorage.setItem("theme", next);
}

// Suggests people while somebody types: fills the field's datalist.
function suggestPeople(input) {
  const list = document.getElementById(input.getAttribute("list"));
  const fixed = Array.from(list.options).map((option) => option.cloneNode(true));
  let timer = 0;
  let asked = "";
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const term = input.value.trim();
      if (term.length < 2 || term === asked) return;
      asked = term;
      const answer = await fetch(`${input.dataset.suggest}&term=${encodeURIComponent(term)}`, {
        headers: { Accept: "application/json" },
      });
      if (!answer.ok || term !== input.value.trim()) return;
      const found = (await answer.json()).results.map((person) => {
        const option = document.createElement("option");
        option.value = person.id;
        option.label = `${person.text} · ${person.id}`;
        return option;
      });
      list.replaceChildren(...fixed, ...found);
    }, 150);
  });
}

// Warns before typed text is left behind, and keeps a double click from sending twice.
function keepTyping(form) {
  let changed = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  window.addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
}

function showSending(form) {
  form.addEventListener("submit", () => {
    const button = form.querySelector("button[type=submit]");
    if (button) setTimeout(() => { button.disabled = true; }, 0);
  });
}

// Leaves empty fields out of the address, so that it can be shared.
function cleanQuery(form) {
  form.addEventListener("submit", () => {
    for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
  });
}

// Replaces a live region with its own fresh copy every few seconds while the page is visible.
function refresh(region) {
  setInterval(async () => {
    if (document.hidden) return;
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(region.id);
    if (fresh) region.replaceChildren(...fresh.childNodes);
  }, Number(region.dataset.refreshSeconds) * 1000);
}

function onShortcut(event) {
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`);
  if (target) {
    event.preventDefault();
    target.focus();
  }
}

document.querySelectorAll("[data-theme-toggle]").forEach((button) => button.addEventListener("click", onThemeToggle));
document.querySelectorAll("[data-suggest]").forEach(suggestPeople);
document.querySelectorAll("[data-keep-typing]").forEach(keepTyping);
document.querySelectorAll("form[method=post]").forEach(showSending);
document.querySelectorAll("[data-clean-query]").forEach(cleanQuery);
document.querySelectorAll("[data-refresh-seconds]").forEach(refresh);
document.addEventListener("keydown", onShortcut);
// A page that comes back from the history may have its button still disabled.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("button[disabled], form :disabled").forEach((element) => { element.disabled = false; });
});
