// What the page says, in the language that the browser asks for. English stands where it is said, in `t("…")`; here it
// is replaced by what `words.json` has for it. All other modules wait for this one, so nothing is painted in two languages.

const PATIENCE_MS = 1000; // then the page goes on in English

const { language, words } = await fetch("/words.json", { signal: AbortSignal.timeout(PATIENCE_MS) })
  .then((response) => (response.ok ? response.json() : Promise.reject(response.status)))
  .catch(() => ({ language: "en", words: {} }));

/** Some browsers name languages in ways that `Intl` does not take: “en-US@posix”. */
function isKnown(tag) {
  try {
    return Intl.getCanonicalLocales(tag).length > 0;
  } catch {
    return false;
  }
}

/** For `Intl`: the region that the browser names with this language, if any. */
export const locale = navigator.languages?.find((tag) => tag.split("-")[0] === language.split("-")[0] && isKnown(tag)) ?? language;

const known = new Map(Object.entries(words));
const rules = new Intl.PluralRules(locale);
const ordinals = new Intl.PluralRules("en", { type: "ordinal" });
const names = new Intl.ListFormat(locale, { type: "conjunction" });
const numbers = new Intl.NumberFormat(locale);
const shares = new Intl.NumberFormat(locale, { style: "percent" });

const filled = (text, values) => text.replace(/\{(\w+)\}/g, (braces, name) => (Object.hasOwn(values, name) ? String(values[name]) : braces));

/** The sentence in the page's language, with `values` in its braces. They are text, and so is what comes out. */
export const t = (english, values = {}) => filled(known.get(english) ?? english, values);

/** The same in the form that goes with a number, which is put in for `{count}`. */
export function tn(one, many, count, values = {}) {
  const forms = known.get(one) ?? { one, other: many };
  return filled(forms[rules.select(count)] ?? forms.other, { count: numbers.format(count), ...values });
}

/** The nodes of a sentence in which `{name}` is one of them. */
export function around(sentence, name, node) {
  const [before, after = ""] = sentence.split(`{${name}}`);
  return [before, node, after];
}

export const listed = (some) => names.format(some);
export const percent = (share) => shares.format(share);

/** “2nd”. Other languages have the number in a sentence of their own. */
export function place(number) {
  if (!language.startsWith("en")) return numbers.format(number);
  return `${number}${{ one: "st", two: "nd", few: "rd", other: "th" }[ordinals.select(number)]}`;
}

document.documentElement.lang = language;
for (const node of document.querySelectorAll("[data-words]")) {
  const marked = node.dataset.words.split(" ").filter(Boolean);
  for (const name of marked) if (name !== "text") node.setAttribute(name, t(node.getAttribute(name)));
  if (!marked.length || marked.includes("text")) node.textContent = t(node.textContent.trim().replace(/\s+/g, " "));
}
