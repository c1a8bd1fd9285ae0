import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'vite';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

/** A message that the source asks for, by its English text; of one with a count, the text for several. */
export interface Message {
  text: string;
  /** The text for one, of a message with a count. */
  one?: string;
}

/** What is found in a file: its messages, and the words in it that no catalogue can reach. */
export interface Found {
  messages: Message[];
  untold: string[];
}

interface Node {
  type: string;
  [key: string]: unknown;
}

/** The functions that say something, each with the places of its texts among its arguments. */
const SAYING: Record<string, number[]> = { t: [0], rich: [0], tn: [1, 2] };
/** Attributes that a person gets to see or hear. */
const TELLING = /^(aria-(label|description|roledescription|placeholder|valuetext)|title|placeholder|alt|label|fallback)$/;
/** Names that are the same in all languages. */
const NAMES = ['Blipstream', 'Natural Earth', 'world-atlas', 'GeoNames', 'CC BY 4.0', 'Redis'];
/** Prose: a word that begins a sentence, or one word after another. A single small word may as well be an identifier. */
const PROSE = /^\p{Lu}\p{Ll}+|\p{L}{2,}[,;:]? \p{L}+/u;
/** What looks like prose and is none: selectors and media queries. */
const MACHINE = /^([.(]|button, a\[href\]|input:not)/;
const LETTERS = /\p{L}/u;

/** Reads every file of the program. */
export function scanAll(): (Found & { name: string })[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.startsWith('gen') && !name.includes('.test.'))
    .map((name) => ({ name, ...scan(name, readFileSync(join(SRC, name), 'utf8')) }));
}

/** Reads one file. Beyond the components, prose is for whoever reads the log. */
export function scan(name: string, source: string): Found {
  const { program, errors } = parseSync(name, source);
  if (errors.length > 0) throw new Error(`messages: parse ${name}: ${errors[0]!.message}`);
  const scanner = new Scanner(/^ui\b/.test(name));
  scanner.visit(program as unknown as Node);
  return scanner;
}

class Scanner implements Found {
  readonly messages: Message[] = [];
  readonly untold: string[] = [];

  constructor(private readonly isShown: boolean) {}

  visit(node: Node): void {
    if (node.type === 'CallExpression' && this.#call(node)) return;
    if (node.type === 'JSXText') this.#judge(String(node.value).trim(), LETTERS);
    if (node.type === 'JSXAttribute') return this.#attribute(node);
    if (node.type === 'JSXExpressionContainer') this.#shown(node.expression as Node);
    if (isSilent(node)) return;
    if (this.isShown) for (const text of textsOf(node)) this.#judge(text, PROSE);
    for (const child of childrenOf(node)) this.visit(child);
  }

  /** True if the call says something; what it puts into the places of its text is looked at by itself. */
  #call({ callee, arguments: given }: Node): boolean {
    const places = SAYING[String((callee as Node).name)];
    const values = given as Node[];
    if (!places) return false;
    const texts = places.map((place) => options(values[place]));
    if (texts.some((each) => each.length === 0)) this.untold.push(`${(callee as Node).name}() of what is no text`);
    else if (places.length === 2) this.messages.push({ one: texts[0]![0]!, text: texts[1]![0]! });
    else this.messages.push(...texts[0]!.map((text) => ({ text })));
    values.filter((_, i) => !places.includes(i)).forEach((value) => this.visit(value));
    return true;
  }

  /** What a person sees or hears must come from a message, however short it is; other attributes are for machines. */
  #attribute({ name, value }: Node): void {
    const expression = ((value as Node | null)?.expression ?? value) as Node | null;
    if (!expression) return;
    if (TELLING.test(String((name as Node).name))) for (const text of results(expression)) this.#judge(text, LETTERS);
    // Also in others something may be said, in a handler.
    if ((value as Node).type === 'JSXExpressionContainer' && !isText(expression)) this.visit(expression);
  }

  /** The same of what an expression between tags comes to. */
  #shown(expression: Node): void {
    for (const text of results(expression)) this.#judge(text, LETTERS);
  }

  #judge(text: string, suspicious: RegExp): void {
    const rest = NAMES.reduce((left, name) => left.replace(name, ''), text);
    if (suspicious.test(rest) && !MACHINE.test(text) && !this.untold.includes(text)) this.untold.push(text);
  }
}

/** Where texts are no prose: imports, types, comparisons, names of fields, errors for the log. */
function isSilent(node: Node): boolean {
  if (node.type === 'BinaryExpression') return ['===', '!=='].includes(String(node.operator));
  if (node.type === 'NewExpression') return /Error$/.test(String((node.callee as Node).name));
  return Boolean(node.source) || /^TS(?!AsExpression|NonNull|Satisfies)/.test(node.type);
}

/** The texts that an expression may come to, without those that it only computes with. */
function results(node: Node): string[] {
  if (node.type === 'ConditionalExpression') return [...results(node.consequent as Node), ...results(node.alternate as Node)];
  if (node.type === 'LogicalExpression' || node.operator === '+') return [...results(node.left as Node), ...results(node.right as Node)];
  return textsOf(node);
}

function options(node: Node | undefined): string[] {
  return node && (isText(node) || node.type === 'ConditionalExpression') ? results(node) : [];
}

function textsOf(node: Node): string[] {
  if (node.type === 'Literal' && typeof node.value === 'string') return [node.value];
  if (node.type !== 'TemplateLiteral') return [];
  return (node.quasis as { value: { cooked: string } }[]).map(({ value }) => value.cooked);
}

function isText(node: Node): boolean {
  return node.type === 'Literal' || node.type === 'TemplateLiteral';
}

function childrenOf(node: Node): Node[] {
  const skipped = node.type === 'Property' && !node.computed ? ['key'] : [];
  return Object.entries(node)
    .filter(([key]) => !skipped.includes(key))
    .flatMap(([, value]) => (Array.isArray(value) ? value : [value]))
    .filter((value): value is Node => typeof (value as Node | null)?.type === 'string');
}
