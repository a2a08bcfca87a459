/** Rows as aligned columns, the last of which is wrapped. */
export function columns(rows: readonly (readonly string[])[], width: number, indent = '  '): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: Math.max(0, count - 1) }, (_, i) =>
    Math.max(...rows.map((row) => row[i]?.length ?? 0)),
  );
  const left = indent.length + widths.reduce((sum, w) => sum + w + 2, 0);
  return rows.flatMap((row) => {
    const head = widths.map((w, i) => (row[i] ?? '').padEnd(w + 2)).join('');
    const [first = '', ...rest] = wrap(row[count - 1] ?? '', Math.max(24, width - left));
    return [`${indent}${head}${first}`.trimEnd(), ...rest.map((line) => ' '.repeat(left) + line)];
  });
}

/** At least one line. */
function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const last = lines[lines.length - 1]!;
    if (last === '') lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
