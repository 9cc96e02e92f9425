"use strict";

/** Getting something out of the page: onto the clipboard, or into a file. */
const Share = (() => {
  const { say } = Text;

  /** Copies a text; says what it was. */
  async function copy(text, what) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Browsers have no clipboard for pages that come over plain HTTP from elsewhere.
      const box = Text.element("textarea", { readonly: "", class: "unseen", "aria-hidden": "true" });
      box.value = text;
      document.body.append(box);
      box.select();
      const isCopied = document.execCommand("copy");
      box.remove();
      if (!isCopied) return say(`${what} could not be copied`);
    }
    return say(`${what} copied`);
  }

  /** Saves something under a name. */
  function save(content, type, name) {
    const url = URL.createObjectURL(new Blob([content], { type }));
    const link = Text.element("a", { href: url, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    // The browser has begun to read it by then.
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    say(`${name} saved`);
  }

  /** A text as a part of the name of a file. */
  function fileName(text) {
    return text.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 60) || "file";
  }

  return { copy, save, fileName };
})();
