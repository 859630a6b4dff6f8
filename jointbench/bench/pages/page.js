// What plots and tables do that no style sheet can: fit a narrow window, print whole, leave swipes to the page.
(() => {
  "use strict";
  const plots = [...document.querySelectorAll(".js-plotly-plot")];
  // Pixels: below this width a plot is narrow; between two labels; the width of a printed page's text (A4, Letter).
  const NARROW = 600, BETWEEN = 6, PRINTED = 660;
  const pen = document.createElement("canvas").getContext("2d");

  // Settings of a logarithmic axis: its ticks, labelled as far as there is room, and plotly's where none is in sight.
  function ticks(plot, name) {
    const axis = plot._fullLayout[name], own = plot.ticks[name];
    if (!own) return {};
    const inside = own.values.filter(v => Math.log10(v) >= axis.range[0] && Math.log10(v) <= axis.range[1]);
    const asDrawn = own.range.every((end, i) => Math.abs(end - axis.range[i]) < 1e-6);
    if (inside.length < 2 || !(asDrawn || inside.length < own.values.length)) return { [name + ".tickmode"]: "auto" };
    const room = axis._length / Math.abs(axis.range[1] - axis.range[0]);
    pen.font = `${axis.tickfont.size}px ${axis.tickfont.family}`;
    const fits = texts => texts.every((text, i) => {
      const next = texts.findIndex((other, j) => j > i && other);
      if (!text || next < 0) return true;
      const apart = room * (Math.log10(own.values[next]) - Math.log10(own.values[i]));
      const wide = (pen.measureText(text).width + pen.measureText(texts[next]).width) / 2;
      return apart >= BETWEEN + (name[0] === "x" ? wide : axis.tickfont.size / 2);
    });
    const leading = v => Number(v.toExponential()[0]);
    const choices = [() => true, v => leading(v) !== 2, v => leading(v) === 1, (v, i) => i % 2 === 0];
    const texts = choices.map(chosen => own.texts.map((text, i) => chosen(own.values[i], i) ? text : ""));
    return { [name + ".tickmode"]: "array", [name + ".ticktext"]: texts.find(fits) || texts[2] };
  }

  // The title of an axis: in one line, or where the plot has no room for it in two, which are about as long.
  function title(plot, name, size) {
    const axis = plot._fullLayout[name], text = plot.titles[name], words = text.split(" ");
    const across = plot._fullLayout[name[0] === "x" ? "width" : "height"];
    // It stands at the middle of the axis, not of the plot.
    const middle = axis._offset + axis._length / 2;
    pen.font = `${size}px ${axis.title.font.family}`;
    const width = line => pen.measureText(line).width;
    if (words.length < 2 || width(text) <= 2 * Math.min(middle, across - middle)) return text;
    const halves = words.slice(1).map((_, i) => [words.slice(0, i + 1).join(" "), words.slice(i + 1).join(" ")]);
    const longer = pair => Math.max(...pair.map(width));
    return halves.reduce((best, one) => longer(one) < longer(best) ? one : best).join("<br>");
  }

  function tidy(plot) {
    const narrow = plot.clientWidth < NARROW, wanted = {};
    for (const axis of ["xaxis", "yaxis"]) {
      Object.assign(wanted, ticks(plot, axis));
      const size = narrow ? 13 : 14;
      wanted[axis + ".title.font.size"] = size;
      if (plot.titles[axis]) wanted[axis + ".title.text"] = title(plot, axis, size);
    }
    wanted["legend.font.size"] = narrow ? 13 : 14;
    const now = key => key.split(".").reduce((part, step) => part && part[step], plot.layout);
    const changed = Object.entries(wanted).filter(([key, value]) => JSON.stringify(now(key)) !== JSON.stringify(value));
    if (changed.length) Plotly.relayout(plot, Object.fromEntries(changed));
  }

  for (const plot of plots) {
    plot.ticks = {};
    plot.titles = {};
    for (const name of ["xaxis", "yaxis"]) {
      const axis = plot.layout[name] || {};
      if (axis.title && axis.title.text) plot.titles[name] = axis.title.text;
      if (axis.type === "log" && axis.tickvals && axis.range)
        plot.ticks[name] = { values: axis.tickvals, texts: axis.ticktext, range: [...axis.range] };
    }
    tidy(plot);
    plot.on("plotly_relayout", () => tidy(plot));
    // A finger scrolls the page: plotly would zoom. What it makes of a tap comes as mouse events all the same.
    for (const kind of ["touchstart", "touchmove", "touchend"])
      plot.addEventListener(kind, event => event.stopPropagation(), { capture: true, passive: true });
  }

  const wide = [...document.querySelectorAll(".wide")];
  const mark = () => wide.forEach(one => one.classList.toggle("scrolls", one.scrollWidth > one.clientWidth + 1));
  mark();
  addEventListener("resize", mark);
  document.querySelectorAll("details").forEach(one => one.addEventListener("toggle", mark));

  // Plots follow the window, and paper is none.
  const resized = width => plots.map(plot => Plotly.relayout(plot, width ? { width } : { width: null, autosize: true }));
  addEventListener("beforeprint", () => resized(PRINTED));
  addEventListener("afterprint", () => resized(null));
})();
