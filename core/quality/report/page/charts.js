"use strict";
// From a chart's data to the options of Apache ECharts. Nothing here touches the page.
const Charts = (() => {
  // Colours that the colour-blind tell apart (after Okabe and Ito); shape and dash tell the same.
  const ROLES = {
    holdout: { light: "#0b6aa8", dark: "#62b6f5", symbol: "circle", hollow: true, dash: [1, 0], width: 2.2 },
    synthetic: { light: "#c14a00", dark: "#ff9248", symbol: "diamond", hollow: false, dash: [8, 4], width: 2.4 },
    training: { light: "#00795a", dark: "#45d6ab", symbol: "rect", hollow: true, dash: [2, 3], width: 2 },
    naive: { light: "#6b6f74", dark: "#a2a7ac", symbol: "triangle", hollow: true, dash: [10, 4, 2, 4], width: 1.8 },
  };
  const FEW = {
    light: ["#0b6aa8", "#c14a00", "#00795a", "#9b4f88", "#8a6a00", "#3f7fbf", "#5b5fc7", "#5c6166"],
    dark: ["#62b6f5", "#ff9248", "#45d6ab", "#e29acb", "#e8c04c", "#9fc9ff", "#a9a8ff", "#b4b9be"],
  };
  const SYMBOLS = ["circle", "diamond", "rect", "triangle"];
  const DASHES = [[1, 0], [8, 4], [2, 3], [10, 4, 2, 4], [12, 3], [4, 2, 1, 2, 1, 2]];
  const VIRIDIS = ["#440154", "#482878", "#3e4a89", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6dcd59", "#b4de2c", "#fde725"];
  const DIVERGING = ["#0b6aa8", "#7fb4d8", "#f4f4f2", "#eba06d", "#c14a00"];
  const SVG_POINTS = 3000;
  const SVG_CELLS = 10000;

  const unique = (values) => [...new Set(values)];
  const isGuide = (series) => series.role === "" && series.label === "" && series.x.length <= 2;

  function colourOf(index, count, dark) {
    if (count <= FEW.light.length) return FEW[dark ? "dark" : "light"][index];
    const hue = Math.round((index * 137.508) % 360);
    const lightness = (dark ? [72, 60, 82] : [38, 50, 28])[index % 3];
    return `hsl(${hue}, ${[75, 55][index % 2]}%, ${lightness}%)`;
  }

  // How each series looks. By role where each has its own; by label in colour and by role in shape where there are
  // labels; else one after the other.
  function looks(chart, dark) {
    const shade = dark ? "dark" : "light";
    const drawn = chart.series.filter((s) => !isGuide(s));
    const labels = unique(drawn.map((s) => s.label).filter((label) => label !== ""));
    const roles = drawn.map((s) => s.role);
    const by_role = labels.length === 0 && roles.every((role) => role in ROLES) && unique(roles).length === roles.length;
    return chart.series.map((series) => {
      if (isGuide(series)) {
        return { guide: true, colour: dark ? "#7d868e" : "#8b9299", symbol: "none", hollow: false, dash: [3, 3], width: 1.2 };
      }
      const role = ROLES[series.role];
      if (by_role) return { ...role, colour: role[shade] };
      if (labels.length > 0) {
        const at = Math.max(0, labels.indexOf(series.label));
        const base = role && unique(roles).length > 1
          ? role
          : { symbol: SYMBOLS[at % SYMBOLS.length], hollow: false, dash: DASHES[at % DASHES.length], width: 2 };
        const colour = series.label === "" && role ? role[shade] : colourOf(at, labels.length, dark);
        return { ...base, colour };
      }
      const at = drawn.indexOf(series);
      return {
        colour: colourOf(at, drawn.length, dark), symbol: SYMBOLS[at % SYMBOLS.length], hollow: at % 8 >= 4,
        dash: DASHES[at % DASHES.length], width: 2,
      };
    });
  }

  function number(value) {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-4 || size >= 1e10)) return value.toExponential(2).replace("-", "−");
    return value.toLocaleString("en", { maximumSignificantDigits: size >= 1e4 ? 10 : 4 }).replace("-", "−");
  }

  // On an axis, large numbers are cut short: positions in megabases.
  function tick(value) {
    const size = Math.abs(value);
    if (size >= 1e9) return number(value / 1e9) + " G";
    if (size >= 1e6) return number(value / 1e6) + " M";
    if (size >= 1e4) return number(value / 1e3) + " k";
    return number(value);
  }

  function theme(dark) {
    return dark
      ? { text: "#e6e9ec", quiet: "#a5aeb7", line: "#363d44", axis: "#6c757d", surface: "#1c2126" }
      : { text: "#1d2329", quiet: "#56606a", line: "#e6e8ea", axis: "#9aa1a8", surface: "#ffffff" };
  }

  // A tooltip whose lines are text, whatever is in them.
  function lines(...texts) {
    const box = document.createElement("div");
    texts.forEach((text, i) => {
      const line = document.createElement("div");
      line.textContent = text;
      if (i === 0) line.style.fontWeight = "600";
      box.append(line);
    });
    return box;
  }

  const called = (series) =>
    series.label === "" || series.name.includes(series.label) ? series.name : `${series.name}, ${series.label}`;

  function axis(data, colours, extra) {
    const ticks = data.ticks.filter(([at, name]) => Number.isFinite(at) && name !== "");
    const named = ticks.length > 0;
    const names = new Map(ticks);
    return {
      type: data.log ? "log" : "value",
      name: data.title,
      nameLocation: "middle",
      nameTextStyle: { color: colours.quiet, fontSize: 12 },
      nameGap: 28,
      scale: true,
      axisLine: { show: true, onZero: false, lineStyle: { color: colours.axis } },
      axisTick: named ? { customValues: ticks.map((t) => t[0]) } : {},
      axisLabel: {
        color: colours.quiet, hideOverlap: true,
        ...(named ? { customValues: ticks.map((t) => t[0]), formatter: (at) => names.get(at) ?? "" } : { formatter: tick }),
      },
      splitLine: { show: !named, lineStyle: { color: colours.line } },
      minorSplitLine: { show: false },
      ...extra,
    };
  }

  const points = (chart, series) =>
    series.x
      .map((x, i) => [x, series.y[i]])
      .filter(([x, y]) => x !== null && y !== null && !(chart.x.log && x <= 0) && !(chart.y.log && y <= 0));

  function dots(chart, series, look, total) {
    const size = total > 2000 ? 4 : total > 400 ? 5.5 : 8;
    return {
      type: "scatter",
      symbol: look.symbol,
      symbolSize: look.symbol === "diamond" || look.symbol === "triangle" ? size * 1.3 : size,
      itemStyle: look.hollow
        ? { color: "transparent", borderColor: look.colour, borderWidth: total > 2000 ? 1 : 1.4, opacity: 0.8 }
        : { color: look.colour, opacity: total > 400 ? 0.65 : 0.85 },
      data: points(chart, series),
      progressive: 0,
    };
  }

  function line(chart, series, look) {
    const data = points(chart, series);
    return {
      type: "line",
      symbol: look.symbol,
      showSymbol: !look.guide && data.length <= 30,
      symbolSize: 7,
      lineStyle: { color: look.colour, width: look.width, type: look.dash },
      itemStyle: { color: look.colour },
      silent: Boolean(look.guide),
      data,
    };
  }

  // A histogram is an outline, so that several can lie on each other.
  function outline(chart, series, look) {
    const edges = points(chart, series);
    if (edges.length === 0) return line(chart, series, look);
    const width = edges.length > 1 ? edges[1][0] - edges[0][0] : 1;
    const last = edges[edges.length - 1];
    return {
      type: "line",
      step: "end",
      symbol: look.symbol,
      showSymbol: false,
      lineStyle: { color: look.colour, width: look.width, type: look.dash },
      itemStyle: { color: look.colour },
      areaStyle: { color: look.colour, opacity: 0.12 },
      data: [[edges[0][0], 0], ...edges, [last[0] + width, 0]],
    };
  }

  function columns(chart, series, look, at) {
    const height = new Map(points(chart, series));
    return {
      type: "bar",
      barMaxWidth: 40,
      itemStyle: {
        color: look.colour, borderColor: look.colour,
        decal: [null, { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: Math.PI / 4, color: "rgba(255,255,255,.55)" },
          { symbol: "circle", symbolSize: 0.5, dashArrayX: 6, dashArrayY: 6, color: "rgba(255,255,255,.6)" },
          { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 4], color: "rgba(255,255,255,.55)" }][at % 4],
      },
      data: chart.x.ticks.map(([place]) => height.get(place) ?? null),
    };
  }

  const median = (values) => values.slice().sort((a, b) => a - b)[values.length >> 1];

  // Names at the middle of the groups, where the groups lie apart.
  function groupNames(chart, shown, colours) {
    const labels = unique(shown.map((s) => s.label).filter((label) => label !== ""));
    if (labels.length < 2) return [];
    const places = labels.map((label) => {
      const all = shown.filter((s) => s.label === label).flatMap((s) => points(chart, s));
      return all.length === 0 ? null : { name: label, value: [median(all.map((p) => p[0])), median(all.map((p) => p[1]))] };
    }).filter(Boolean);
    const apart = [0, 1].some((d) => {
      const all = shown.flatMap((s) => points(chart, s).map((p) => p[d]));
      const range = all.reduce((a, b) => Math.max(a, b), -Infinity) - all.reduce((a, b) => Math.min(a, b), Infinity);
      const middles = places.map((p) => p.value[d]);
      return Math.max(...middles) - Math.min(...middles) > 0.3 * range;
    });
    if (!apart) return [];
    return [{
      type: "scatter",
      data: places,
      symbolSize: 1,
      silent: true,
      tooltip: { show: false },
      itemStyle: { color: "transparent" },
      label: {
        show: true, position: "inside", formatter: (p) => p.name, color: colours.text, fontSize: 11, fontWeight: 600,
        textBorderColor: colours.surface, textBorderWidth: 3, width: 90, overflow: "truncate",
      },
      labelLayout: { hideOverlap: true },
      z: 9,
    }];
  }

  // The values of a matrix row by row, null where there is none; chart_data.cc tells how they are packed.
  function values(matrix) {
    const bytes = atob(matrix.cells);
    return Array.from({ length: bytes.length / 2 }, (_, i) => {
      const cell = bytes.charCodeAt(2 * i) + 256 * bytes.charCodeAt(2 * i + 1);
      return cell === 0xffff ? null : Number((matrix.low + cell * matrix.step).toPrecision(4));
    });
  }

  function heatmap(chart, colours, width) {
    const { rows, columns: names, min, max } = chart.matrix;
    const cells = [];
    values(chart.matrix).forEach((value, i) => {
      if (value !== null) cells.push([i % names.length, Math.floor(i / names.length), value]);
    });
    const few = names.length <= 8 && width / names.length > 55;
    const category = (data, title, extra) => ({
      type: "category", data, name: title, nameLocation: "middle", nameTextStyle: { color: colours.quiet, fontSize: 12 },
      axisLine: { show: false }, axisTick: { show: false },
      axisLabel: { color: colours.quiet, fontSize: 11, hideOverlap: true, width: 84, overflow: "truncate", interval: Math.ceil(data.length / (width < 450 ? 12 : 28)) - 1, ...extra },
    });
    return {
      xAxis: category(names, chart.x.title, { rotate: names.length > 6 ? 60 : 0 }),
      yAxis: { ...category(rows, chart.y.title), inverse: true },
      visualMap: {
        type: "continuous", min, max: max > min ? max : min + 1, orient: "horizontal", left: "center", top: 0,
        itemWidth: 12, itemHeight: Math.min(180, width / 2), align: "right", text: [number(max), number(min)],
        textStyle: { color: colours.quiet }, inRange: { color: min < 0 && max > 0 && -min > max / 4 ? DIVERGING : VIRIDIS },
      },
      series: [{
        type: "heatmap",
        data: cells,
        label: { show: few, formatter: (p) => number(p.value[2]) },
        emphasis: { itemStyle: { borderColor: colours.text, borderWidth: 1 } },
      }],
      tooltip: {
        trigger: "item",
        formatter: (p) => lines(number(p.value[2]), `${chart.y.title || "row"}: ${rows[p.value[1]]}`,
          `${chart.x.title || "column"}: ${names[p.value[0]]}`),
      },
    };
  }

  // Whether bars stand for names instead of numbers.
  function named(chart) { return chart.kind === "bar" && chart.x.ticks.length > 0; }

  function series(chart, shown, look, colours) {
    const total = shown.reduce((sum, s) => sum + s.x.length, 0);
    const parts = shown.map((s) => {
      const its = look[chart.series.indexOf(s)];
      const part = its.guide || chart.kind === "line" ? line(chart, s, its)
        : named(chart) ? columns(chart, s, its, chart.series.indexOf(s))
          : chart.kind === "bar" ? outline(chart, s, its) : dots(chart, s, its, total);
      return { ...part, name: called(s), emphasis: { disabled: total > 1000 } };
    });
    return chart.kind === "scatter" ? parts.concat(groupNames(chart, shown, colours)) : parts;
  }

  function xy(chart, shown, look, colours, printed) {
    const by_axis = chart.kind === "line" || chart.kind === "bar";
    const edge = chart.kind === "manhattan" ? { min: "dataMin", max: "dataMax" } : {};
    const x = named(chart)
      ? { ...axis({ ...chart.x, ticks: [] }, colours), type: "category", data: chart.x.ticks.map((t) => t[1]), axisLabel: { color: colours.quiet } }
      : axis(chart.x, colours, edge);
    return {
      xAxis: x,
      yAxis: axis(chart.y, colours, { scale: chart.kind === "scatter" }),
      series: series(chart, shown, look, colours),
      tooltip: {
        trigger: by_axis ? "axis" : "item",
        axisPointer: { lineStyle: { color: colours.axis }, label: { show: false } },
        formatter: (p) => {
          if (!Array.isArray(p)) return lines(p.seriesName, `${chart.x.title}: ${number(p.value[0])}`, `${chart.y.title}: ${number(p.value[1])}`);
          if (named(chart)) return lines(p[0].name, ...p.map((q) => `${q.seriesName}: ${number(q.value)}`));
          return lines(`${chart.x.title}: ${number(p[0].value[0])}`, ...p.map((q) => `${q.seriesName}: ${number(q.value[1])}`));
        },
      },
      toolbox: {
        show: !printed && !named(chart), right: 0, top: 0, itemSize: 14, iconStyle: { borderColor: colours.quiet },
        feature: {
          dataZoom: { title: { zoom: "Zoom in: drag a rectangle", back: "Undo zoom" }, filterMode: "none" },
        },
      },
    };
  }

  // Options for a chart of which `shown` are the visible series, in a plot of this width.
  function option(chart, shown, { dark, width, printed }) {
    const colours = theme(dark);
    const base = {
      animation: false,
      backgroundColor: "transparent",
      textStyle: { color: colours.text, fontFamily: "system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, Liberation Sans, sans-serif" },
      grid: { left: 10, right: 14, top: chart.kind === "heatmap" ? 44 : 34, bottom: 10, outerBoundsMode: "same", outerBoundsContain: "all" },
    };
    const own = chart.kind === "heatmap" ? heatmap(chart, colours, width) : xy(chart, shown, looks(chart, dark), colours, printed);
    Object.assign(own.tooltip, {
      confine: true, backgroundColor: colours.surface, borderColor: colours.axis, textStyle: { color: colours.text, fontSize: 13 },
    });
    return { ...base, ...own };
  }

  // Many marks are drawn as a picture: as elements of the page they would be slow. Not on paper, which does not wait
  // for a heat map that is painted over several frames.
  function renderer(chart, printed) {
    if (printed) return "svg";
    if (chart.kind === "heatmap") return chart.matrix.rows.length * chart.matrix.columns.length > SVG_CELLS ? "canvas" : "svg";
    return chart.series.reduce((sum, s) => sum + s.x.length, 0) > SVG_POINTS ? "canvas" : "svg";
  }

  return { ROLES, called, isGuide, looks, number, option, renderer, unique, values };
})();
