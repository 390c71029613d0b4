// Small conveniences. Every page works without this file.
"use strict";

function onThemeToggle() {
  const root = document.documentElement;
  const next = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
  root.setAttribute("data-bs-theme", next);
  localStorage.setItem("theme", next);
}

// On narrow screens the menu is folded up.
function onMenuToggle(event) {
  const button = event.currentTarget;
  const isOpen = document.getElementById(button.getAttribute("aria-controls")).classList.toggle("show");
  button.setAttribute("aria-expanded", String(isOpen));
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

// Warns before typed text is left behind. While another form of the page is sent, what may go along goes along, and is on
// the page that answers.
function keepTyping(form) {
  const drafts = Array.from(form.querySelectorAll("[data-draft]"));
  let changed = drafts.some((field) => field.type !== "checkbox" && field.value);
  const others = drafts.length ? Array.from(document.querySelectorAll("main form[method=post]")) : [];
  others.filter((other) => other !== form).forEach((other) => other.addEventListener("formdata", (event) => {
    const kept = drafts.filter((field) => changed && (field.type !== "checkbox" || field.checked));
    kept.forEach((field) => event.formData.append(field.dataset.draft, field.value));
    changed = false;
  }));
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  window.addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
}

// A file that is too large is told before it is sent: a refused upload ends in a broken connection in some browsers.
function weighFiles(input) {
  input.addEventListener("change", () => {
    const most = Number(input.dataset.mostBytes);
    const isTooLarge = Array.from(input.files).some((file) => file.size > most);
    const limit = `${Math.floor(most / 1048576).toLocaleString("en")} MB`;
    input.setCustomValidity(isTooLarge ? `This file is too large: at most ${limit}.` : "");
    input.reportValidity();
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

// Puts fresh content into a region and leaves the person where they were: focus, opened details, sideways scrolling.
function replaceKeeping(region, fresh) {
  const place = (element) => Array.from(region.querySelectorAll(element.tagName)).indexOf(element);
  const focused = region.contains(document.activeElement) ? document.activeElement : null;
  const at = focused && (focused.id ? `#${CSS.escape(focused.id)}` : [focused.tagName, place(focused)]);
  const scrolled = Array.from(region.querySelectorAll("[data-keep]"), (box) => [box.dataset.keep, box.scrollLeft]);
  region.replaceChildren(...fresh.childNodes);
  for (const [name, left] of scrolled) {
    const box = region.querySelector(`[data-keep="${CSS.escape(name)}"]`);
    if (box) box.scrollLeft = left;
  }
  const again = at && (typeof at === "string" ? region.querySelector(at) : region.querySelectorAll(at[0])[at[1]]);
  if (again) again.focus({ preventScroll: true });
}

// Replaces a live region with its own fresh copy every few seconds while the page is visible. Says what has changed, and
// when the figures are no longer fresh. Nothing is asked again before there is an answer, or none after `PATIENCE`.
function refresh(region) {
  const PATIENCE = 5000;
  const stale = document.querySelector(`[data-stale-for="${region.id}"]`);
  const voice = document.querySelector(`[data-said-by="${region.id}"]`);
  const said = () => Array.from(region.querySelectorAll("[data-say]"), (part) => `${part.dataset.say}: ${part.textContent.trim()}`).join(", ");
  let last = said();
  let isAsking = false;
  const ask = async () => {
    const answer = await fetch(location.href, { redirect: "error", signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) throw new Error(answer.statusText);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(region.id);
    replaceKeeping(region, fresh);
    if (said() !== last) voice.textContent = last = said();
  };
  setInterval(() => {
    if (document.hidden || isAsking) return;
    isAsking = true;
    ask().then(() => { stale.hidden = true; }, () => { stale.hidden = false; }).finally(() => { isAsking = false; });
  }, Number(region.dataset.refreshSeconds) * 1000);
}

// Says a message once more when the page is there: what is in a page from its beginning is not read out.
function sayAgain(place) {
  const parts = Array.from(place.childNodes);
  if (place.children.length) setTimeout(() => place.replaceChildren(...parts), 150);
}

// To the first field that is wrong, or to the sentence that says what is.
function showWhatIsWrong() {
  const field = document.querySelector("[aria-invalid=true]");
  const sentence = document.querySelector("[data-wrong]");
  const target = field || sentence;
  if (!target) return;
  target.focus();
  target.scrollIntoView({ block: "center" });
}

// Filters that nobody uses take up half of a phone.
function foldWhenNarrow(filters) {
  if (matchMedia("(max-width: 44rem)").matches) filters.open = false;
}

// Typing into a field on the conflict page is choosing it.
function chooseByTyping(choice) {
  const field = document.getElementById(choice.dataset.choice);
  field.addEventListener("input", () => { choice.querySelector("[value=mine]").checked = true; });
}

// One box for all boxes of the page, and how many are ticked. Choosing boxes is choosing “the ticked ones”.
function tickAll(all) {
  const boxes = Array.from(document.querySelectorAll("[data-tick]"));
  const told = document.querySelector("[data-ticked]");
  const scope = document.getElementById("bulk-scope");
  const check = () => {
    const isEmpty = scope.value === "ticked" && !boxes.some((box) => box.checked);
    scope.setCustomValidity(isEmpty ? "Tick at least one ticket first." : "");
  };
  const count = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && !all.checked;
    told.textContent = ticked ? `${ticked} ticked` : "";
    if (ticked) scope.value = "ticked";
    check();
  };
  all.hidden = false;
  all.addEventListener("change", () => {
    boxes.forEach((box) => { box.checked = all.checked; });
    count();
  });
  boxes.forEach((box) => box.addEventListener("change", count));
  scope.addEventListener("change", check);
  window.addEventListener("pageshow", count);
}

// Whoever signs out in one tab has signed out in all of them: the others leave what they show. Typed text asks first.
function leaveTogether() {
  if (document.querySelector("[data-signed-out]")) localStorage.setItem("signed-out", String(Date.now()));
  window.addEventListener("storage", (event) => {
    if (event.key === "signed-out") location.replace(location.pathname + location.search);
  });
}

// A text that is there to be copied is marked as a whole.
function markWhole(field) {
  field.addEventListener("focus", () => field.select());
  if (document.activeElement === field) field.select();
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
document.querySelectorAll("[data-menu-toggle]").forEach((button) => button.addEventListener("click", onMenuToggle));
document.querySelectorAll("[data-select-all]").forEach(markWhole);
document.querySelectorAll("[data-suggest]").forEach(suggestPeople);
document.querySelectorAll("[data-keep-typing]").forEach(keepTyping);
document.querySelectorAll("[data-most-bytes]").forEach(weighFiles);
document.querySelectorAll("form[method=post]").forEach(showSending);
document.querySelectorAll("[data-clean-query]").forEach(cleanQuery);
document.querySelectorAll("[data-refresh-seconds]").forEach(refresh);
document.querySelectorAll("[data-messages]").forEach(sayAgain);
document.querySelectorAll("[data-fold-when-narrow]").forEach(foldWhenNarrow);
document.querySelectorAll("[data-choice]").forEach(chooseByTyping);
document.querySelectorAll("[data-tick-all]").forEach(tickAll);
document.addEventListener("keydown", onShortcut);
showWhatIsWrong();
leaveTogether();
// A page that comes back from the history may have its button still disabled.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("button[disabled], form :disabled").forEach((element) => { element.disabled = false; });
});
