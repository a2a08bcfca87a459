/** Links between the pages of this repository lead to files that are there, and to headings that the page has. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const PAGES = ['.', 'bench', 'docs', 'examples', 'plugins', 'test'].flatMap((folder) =>
  readdirSync(folder, { encoding: 'utf8', recursive: folder !== '.' })
    .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
    .map((name) => normalize(join(folder, name))),
);

/** A page without its code. */
function proseOf(page: string): string {
  return readFileSync(page, 'utf8').replaceAll(/^ *```[\s\S]*?^ *```/gm, '');
}

/** What GitHub makes of a page's headings for links to them. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of proseOf(page).matchAll(/^#{1,6} (.+)$/gm)) {
    const anchor = heading!
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\-_ ]/gu, '')
      .replaceAll(' ', '-');
    let n = 0;
    while (anchors.has(n === 0 ? anchor : `${anchor}-${n}`)) n++;
    anchors.add(n === 0 ? anchor : `${anchor}-${n}`);
  }
  return anchors;
}

/** Links of a page that lead nowhere. */
function broken(page: string): string[] {
  const links = [
    ...proseOf(page)
      .replaceAll(/`[^`\n]*`/g, '')
      .matchAll(/\]\(([^)\s]+)\)/g),
  ].map(([, link]) => link!);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path, anchor] = link.split('#');
    const to = path === '' ? page : normalize(join(dirname(page), path!));
    return !existsSync(to) || (anchor !== undefined && !anchorsOf(to).has(anchor));
  });
}

describe('the pages', () => {
  it.each(PAGES)('%s: links lead somewhere', (page) => {
    expect(broken(page)).toEqual([]);
  });

  it('have links', () => {
    expect(PAGES).toContain('docs/cli.md');
    expect(anchorsOf('docs/cli.md')).toContain('logs-signals-background');
  });
});
