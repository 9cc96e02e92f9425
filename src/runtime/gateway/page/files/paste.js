"use strict";

/** Parses lines of products and quantities that were copied from a spreadsheet or a message. */
const Paste = (() => {
  /** A number as people write it: `2`, `2.5`, `2,5`, `1 000`. */
  const NUMBER = /^\d{1,9}(?:[ \u00a0\u202f]\d{3})*(?:[.,]\d{1,3})?$/;

  /** Returns a quantity in the form of a quote, or null. */
  function quantity(text) {
    const trimmed = text.trim();
    return NUMBER.test(trimmed) ? trimmed.replaceAll(/[ \u00a0\u202f]/g, "").replace(",", ".") : null;
  }

  /** Splits a line at tabs or semicolons, else at its last comma or space if a number follows. */
  function cells(line) {
    for (const separator of ["\t", ";"]) {
      if (line.includes(separator)) return line.split(separator).map(unquoted);
    }
    const [, product, number] = /^(.*?)(?:\s*,\s*|\s+[x×*]?\s*)(\d+(?:\.\d+)?)$/.exec(line) ?? [null, line, null];
    return number === null ? [unquoted(product)] : [unquoted(product), number];
  }

  function unquoted(cell) {
    const trimmed = cell.trim();
    return /^".*"$/s.test(trimmed) ? trimmed.slice(1, -1).replaceAll('""', '"') : trimmed;
  }

  /** Whether a text has several lines or cells, so that it is not a search. */
  function isLines(text) {
    return /[\n\t]/.test(text.trim());
  }

  /**
   * Parses the lines of a text. The first cell names the product. The last cell that is a number is the
   * quantity; without one it is 1. A first line without a number is a header if other lines have one.
   */
  function read(text) {
    const rows = text.split(/\r\n|\r|\n/).map((line) => line.trim()).filter((line) => line !== "").map(cells);
    const lines = rows.map(([product, ...rest]) => ({ product, quantity: rest.map(quantity).findLast((one) => one !== null) ?? null }));
    const isHeading = lines.length > 1 && lines[0].quantity === null && rows[0].length > 1 && lines.slice(1).some((line) => line.quantity !== null);
    return lines.slice(isHeading ? 1 : 0).map((line) => ({ ...line, quantity: line.quantity ?? "1" }));
  }

  /** Adds two quantities exactly. */
  function sum(one, other) {
    const thousandths = (text) => {
      const [whole, rest = ""] = text.split(".");
      return BigInt(whole + rest.padEnd(3, "0"));
    };
    const all = (thousandths(one) + thousandths(other)).toString().padStart(4, "0");
    return `${all.slice(0, -3)}.${all.slice(-3)}`.replace(/\.?0+$/, "");
  }

  return { isLines, read, sum };
})();
