"use strict";

/** Lines of product and quantity, as they are copied from a spreadsheet or a message. */
const Paste = (() => {
  /** A number as people write one: `2`, `2.5`, `2,5`, `1 000`. */
  const NUMBER = /^\d{1,9}(?:[ \u00a0\u202f]\d{3})*(?:[.,]\d{1,3})?$/;

  /** A quantity as a quote wants it, or null. */
  function quantity(text) {
    const trimmed = text.trim();
    return NUMBER.test(trimmed) ? trimmed.replaceAll(/[ \u00a0\u202f]/g, "").replace(",", ".") : null;
  }

  /** The cells of a line: by tabs or semicolons; else by its last comma or space, if a number follows. */
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

  /** Whether a text is more than something to be searched for. */
  function isLines(text) {
    return /[\n\t]/.test(text.trim());
  }

  /**
   * The lines of a text. The first cell names the product; the quantity is in the last cell that is a
   * number, and 1 without one. A first line without any number, where others have one, is a heading.
   */
  function read(text) {
    const rows = text.split(/\r\n|\r|\n/).map((line) => line.trim()).filter((line) => line !== "").map(cells);
    const lines = rows.map(([product, ...rest]) => ({ product, quantity: rest.map(quantity).findLast((one) => one !== null) ?? null }));
    const isHeading = lines.length > 1 && lines[0].quantity === null && rows[0].length > 1 && lines.slice(1).some((line) => line.quantity !== null);
    return lines.slice(isHeading ? 1 : 0).map((line) => ({ ...line, quantity: line.quantity ?? "1" }));
  }

  /** The sum of two quantities, exactly. */
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
