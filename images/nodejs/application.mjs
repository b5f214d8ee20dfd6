/** Finds what a site's folder asks to be started. Its files are read, never run. */
import fs from 'node:fs';
import path from 'node:path';

/** What is started where package.json names nothing. */
const FILES = ['server', 'app', 'index', 'main'].flatMap((name) => ['js', 'mjs', 'cjs'].map((end) => `${name}.${end}`));

/** Arguments that stand for themselves: no shell has to read such a script. */
const PLAIN = /^node( [A-Za-z0-9_./=:@,-]+)+$/;

/** What only a person can mend; the text says what. */
export class Fault extends Error {}

/**
 * Returns { name, argv } of the application in root, or undefined while there is none. script is the one of package.json
 * that starts it.
 */
export function find(root, script) {
  const about = description(root);
  const line = about.scripts?.[script];
  if (PLAIN.test(line)) return { name: line, argv: [process.execPath, ...line.split(' ').slice(1)] };
  if (typeof line === 'string') return { name: `npm run ${script}`, argv: ['npm', 'run', '--silent', script] };
  const file = [about.main, ...FILES].find((name) => typeof name === 'string' && isFile(path.join(root, name)));
  return file && { name: file, argv: [process.execPath, file] };
}

/** Says what find looks for. */
export function lookedFor(root, script) {
  return `Looked for in ${root}: package.json with a script "${script}" or with "main", or one of ${FILES.filter((f) => f.endsWith('.js')).join(', ')}.`;
}

/** Returns package.json, {} when there is none. */
export function description(root) {
  let text;
  try {
    text = fs.readFileSync(path.join(root, 'package.json'), 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return {};
    throw new Fault(`package.json can't be read: ${error.message}`);
  }
  try {
    return JSON.parse(text) ?? {};
  } catch (error) {
    throw new Fault(`package.json is no JSON: ${error.message}`);
  }
}

export function isFile(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}
