// Pictures that are hidden until they are opened, wherever they would be seen.

const hidden = new Set(); // their hashes
const opened = new Set();

/** Remember which pictures of a message are to be hidden. */
export function veil(message) {
  if (message.spoiler) message.images.forEach(({ sha256 }) => hidden.add(sha256));
}

export const isVeiled = ({ sha256 }) => hidden.has(sha256) && !opened.has(sha256);

/** Open the pictures of a message, for as long as the page stands. Whether any was hidden. */
export function unveil(message) {
  const found = message.images.filter(isVeiled);
  found.forEach(({ sha256 }) => opened.add(sha256));
  return found.length > 0;
}
