// Who came from whom. A message of the bot replies to a person's message, which may reply to a picture.

/** The pictures that an answer was made from: of what was replied to, else those that came with the words. */
export function sourcesOf(chat, answer, depth = 0) {
  const asked = chat.get(answer.reply_to);
  if (!asked) {
    chat.wonder(answer.reply_to);
    return [];
  }
  if (!asked.reply_to) return asked.images;
  const parent = chat.get(asked.reply_to);
  if (parent === undefined) chat.wonder(asked.reply_to);
  const inherited = parent && depth < 50 ? picturesOf(chat, parent, depth + 1) : [];
  return inherited.length ? inherited : asked.images;
}

/** The pictures that a reply to this message goes on from: its own, else those of what it came from. */
export function picturesOf(chat, message, depth = 0) {
  if (message.images.length) return message.images;
  if (message.author.is_bot) return sourcesOf(chat, message, depth);
  const parent = chat.get(message.reply_to);
  if (message.reply_to && parent === undefined) chat.wonder(message.reply_to);
  return parent && depth < 50 ? picturesOf(chat, parent, depth + 1) : [];
}

export const threadOf = (message) => message.turn_id?.split("-")[0] ?? null;

/** The thread that a message stands in: that of its answer, where a person wrote it. */
export function threadAround(chat, message) {
  return threadOf(message.author.is_bot ? message : chat.answerTo(message.id) ?? message);
}

/** The label's line of an answer, apart from what else it says. */
export function partsOf(message) {
  const isLabelled = message.author.is_bot && message.images.length > 0 && message.lines.length > 0;
  return isLabelled
    ? { label: message.lines[0], words: message.lines.slice(1).join("\n") }
    : { label: "", words: message.text };
}
