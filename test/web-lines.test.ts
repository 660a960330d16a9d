import { strict as assert } from "node:assert";
import { test } from "node:test";
import fc from "fast-check";
import { beforeBytes, behindBytes, type Line, type OutputPiece, pageBytes, pageOf } from "../web/output/lines.ts";
import { Styler } from "../web/output/styles.ts";

/** How the web page splits output into lines and reads styles, without a browser. */

const kinds = [
  "\n",
  "\r\n",
  "é",
  "😀",
  "x".repeat(100),
  "y".repeat(7000),
  "z\n".repeat(300),
  "50 %\r".repeat(4000),
  "\u001b[31m",
  "w".repeat(40_000),
  "ab\n",
];
const texts = fc.array(
  fc.record({
    text: fc.constantFrom(...kinds),
    step: fc.integer({ min: 1, max: 3 }),
    stream: fc.constantFrom("stdout" as const, "stderr" as const),
  }),
  { maxLength: 60 },
);

test("pages read one by one, with their surroundings, give the same lines as the whole output, and every byte is in one line", () => {
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 70_000 }), (written, pieceBytes) => {
      const pieces = piecesOf(written, pieceBytes);
      const endBytes = endOf(pieces);
      const lines: Line[] = [];
      for (let number = 0; number * pageBytes < endBytes; number += 1) {
        const start = number * pageBytes;
        lines.push(
          ...pageOf(number, within(pieces, Math.max(0, start - beforeBytes), start + pageBytes + behindBytes), {
            isWhole: true,
            style: null,
          }).lines,
        );
      }
      assert.equal(lines[0]?.offsetBytes ?? 0, 0);
      assert.equal(lines.at(-1)?.endBytes ?? 0, endBytes);
      for (const [index, line] of lines.entries()) {
        const next = lines[index + 1];
        if (next !== undefined) assert.equal(next.offsetBytes, line.endBytes);
        assert.ok(line.endBytes - line.offsetBytes <= 2 * 8192 + 4, "no line is too long");
      }
      const whole = Buffer.concat(pieces.map((piece) => (piece.kind === "output" ? piece.bytes : Buffer.alloc(0))));
      for (const { offsetBytes, endBytes: end } of lines) {
        const text = whole.subarray(offsetBytes, end);
        assert.ok(text.indexOf(10) === -1 || text.indexOf(10) === text.length - 1, "a line feed ends a line");
        assert.equal(
          (whole[offsetBytes] ?? 0) & 0xc0,
          (whole[offsetBytes] ?? 0) & 0x80 ? 0xc0 : (whole[offsetBytes] ?? 0) & 0xc0,
          "no character is split",
        );
      }
      assert.deepEqual(
        lines.filter(({ isStepStart }) => isStepStart).map(({ step }) => step),
        stepsOf(written),
      );
    }),
    { numRuns: 200 },
  );
});

test("the streams within a line are distinguished, and so is a step that begins within a line", () => {
  const pieces = piecesOf(
    [
      { text: "out ", step: 1, stream: "stdout" },
      { text: "err ", step: 1, stream: "stderr" },
      { text: "out again", step: 1, stream: "stdout" },
      { text: "two\n", step: 2, stream: "stdout" },
    ],
    1000,
  );
  const [one, two] = pageOf(0, pieces, { isWhole: true, style: null }).lines;
  assert.deepEqual(
    one?.runs.map(({ text, isStderr }) => [text, isStderr]),
    [
      ["out ", false],
      ["err ", true],
      ["out again", false],
    ],
  );
  assert.deepEqual(
    [one?.hasStderr, one?.step, two?.isStepStart, two?.step, two?.runs.map(({ text }) => text)],
    [true, 1, true, 2, ["two"]],
  );
});

test("bytes that could not be stored are reported at the line in which they are missing", () => {
  const pieces: OutputPiece[] = [
    ...piecesOf([{ text: "a\nb", step: 1, stream: "stdout" }], 100),
    { kind: "lost", offsetBytes: 3, lostBytes: 7 },
  ];
  assert.deepEqual(
    pageOf(0, pieces, { isWhole: true, style: null }).lines.map(({ lostBytes }) => lostBytes),
    [0, 7],
  );
});

const looks: [string, string, unknown][] = [
  ["plain text", "plain", [["plain", null]]],
  [
    "a colour",
    "\u001b[31mred\u001b[0m not",
    [
      ["red", "palette 1"],
      [" not", null],
    ],
  ],
  ["a bright one", "\u001b[94mblue", [["blue", "palette 12"]]],
  ["one of 256", "\u001b[38;5;196mred", [["red", "rgb 255 0 0"]]],
  ["one of 16 million, with colons", "\u001b[38:2::1:2:3mdark", [["dark", "rgb 1 2 3"]]],
  ["bold and underlined", "\u001b[1;4mboth", [["both", "bold underline"]]],
  [
    "cursor moves, titles, links and questions to the terminal do nothing",
    "a\u001b[2Jb\u001b[10;10Hc\u001b]0;title\u0007d\u001b]8;;http://evil.test\u001b\\e\u001b]8;;\u001b\\f\u001b[6n\u001b[?1049hg\u001bc\u001bP1$r\u001b\\h",
    [["abcdefgh", null]],
  ],
  ["a string without an end hides nothing", "a\u001b]0;all the rest", [["a0;all the rest", null]]],
  ["a sequence without an end hides nothing", "a\u001b[31", [["a[31", null]]],
  ["HTML is text", "<img src=x onerror=alert(1)>&amp;", [["<img src=x onerror=alert(1)>&amp;", null]]],
  ["a line written over and over is what it was last", "10 %\r50 %\r100 %\r\n", [["100 %", null]]],
  ["controls are shown as what they are", "a\u0000b\u0007", [["a␀b␇", null]]],
  ["a backspace takes back what was before it", "|\b/\b-\bdone", [["done", null]]],
];

for (const [title, line, expected] of looks) {
  test(`of a line is shown: ${title}`, () => {
    const runs = new Styler().runsOf(line, { isStderr: false });
    const shown = runs.map(({ text, style }) => {
      if (style === null) return [text, null];
      const colour =
        style.foreground === null
          ? []
          : [style.foreground.kind === "palette" ? `palette ${style.foreground.number}` : `rgb ${style.foreground.rgb.join(" ")}`];
      return [text, [...colour, ...style.decorations].join(" ")];
    });
    assert.deepEqual(
      shown.reduce<[string, unknown][]>((merged, [text, look]) => {
        const last = merged.at(-1);
        if (last !== undefined && last[1] === look) last[0] += text;
        else merged.push([String(text), look]);
        return merged;
      }, []),
      expected,
    );
  });
}

test("a style continues over lines until it is reset", () => {
  const styler = new Styler();
  styler.runsOf("\u001b[32mgreen\n", { isStderr: false });
  assert.deepEqual(styler.runsOf("still\n", { isStderr: false })[0]?.style?.foreground, { kind: "palette", number: 2 });
});

type Written = { text: string; step: number; stream: "stdout" | "stderr" };

/** Pieces as the service sends them: of one step and stream, and without split characters. */
function piecesOf(written: Written[], pieceBytes: number): OutputPiece[] {
  let offsetBytes = 0;
  return written.flatMap(({ text, step, stream }) => {
    const bytes = Buffer.from(text);
    const pieces: OutputPiece[] = [];
    for (let at = 0; at < bytes.length;) {
      let end = Math.min(bytes.length, at + pieceBytes);
      while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end += 1;
      pieces.push({ kind: "output", offsetBytes: offsetBytes + at, time: null, step, stream, bytes: bytes.subarray(at, end) });
      at = end;
    }
    offsetBytes += bytes.length;
    return pieces;
  });
}

function endOf(pieces: OutputPiece[]): number {
  return pieces.reduce((end, piece) => Math.max(end, piece.offsetBytes + (piece.kind === "output" ? piece.bytes.length : 0)), 0);
}

function within(pieces: OutputPiece[], fromBytes: number, toBytes: number): OutputPiece[] {
  return pieces.flatMap((piece): OutputPiece[] => {
    if (piece.kind !== "output") return [piece];
    const bytes = piece.bytes.subarray(Math.max(0, fromBytes - piece.offsetBytes), Math.max(0, toBytes - piece.offsetBytes));
    return bytes.length === 0 ? [] : [{ ...piece, offsetBytes: Math.max(piece.offsetBytes, fromBytes), bytes }];
  });
}

function stepsOf(written: Written[]): number[] {
  return written.map(({ step }) => step).filter((step, index, all) => step !== all[index - 1]);
}
