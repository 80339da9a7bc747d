"use strict";
// Sorting and filtering for those who have script; the page is complete without it.
(() => {
  const value = (row, column, kind) => {
    const cell = row.cells[column];
    const key = cell.dataset.key ?? cell.textContent.trim();
    if (kind !== "number") return key.toLocaleLowerCase();
    return key === "" ? Number.NEGATIVE_INFINITY : Number(key);
  };
  const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b));

  const sort = (table, head, kind) => {
    const column = head.cellIndex;
    const turned = head.getAttribute("aria-sort") === (kind === "number" ? "descending" : "ascending");
    const way = (kind === "number") === turned ? 1 : -1;
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [value(row, column, kind), row]);
    rows.sort((a, b) => way * compare(a[0], b[0]));
    for (const [, row] of rows) body.append(row);
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
  };

  const sortable = (table) => {
    for (const head of table.tHead.rows[0].cells) {
      const kind = head.dataset.sort;
      if (!kind) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(table, head, kind));
      head.append(button);
    }
  };

  const filterable = (table) => {
    const tools = document.createElement("div");
    const label = document.createElement("label");
    const input = document.createElement("input");
    const told = document.createElement("span");
    tools.className = "tools";
    input.type = "search";
    input.autocomplete = "off";
    label.append("Filter ", input);
    told.setAttribute("role", "status");
    tools.append(label, told);
    table.before(tools);
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLocaleLowerCase();
      const rows = [...table.tBodies[0].rows];
      for (const row of rows) row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted);
      const shown = rows.filter((row) => !row.hidden).length;
      told.textContent = wanted ? `${shown} of ${rows.length} rows` : "";
    });
  };

  for (const table of document.querySelectorAll("table.sortable")) sortable(table);
  for (const table of document.querySelectorAll("table.filterable")) filterable(table);
})();
