// Shows how far long work is: sends a form marked data-progress and reads the lines of the answer. Without this file the
// form is sent as any other, and the page comes when everything is done.
"use strict";

// Lines of an answer, one by one, as they arrive.
async function* linesOf(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line) yield JSON.parse(line);
  }
}

class Watcher {
  constructor(form) {
    this.form = form;
    this.area = document.getElementById(form.dataset.progress);
    this.bar = this.area.querySelector("progress");
    this.said = this.area.querySelector("[data-said]");
    this.wrong = this.area.querySelector("[data-progress-wrong]");
    this.stopped = new AbortController();
    this.warn = (event) => event.preventDefault();
    this.area.querySelectorAll("[data-stop]").forEach((button) => button.addEventListener("click", () => this.stopped.abort()));
  }

  async send(submitter) {
    const body = new URLSearchParams(new FormData(this.form, submitter));
    this.begin();
    try {
      const answer = await fetch(submitter.getAttribute("formaction") || this.form.getAttribute("action"), {
        method: "POST", body, signal: this.stopped.signal,
        headers: { Accept: "application/x-ndjson, application/json" },
      });
      if (!answer.ok) throw new Error((await answer.json()).error);
      let next = "";
      for await (const line of linesOf(answer)) next = this.show(line);
      if (!next) throw new Error("The connection broke. Open this page again to see how far it came.");
      window.removeEventListener("beforeunload", this.warn);
      location.assign(next);
    } catch (error) {
      this.fail(this.stopped.signal.aborted ? "Stopped. Open this page again to see how far it came." : error.message);
    }
  }

  begin() {
    document.querySelectorAll("form[data-progress] button").forEach((button) => { button.disabled = true; });
    this.area.hidden = false;
    this.wrong.hidden = true;
    this.bar.removeAttribute("value");
    this.said.textContent = "Working …";
    window.addEventListener("beforeunload", this.warn);
    this.area.scrollIntoView({ block: "center" });
  }

  // Where to go, when this was the last line.
  show(line) {
    if (line.error) throw new Error(line.error);
    if (line.goto) return line.goto;
    this.bar.max = line.total;
    this.bar.value = line.done;
    this.said.textContent = line.said || `${line.done.toLocaleString("en")} of ${line.total.toLocaleString("en")}`;
    return "";
  }

  fail(sentence) {
    window.removeEventListener("beforeunload", this.warn);
    this.wrong.textContent = sentence;
    this.wrong.hidden = false;
    this.bar.value = 0;
    this.said.textContent = "";
    this.area.querySelectorAll("[data-stop]").forEach((button) => { button.hidden = true; });
    this.wrong.focus();
  }
}

document.querySelectorAll("form[data-progress]").forEach((form) => {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    new Watcher(form).send(event.submitter || form.querySelector("button[type=submit]"));
  });
});
