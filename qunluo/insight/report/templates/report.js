/* Draws the charts when they come near the screen, follows the reader's colours, folds tables. */
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const zh = data.lang === "zh";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const drawn = new Map();
  let printing = false;

  /* Numbers as people write them; the same rules as numbers.py. */
  const NOTHING = "–";
  const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  const grouped = (text) => text.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  const signed = (text) => text.replace(/^-/, "−");
  const exact = (v) => {
    const [whole, part] = trimmed(String(Number(v.toPrecision(10)))).split(".");
    return signed(grouped(whole) + (part ? "." + part : ""));
  };
  const small = (v) => {
    const size = Math.abs(v);
    if (Number.isInteger(v)) return grouped(String(v));
    if (size < 0.001) return v.toExponential(1);
    return trimmed(v.toFixed(size < 0.1 ? 4 : size < 1 ? 3 : size < 10 ? 2 : size < 100 ? 1 : 0));
  };
  const STEPS = zh
    ? [[1e8, 1e8, "\u00a0亿"], [1e4, 1e4, "\u00a0万"]]
    : [[1e9, 1e9, "B"], [1e6, 1e6, "M"], [1e4, 1e3, "k"]];
  const human = (v) => {
    if (v === null || v === undefined) return NOTHING;
    const rounded = Number(v.toPrecision(3));
    if (Math.abs(v) >= 1e4) {
      for (const [size, divisor, unit] of STEPS) {
        if (Math.abs(rounded) >= size) return exact(rounded / divisor) + unit;
      }
    }
    return signed(small(v));
  };
  const percent = (v) => {
    if (v === null || v === undefined) return NOTHING;
    const size = Math.abs(v * 100);
    if (v > 0 && v < 0.00005) return "<0.01%";
    if (v < 1 && v >= 0.995) return trimmed(Math.min(size, 99.9).toFixed(1)) + "%";
    return signed(trimmed((v * 100).toFixed(size >= 10 ? 0 : size >= 1 ? 1 : 2))) + "%";
  };
  const shown = (chart, v) => (chart.percent ? percent(v) : human(v));
  const full = (chart, v) =>
    v === null || v === undefined ? NOTHING : chart.percent ? exact(v * 100) + "%" : exact(v);
  const filled = (word, values) =>
    data.words[word].replace(/\{(\w+)\}/g, (_, name) => values[name]);

  /* Elements are made, never parsed: a name can hold any character. */
  const element = (tag, text, className) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };

  const palette = () => (dark.matches && !printing ? data.dark : data.light);
  const series = (i) => palette()["c" + ((i % 6) + 1)];
  const DASHES = ["solid", [7, 4], [2, 3], [9, 3, 2, 3], [5, 2], [12, 4]];
  const SHAPES = ["circle", "rect", "triangle", "diamond", "roundRect", "pin"];

  const tip = (chart, at) => {
    const box = element("div", undefined, "tip");
    const x = chart.x[at];
    box.append(element("b", chart.numeric ? `${chart.xName}: ${exact(x)}` : x));
    chart.series.forEach((s) => {
      if (s.y[at] === null) return;
      const parts = [`${s.name}: ${full(chart, s.y[at])}`];
      if (s.low && s.low[at] !== null) {
        parts.push(filled("interval", { low: shown(chart, s.low[at]), high: shown(chart, s.high[at]) }));
      }
      if (s.n) parts.push(filled("sample_size", { n: exact(s.n[at] ?? 0) }));
      if (s.small && s.small[at]) parts.push(data.words.few);
      parts.forEach((part) => box.append(element("span", part)));
    });
    return box;
  };

  const isSmall = (chart, s, at) => chart.few || Boolean(s.small && s.small[at]);
  const colourAt = (chart, s, i, at) => (isSmall(chart, s, at) ? palette().few : series(i));

  const marks = (chart, wide) => {
    const c = palette();
    if (!chart.marks.length) return undefined;
    return {
      silent: true, symbol: "none", animation: false,
      lineStyle: { color: c.mark, width: 1, type: [4, 3] },
      label: {
        color: c.muted, fontSize: 11, position: chart.sideways ? "start" : "insideEndTop",
        formatter: (p) => p.name, width: wide ? 260 : 170, overflow: "truncate",
      },
      data: chart.marks.map(([value, name]) =>
        chart.sideways ? { xAxis: value, name } : { yAxis: value, name }),
    };
  };

  /* Bars of one series with intervals: a thin line each, on an axis that overlays the bars. */
  const whiskers = (chart, s, i, count) => {
    const width = 0.68 / (count + 0.15 * (count - 1));
    const shift = chart.kind === "stacked" ? 0 : (i - (count - 1) / 2) * width * 1.15;
    const points = [];
    s.low.forEach((low, at) => {
      const high = s.high[at];
      if (low === null || high === null) return;
      const turn = (v) => (chart.sideways ? [v, at + shift] : [at + shift, v]);
      points.push(turn(low), turn(high), [null, null]);
    });
    const axis = chart.sideways ? { yAxisIndex: 1 } : { xAxisIndex: 1 };
    return {
      type: "line", data: points, symbol: "none", silent: true, connectNulls: false, z: 5,
      lineStyle: { color: palette().ink, width: 1.5, opacity: 0.75 }, tooltip: { show: false },
      animation: false, ...axis,
    };
  };

  const bars = (chart, wide) => {
    const stacked = chart.kind === "stacked";
    const alone = chart.series.length === 1;
    const count = stacked ? 1 : chart.series.length;
    const c = palette();
    const most = chart.series.map((s) => s.y.length).reduce((a, b) => Math.max(a, b), 0);
    const direct = alone && (chart.sideways || most <= 9) && !chart.series[0].low;
    return chart.series.flatMap((s, i) => {
      const bar = {
        type: "bar", name: s.name, stack: stacked ? "all" : undefined, barCategoryGap: "32%",
        barGap: "15%", barMinHeight: 1, barMaxWidth: alone || stacked ? 72 : undefined,
        data: s.y.map((y, at) => ({ value: y, itemStyle: { color: colourAt(chart, s, i, at) } })),
        itemStyle: {
          borderRadius: stacked ? 0 : chart.sideways ? [0, 3, 3, 0] : [3, 3, 0, 0],
          borderColor: c.surface, borderWidth: stacked ? 0.5 : 0,
        },
        label: {
          show: direct, position: chart.sideways ? "right" : "top", color: c.muted, fontSize: 11,
          formatter: (p) => shown(chart, p.value),
        },
        markLine: i === 0 ? marks(chart, wide) : undefined,
      };
      return s.low && !stacked ? [bar, whiskers(chart, s, i, count)] : [bar];
    });
  };

  const points = (chart, values) => (chart.numeric ? values.map((y, at) => [chart.x[at], y]) : values);

  const band = (chart, s, i) => {
    const step = chart.kind === "step" ? "end" : false;
    const common = {
      type: "line", stack: "band" + i, symbol: "none", silent: true, step, animation: false,
      stackStrategy: "all", lineStyle: { opacity: 0 }, tooltip: { show: false }, z: 1,
    };
    const gap = s.low.map((low, at) => (low === null || s.high[at] === null ? null : s.high[at] - low));
    return [
      { ...common, data: points(chart, s.low) },
      { ...common, data: points(chart, gap), areaStyle: { color: series(i), opacity: 0.16 } },
    ];
  };

  const lines = (chart, wide) => chart.series.flatMap((s, i) => {
    const c = palette();
    const direct = directly(chart, wide);
    const sparse = s.y.length <= 40;
    const dotted = sparse || Boolean(s.small && s.small.some(Boolean));
    const line = {
      /* A name that slides along a line with gaps has no place to be: no sliding then. */
      ...(direct ? { animation: false } : {}),
      type: "line", name: s.name, step: chart.kind === "step" ? "end" : false, z: 3,
      data: points(chart, s.y).map((value, at) => ({
        value, itemStyle: { color: colourAt(chart, s, i, at) },
        symbolSize: isSmall(chart, s, at) ? 7 : sparse ? 5 : 0,
      })),
      symbol: SHAPES[i % 6], showSymbol: dotted, showAllSymbol: dotted,
      lineStyle: { color: chart.few ? c.few : series(i), width: 2, type: DASHES[i % 6] },
      itemStyle: { color: series(i) },
      endLabel: { show: direct, formatter: () => s.name, color: c.muted, fontSize: 11, width: 92, overflow: "truncate" },
      labelLayout: { moveOverlap: "shiftY" },
      markLine: i === 0 ? marks(chart, wide) : undefined,
    };
    return s.low ? [...band(chart, s, i), line] : [line];
  });

  const scatters = (chart, wide) => chart.series.flatMap((s, i) => [{
    type: "scatter", name: s.name, symbol: SHAPES[i % 6], symbolSize: s.y.length > 400 ? 5 : 9,
    data: s.y.map((y, at) => ({
      value: [chart.x[at], y], at, itemStyle: { color: colourAt(chart, s, i, at), opacity: 0.72 },
    })).filter((point) => point.value[1] !== null && point.value[0] !== null),
    markLine: i === 0 ? marks(chart, wide) : undefined,
  }]);

  /* A log axis from the power of ten below the smallest value to the one above the largest. */
  const decades = (chart) => {
    const all = chart.series.flatMap((s) => s.y).filter((v) => v > 0);
    return { min: 10 ** Math.floor(Math.log10(Math.min(...all))), max: 10 ** Math.ceil(Math.log10(Math.max(...all))) };
  };

  /* Names stand at the ends of a few lines, where the ends are far enough apart. */
  const directly = (chart, wide) => {
    if (!wide || chart.series.length < 2 || chart.series.length > 4 || !/line|step/.test(chart.kind)) return false;
    const top = Math.max(...chart.series.flatMap((s) => s.y).filter((v) => v !== null));
    const ends = chart.series.map((s) => s.y.filter((v) => v !== null).at(-1) ?? 0).sort((a, b) => a - b);
    return ends.every((end, i) => i === 0 || end - ends[i - 1] > 0.07 * top);
  };

  /* A name in two lines at most; a Chinese character is two wide. */
  const cut = (name, width) => {
    let wide = 0;
    const kept = [...name].filter((char) => (wide += /[\u1100-\uffdc\u{1f000}-\u{3ffff}]/u.test(char) ? 2 : 1) < width);
    return kept.length < [...name].length ? kept.join("") + "…" : name;
  };

  const axes = (chart, wide) => {
    const c = palette();
    const text = { color: c.muted, fontSize: 11, hideOverlap: true };
    const name = { nameTextStyle: { color: c.muted, fontSize: 11 }, nameLocation: "middle" };
    const values = {
      type: chart.logY ? "log" : "value", axisLabel: { ...text, formatter: (v) => shown(chart, v) },
      splitLine: { lineStyle: { color: c.line, width: 1 } }, splitNumber: 4, axisLine: { show: false },
      axisTick: { show: false },
    };
    const whole = chart.series.every((s) => s.y.every((v) => v === null || Number.isInteger(v)));
    const highest = Math.max(...chart.series.flatMap((s) => s.high || s.y).filter((v) => v !== null));
    if (whole && highest >= 1 && !chart.percent && !chart.logY) values.minInterval = 1;
    const reach = Math.max(0, ...chart.marks.map(([value]) => value));
    const sums = chart.x.map((_, at) => chart.series.reduce((sum, s) => sum + (s.y[at] || 0), 0));
    const peak = chart.kind === "stacked" ? Math.max(...sums) : highest;
    if (chart.percent && peak > 0.6 && peak < 1.0001) Object.assign(values, { max: 1, interval: 0.25 });
    else if (chart.logY) Object.assign(values, decades(chart));
    else if (chart.kind === "scatter" && highest <= 1 && reach > 0 && reach < 1) values.max = 1;
    else if (reach > highest) values.max = (axis) => Math.max(axis.max, reach * 1.08);
    /* As much room as the longest name takes, in halves of a Chinese character. */
    const span = (name) => [...name].reduce((sum, char) => sum + (/[\u1100-\uffdc\u{1f000}-\u{3ffff}]/u.test(char) ? 2 : 1), 0);
    const longest = chart.sideways ? 6.4 * Math.max(...chart.x.map(span)) + 4 : 0;
    const names = {
      type: "category", data: chart.x, axisTick: { show: false }, axisLine: { lineStyle: { color: c.line } },
      axisLabel: chart.sideways
        ? { ...text, width: Math.min(wide ? 190 : 112, longest), overflow: "break", lineHeight: 13, interval: 0, formatter: (name) => cut(name, wide ? 56 : 32) }
        : { ...text, formatter: (name) => cut(name, 18) },
    };
    const measure = {
      type: chart.logX ? "log" : "value", scale: chart.kind === "scatter", axisTick: { show: false },
      axisLabel: { ...text, formatter: human }, axisLine: { lineStyle: { color: c.line } }, splitLine: { show: false },
    };
    if (chart.sideways) {
      const over = { type: "value", min: -0.5, max: chart.x.length - 0.5, show: false, inverse: true };
      return {
        xAxis: { ...values, ...name, name: chart.yName, nameGap: 26 },
        yAxis: [{ ...names, inverse: true }, over],
      };
    }
    const over = { type: "value", min: -0.5, max: chart.x.length - 0.5, show: false };
    const x = { ...(chart.numeric ? measure : names), ...name, name: chart.xName, nameGap: 26 };
    return { xAxis: chart.numeric ? x : [x, over], yAxis: values };
  };

  const option = (chart, wide) => {
    const c = palette();
    const draw = { bar: bars, stacked: bars, line: lines, step: lines, scatter: scatters }[chart.kind];
    const direct = directly(chart, wide);
    return {
      animation: !still.matches && !printing, animationDuration: 180, animationDurationUpdate: 0,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: {
        left: 4, right: direct ? 104 : chart.sideways ? (chart.series.length === 1 ? 44 : 18) : 14, bottom: 24, outerBoundsMode: "same",
        top: chart.sideways ? (chart.marks.length ? 24 : 4) : 12,
        outerBounds: { left: 2, right: 2, top: 2, bottom: 2 }, outerBoundsContain: "axisLabel",
      },
      tooltip: {
        trigger: chart.kind === "scatter" ? "item" : "axis", confine: true, transitionDuration: 0,
        backgroundColor: c.surface, borderColor: c.line, textStyle: { color: c.ink },
        axisPointer: { type: /bar|stacked/.test(chart.kind) ? "shadow" : "line", lineStyle: { color: c.mark }, shadowStyle: { color: c.mark, opacity: 0.1 } },
        formatter: (p) => {
          const one = Array.isArray(p) ? p[0] : p;
          if (!one) return "";
          return tip(chart, one.data && one.data.at !== undefined ? one.data.at : one.dataIndex);
        },
      },
      ...axes(chart, wide),
      series: draw(chart, wide),
    };
  };

  const isWide = (plot) => plot.clientWidth >= 520;

  /* A chart takes its room before it is drawn: what a reader is about to tap stays in place. */
  const place = (plot) => {
    const chart = data.charts[Number(plot.dataset.chart)];
    if (chart.sideways) {
      const row = chart.kind === "bar" ? Math.max(30, 13 * chart.series.length + 10) : 30;
      plot.style.height = `${chart.x.length * row + 74}px`;
    }
    plot.closest("figure").classList.toggle("directly", directly(chart, isWide(plot)));
  };

  const paint = (plot) => {
    const chart = data.charts[Number(plot.dataset.chart)];
    let view = drawn.get(plot);
    if (!view) {
      const many = chart.series.length * chart.x.length > 4000;
      view = echarts.init(plot, null, { renderer: many ? "canvas" : "svg" });
      drawn.set(plot, view);
    }
    place(plot);
    view.resize();
    view.setOption(option(chart, isWide(plot)), { notMerge: true });
    plot.dataset.drawn = "yes";
  };

  const repaint = () => drawn.forEach((_, plot) => paint(plot));
  const plots = [...document.querySelectorAll("[data-chart]")];
  plots.forEach(place);

  if ("IntersectionObserver" in window) {
    const near = new IntersectionObserver((entries) => entries.forEach((entry) => {
      if (!entry.isIntersecting) return;
      near.unobserve(entry.target);
      paint(entry.target);
    }), { rootMargin: "400px 0px" });
    plots.forEach((plot) => near.observe(plot));
  } else plots.forEach(paint);

  let waiting = 0;
  let lastWidth = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === lastWidth || printing) return;
    lastWidth = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(repaint, 120);
  });
  dark.addEventListener("change", repaint);

  /* Paper shows every chart in light colours, and every explanation open. */
  const opened = [];
  addEventListener("beforeprint", () => {
    printing = true;
    document.querySelectorAll("details:not([open]):not(.data)").forEach((d) => {
      d.open = true;
      opened.push(d);
    });
    plots.forEach((plot) => { plot.style.width = "640px"; paint(plot); });
  });
  addEventListener("afterprint", () => {
    printing = false;
    opened.splice(0).forEach((d) => { d.open = false; });
    plots.forEach((plot) => { plot.style.width = ""; });
    repaint();
  });

  /* The numbers behind a chart, made when somebody asks. */
  const numbersOf = (chart) => {
    const table = element("table");
    const head = table.createTHead().insertRow();
    const heads = [chart.xName, ...chart.series.map((s) => s.name)];
    heads.forEach((name, i) => {
      const th = element("th", name, i ? "number" : "");
      th.scope = "col";
      head.append(th);
    });
    const body = table.createTBody();
    chart.x.forEach((x, at) => {
      const row = body.insertRow();
      const first = element("th", chart.numeric ? exact(x) : x);
      first.scope = "row";
      row.append(first);
      chart.series.forEach((s) => {
        const range = s.low && s.low[at] !== null ? ` (${shown(chart, s.low[at])} – ${shown(chart, s.high[at])})` : "";
        const cell = element("td", shown(chart, s.y[at]) + range, "number");
        cell.title = full(chart, s.y[at]);
        row.append(cell);
      });
    });
    return table;
  };
  document.querySelectorAll("[data-numbers]").forEach((details) => {
    details.addEventListener("toggle", () => {
      if (!details.open || details.querySelector("table")) return;
      const scroll = element("div", undefined, "scroll");
      scroll.tabIndex = 0;
      scroll.append(numbersOf(data.charts[Number(details.dataset.numbers)]));
      details.append(scroll);
    });
  });

  /* Tables: sort by a heading, filter, fold after the first rows. */
  const order = new Intl.Collator(data.lang, { numeric: true });
  const sortKey = (row, at) => {
    const cell = row.cells[at];
    return cell.dataset.sort !== undefined ? cell.dataset.sort : cell.textContent.trim();
  };
  const sorted = (rows, at, down) => {
    const number = rows.every((row) => row.cells[at].textContent.trim() === NOTHING || !Number.isNaN(Number(sortKey(row, at) || NaN)));
    const compare = number
      ? (a, b) => (Number(sortKey(a, at)) || 0) - (Number(sortKey(b, at)) || 0)
      : (a, b) => order.compare(sortKey(a, at), sortKey(b, at));
    return [...rows].sort((a, b) => (down ? -1 : 1) * compare(a, b));
  };
  document.querySelectorAll("table[data-rows]").forEach((table) => {
    const body = table.tBodies[0];
    const tools = table.closest("details").querySelector(".tools");
    let folded = Boolean(tools);
    let wanted = "";
    const refresh = () => {
      let seen = 0;
      [...body.rows].forEach((row) => {
        const fits = !wanted || row.textContent.toLowerCase().includes(wanted);
        row.hidden = !fits || (folded && !wanted && seen >= data.atFirst);
        if (fits) seen += 1;
      });
      if (!tools) return;
      let none = tools.querySelector("output");
      if (!none) tools.append((none = element("output", "", "quiet")));
      none.textContent = seen ? "" : data.words.no_match;
    };
    [...table.tHead.rows[0].cells].forEach((th, at) => {
      const button = element("button", th.textContent);
      button.type = "button";
      th.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = th.getAttribute("aria-sort") ? th.getAttribute("aria-sort") === "ascending" : th.classList.contains("number");
        [...table.tHead.rows[0].cells].forEach((other) => other.removeAttribute("aria-sort"));
        th.setAttribute("aria-sort", down ? "descending" : "ascending");
        body.append(...sorted([...body.rows], at, down));
        refresh();
      });
    });
    if (tools) {
      tools.hidden = false;
      const more = tools.querySelector("[data-more]");
      const open = more.textContent;
      more.addEventListener("click", () => {
        folded = !folded;
        more.textContent = folded ? open : data.words.show_less;
        more.setAttribute("aria-expanded", String(!folded));
        refresh();
      });
      tools.querySelector("[data-filter]").addEventListener("input", (event) => {
        wanted = event.target.value.trim().toLowerCase();
        refresh();
      });
    }
    refresh();
  });

  /* The contents stand open beside the text where there is room, and follow the reader. */
  const contents = document.querySelector(".contents details");
  const roomy = matchMedia("(min-width: 1100px)");
  const settle = () => { contents.open = roomy.matches; };
  settle();
  roomy.addEventListener("change", settle);
  contents.addEventListener("click", (event) => {
    if (event.target.closest("a") && !roomy.matches) contents.open = false;
  });
  const links = new Map([...contents.querySelectorAll("ul a")].map((a) => [a.hash.slice(1), a]));
  if ("IntersectionObserver" in window) {
    const reading = new IntersectionObserver((entries) => entries.forEach((entry) => {
      const link = links.get(entry.target.id);
      if (!link || !entry.isIntersecting) return;
      links.forEach((other) => other.removeAttribute("aria-current"));
      link.setAttribute("aria-current", "true");
    }), { rootMargin: "-20% 0px -70% 0px" });
    links.forEach((_, id) => {
      const figure = document.getElementById(id);
      if (figure) reading.observe(figure);
    });
  }
})();
