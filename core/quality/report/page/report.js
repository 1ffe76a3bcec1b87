// The page: draws charts when they come into view and before printing, keeps legends and tables of their data.
(() => {
  const charts = JSON.parse(document.getElementById("chart-data").textContent).charts;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const PRINTED = { wide: [660, 280], square: [520, 520] };
  const ROLE_NAMES = { training: "Training", holdout: "Real, held out", synthetic: "Synthetic", naive: "Naive draws" };

  function element(name, text, attributes = {}) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  // A line and a mark as the chart draws them.
  function swatch(look, marks, lines) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 32 18");
    svg.setAttribute("aria-hidden", "true");
    const add = (name, attributes) => {
      const part = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, value);
      svg.append(part);
    };
    if (lines) add("path", { d: "M1 9H31", stroke: look.colour, "stroke-width": look.width + 0.6, "stroke-dasharray": look.dash.join(" ") });
    const shapes = { circle: "M16 4a5 5 0 1 1 -.01 0z", rect: "M11.5 4.5h9v9h-9z", diamond: "M16 2.5l6 6.5l-6 6.5l-6 -6.5z", triangle: "M16 3l6 11h-12z" };
    if (marks && look.symbol in shapes) {
      add("path", { d: shapes[look.symbol], fill: look.hollow ? "none" : look.colour, stroke: look.colour, "stroke-width": 1.8 });
    }
    return svg;
  }

  class View {
    constructor(figure) {
      this.figure = figure;
      this.chart = charts[Number(figure.dataset.chart)];
      this.plot = figure.querySelector(".plot");
      this.legend = figure.querySelector(".legend");
      this.hidden = new Set();  // "role:…", "label:…" or "series:…"
      this.drawn = null;
      const data = figure.querySelector("details.data");
      data.addEventListener("toggle", () => { if (data.open) this.fillTable(data); });
      this.keys();
    }

    // What can be hidden: roles and labels where series have labels, else single series.
    keyOf(series, at) {
      return this.labelled && !Charts.isGuide(series) ? [`role:${series.role}`, `label:${series.label}`] : [`series:${at}`];
    }
    shown() { return this.chart.series.filter((s, i) => !this.keyOf(s, i).some((key) => this.hidden.has(key))); }

    keys() {
      if (this.chart.kind === "heatmap") return;
      const { series, kind } = this.chart;
      const looks = Charts.looks(this.chart, dark.matches && !this.printed);
      const labels = Charts.unique(series.map((s) => s.label).filter((label) => label !== ""));
      this.labelled = labels.length > 1;
      const marks = kind === "scatter" || kind === "manhattan" || kind === "line";
      const lines = kind === "line" || (kind === "bar" && this.chart.x.ticks.length === 0);
      this.legend.replaceChildren();
      const group = (title) => {
        const keys = element("div", undefined, { class: "keys", role: "group", "aria-label": `${title} in the chart ${this.chart.title}` });
        this.legend.append(keys);
        return keys;
      };
      const add = (keys, key, text, look, mark, line) => {
        const button = element("button", undefined, { type: "button", "aria-pressed": String(!this.hidden.has(key)) });
        if (look) button.append(swatch(look, mark, line));
        button.append(text);
        button.addEventListener("click", () => {
          if (!this.hidden.delete(key)) this.hidden.add(key);
          button.setAttribute("aria-pressed", String(!this.hidden.has(key)));
          this.draw();
        });
        keys.append(button);
      };
      if (!this.labelled) {
        const keys = group("Series");
        series.forEach((s, i) => add(keys, `series:${i}`, Charts.called(s), looks[i],
          (marks && !looks[i].guide) || (kind === "bar" && !lines), lines || looks[i].guide));
        return;
      }
      const roles = Charts.unique(series.filter((s) => !Charts.isGuide(s)).map((s) => s.role));
      if (roles.length > 1) {
        const keys = group("Origins");
        for (const role of roles) {
          const look = looks[series.findIndex((s) => s.role === role && !Charts.isGuide(s))];
          add(keys, `role:${role}`, ROLE_NAMES[role] ?? "Other", { ...look, colour: "currentColor" }, marks, lines);
        }
      }
      const keys = group("Labels");
      for (const [text, hide] of [["All", false], ["None", true]]) {
        const button = element("button", text, { type: "button", class: "all" });
        button.addEventListener("click", () => {
          for (const label of labels) this.hidden[hide ? "add" : "delete"](`label:${label}`);
          keys.querySelectorAll("[aria-pressed]").forEach((b) => b.setAttribute("aria-pressed", String(!hide)));
          this.draw();
        });
        keys.append(button);
      }
      for (const label of labels) {
        const look = looks[series.findIndex((s) => s.label === label)];
        const shape = roles.length > 1 ? { ...look, symbol: "circle", hollow: false } : look;
        add(keys, `label:${label}`, label, shape, true, lines && roles.length === 1);
      }
    }

    draw() {
      const width = this.printed ? PRINTED[this.figure.classList.contains("square") ? "square" : "wide"][0] : this.plot.clientWidth;
      if (!this.drawn) {
        const size = this.printed ? this.printedSize() : {};
        this.drawn = echarts.init(this.plot, null, {
          renderer: Charts.renderer(this.chart, this.printed), locale: "EN", devicePixelRatio: Math.max(2, window.devicePixelRatio), ...size,
        });
        this.width = width;
      }
      const options = Charts.option(this.chart, this.chart.kind === "heatmap" ? [] : this.shown(),
        { dark: dark.matches && !this.printed, width, printed: this.printed });
      this.drawn.setOption(options, { notMerge: true });
    }

    printedSize() {
      const [width, height] = PRINTED[this.figure.classList.contains("square") ? "square" : "wide"];
      return { width, height };
    }

    // Both ways the chart is made anew, since its size and colours change.
    print(printed) {
      if (this.drawn) this.drawn.dispose();
      this.drawn = null;
      this.printed = printed;
      this.keys();
      this.draw();
      if (!printed) this.drawn.resize();
    }

    recolour() {
      this.keys();
      if (this.drawn) this.draw();
    }

    resize() {
      if (!this.drawn || this.printed || this.plot.clientWidth === 0 || this.plot.clientWidth === this.width) return;
      this.width = this.plot.clientWidth;
      this.drawn.resize();
      if (this.chart.kind === "heatmap") this.draw();
    }

    fillTable(details) {
      if (details.querySelector("table")) return;
      const { kind, matrix, series, x, y, title } = this.chart;
      const table = element("table");
      const head = table.createTHead().insertRow();
      const heading = (text) => head.append(element("th", text, { scope: "col" }));
      const body = table.createTBody();
      if (kind === "heatmap") {
        heading("");
        matrix.columns.forEach(heading);
        const values = Charts.values(matrix);
        matrix.rows.forEach((name, r) => {
          const row = body.insertRow();
          row.append(element("th", name, { scope: "row" }));
          matrix.columns.forEach((_, c) => { row.insertCell().textContent = Charts.number(values[r * matrix.columns.length + c]); });
        });
      } else {
        const names = new Map(x.ticks);
        heading("Series");
        if (this.labelled) heading("Label");
        heading(x.title);
        heading(y.title);
        for (const s of series) {
          s.x.forEach((at, i) => {
            const row = body.insertRow();
            row.insertCell().textContent = s.name;
            if (this.labelled) row.insertCell().textContent = s.label;
            row.insertCell().textContent = kind === "bar" && names.has(at) ? names.get(at) : Charts.number(at);
            row.insertCell().textContent = Charts.number(s.y[i]);
          });
        }
      }
      const room = element("div", undefined, { class: "table-room", tabindex: "0", role: "region", "aria-label": `Data of the chart ${title}` });
      room.append(table);
      details.append(room);
    }
  }

  const views = new Map([...document.querySelectorAll("figure.chart")].map((figure) => [figure, new View(figure)]));

  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      const view = views.get(entry.target);
      if (!view.drawn) view.draw();
    }
  }, { rootMargin: "300px" });
  const sized = new ResizeObserver((entries) => entries.forEach((e) => views.get(e.target.closest("figure")).resize()));
  for (const view of views.values()) {
    seen.observe(view.figure);
    sized.observe(view.plot);
  }
  dark.addEventListener("change", () => views.forEach((view) => view.recolour()));

  // On paper all explanations are open; data of the charts and charts of single labels stay out, as they would fill
  // hundreds of pages.
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("main details:not(.data, .more-charts):not([open])")];
    opened.forEach((details) => { details.open = true; });
    views.forEach((view) => view.print(true));
  });
  window.addEventListener("afterprint", () => {
    opened.forEach((details) => { details.open = false; });
    views.forEach((view) => view.print(false));
  });
})();
