"use strict";

/** Copies content of the page to the clipboard, or saves it to a file. */
const Share = (() => {
  const { say } = Text;

  /** Copies a text, and announces what it was. Returns what it announced. */
  async function copy(text, what) {
    let isCopied = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Browsers offer no clipboard to pages that were loaded over plain HTTP from another machine.
      const box = Text.element("textarea", { readonly: "", class: "unseen", "aria-hidden": "true" });
      box.value = text;
      document.body.append(box);
      box.select();
      isCopied = document.execCommand("copy");
      box.remove();
    }
    const told = `${what} ${isCopied ? "copied" : "could not be copied"}`;
    say(told);
    return told;
  }

  /** Saves content under a name. */
  function save(content, type, name) {
    const url = URL.createObjectURL(new Blob([content], { type }));
    const link = Text.element("a", { href: url, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    // By then the browser has begun to read it.
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    say(`${name} saved`);
  }

  /** Turns a text into a part of a file name. */
  function fileName(text) {
    return text.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 60) || "file";
  }

  return { copy, save, fileName };
})();
