// Figures and tables of the page as files, made in the browser: no network is asked.
(() => {
  const slug = (text) => text.trim().toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");

  // A name from the heading above, numbered where several stand below one.
  const names = (elements) => {
    const headings = [...document.querySelectorAll("h1, h2")], counts = {};
    return elements.map((element) => {
      const above = headings.filter((h) => h.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING);
      const name = slug(above.length ? above[above.length - 1].textContent : document.title);
      counts[name] = (counts[name] || 0) + 1;
      return counts[name] > 1 ? name + "-" + counts[name] : name;
    });
  };

  const save = (name, address) => {
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
  };

  const figures = async (format) => {
    const plots = [...document.querySelectorAll(".js-plotly-plot")], called = names(plots);
    for (const [index, plot] of plots.entries()) {
      const layout = { ...plot.layout, paper_bgcolor: "white", plot_bgcolor: "white", width: 960, autosize: false };
      const size = { format, width: 960, height: plot.layout.height, scale: format === "png" ? 3 : 1 };
      save(called[index] + "." + format, await Plotly.toImage({ data: plot.data, layout }, size));
    }
  };

  const cells = (row) => [...row.cells].map((cell) => cell.textContent.trim());
  const quoted = (cell) => (/[",\n]/.test(cell) ? '"' + cell.replace(/"/g, '""') + '"' : cell);
  const csv = (table) => [...table.rows].map((row) => cells(row).map(quoted).join(",")).join("\n") + "\n";

  const special = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" };
  const escaped = (cell) => cell.replace(/[\\~^&%#_{}\u0024]/g, (c) => special[c] || "\\" + c);
  const latex = (table) => {
    const lines = [...table.rows].map((row) => cells(row).map(escaped).join(" & ") + " \\\\");
    const columns = "l" + (table.classList.contains("words") ? "l" : "r").repeat(table.rows[0].cells.length - 1);
    const body = ["\\toprule", lines[0], "\\midrule", ...lines.slice(1), "\\bottomrule"];
    return ["\\begin{tabular}{" + columns + "}", ...body, "\\end{tabular}", ""].join("\n");
  };

  const tables = (write, ending) => {
    const found = [...document.querySelectorAll("table")], called = names(found);
    found.forEach((table, index) => {
      save(called[index] + ending, "data:text/plain;charset=utf-8," + encodeURIComponent(write(table)));
    });
  };

  const actions = {
    "figures as SVG": () => figures("svg"),
    "figures as PNG": () => figures("png"),
    "tables as CSV": () => tables(csv, ".csv"),
    "tables as LaTeX": () => tables(latex, ".tex"),
    "page as PDF": () => window.print(),
  };
  const menu = document.querySelector(".download div");
  for (const [words, action] of Object.entries(actions)) {
    const button = document.createElement("button");
    button.textContent = words;
    button.addEventListener("click", action);
    menu.append(button);
  }
})();
