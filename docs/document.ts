/** A document that becomes a page in Markdown and a manual page in roff, man(7). Its text may contain `code` and [links](target). */

export type Section = { title: string; parts: Part[]; subsections?: Section[] };

/** A paragraph; a table of terms and meanings; or a console session. */
export type Part = { kind: "text"; text: string } | { kind: "table"; rows: Row[] } | { kind: "console"; lines: string };
export type Row = [term: string, meaning: string];

export function text(paragraph: string): Part {
  return { kind: "text", text: paragraph };
}

export function table(rows: Row[]): Part {
  return { kind: "table", rows };
}

export function typed(lines: string): Part {
  return { kind: "console", lines };
}

export function asMarkdown(sections: Section[], level = 2): string {
  return sections
    .map(({ title, parts, subsections = [] }) => {
      const rest = subsections.length === 0 ? [] : [asMarkdown(subsections, level + 1)];
      return [`${"#".repeat(level)} ${title}\n`, ...parts.map(partAsMarkdown), ...rest].join("\n");
    })
    .join("\n");
}

function partAsMarkdown(part: Part): string {
  switch (part.kind) {
    case "text":
      return `${wrapped(part.text)}\n`;
    case "table":
      return `${[["", ""], ["---", "---"], ...part.rows].map(rowAsMarkdown).join("\n")}\n`;
    case "console":
      return `\`\`\`console\n${part.lines}\n\`\`\`\n`;
  }
}

function rowAsMarkdown(row: string[]): string {
  return `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

const maxColumns = 140;

/** Splits a paragraph into lines, at blanks. */
function wrapped(paragraph: string): string {
  const lines: string[] = [];
  for (const word of paragraph.split(" ")) {
    const longer = `${lines.at(-1) ?? ""} ${word}`;
    if (lines.length > 0 && longer.length <= maxColumns) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.join("\n");
}

export function asRoff(sections: Section[], macro: ".SH" | ".SS" = ".SH"): string {
  return sections
    .map(({ title, parts, subsections = [] }) => {
      const heading = macro === ".SH" ? escaped(title.toUpperCase()) : inRoff(title);
      return [`${macro} "${heading}"\n`, ...parts.map(partAsRoff), asRoff(subsections, ".SS")].join("");
    })
    .join("");
}

function partAsRoff(part: Part): string {
  switch (part.kind) {
    case "text":
      return `.PP\n${line(part.text)}`;
    case "table":
      return part.rows.map(([term, meaning]) => `.TP\n${line(term)}${line(meaning)}`).join("");
    case "console":
      return `.PP\n.RS 4\n.EX\n${part.lines
        .split("\n")
        .map((each) => line(each, { isCode: true }))
        .join("")}.EE\n.RE\n`;
  }
}

/** A line that begins with a dot or an apostrophe would be a request. */
function line(text: string, { isCode = false } = {}): string {
  const roff = isCode ? escaped(text) : inRoff(text);
  return `${/^[.']/.test(roff) ? "\\&" : ""}${roff}\n`;
}

/** Code is bold; a link is replaced by its text. */
function inRoff(text: string): string {
  return text
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .split("`")
    .map((piece, index) => (index % 2 === 0 ? escaped(piece) : `\\fB${escaped(piece)}\\fR`))
    .join("");
}

const names: Record<string, string> = { "\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq" };

/** Literally: roff would print typographic characters, which cannot be pasted into a shell. */
function escaped(text: string): string {
  return text.replaceAll(
    /[\\'`^~"-]|\P{ASCII}/gu,
    (character) => names[character] ?? `\\[u${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}]`,
  );
}
