// What a chat can turn off, and what it used: asked for in words, like everything else. What one says of one's own
// pictures is nobody else's business, and stands in no message.

import { byId } from "./dom.js";
import { openMenu } from "./menu.js";
import { t } from "./words.js";

const STANDINGS = [
  // TRANSLATORS: answer to "May others edit pictures that I send here?": a button, three of them side by side on a phone
  { standing: "unsaid", label: t("Ask me"), words: t("You will be asked each time.") },
  // TRANSLATORS: answer to "May others edit pictures that I send here?": a button, three of them side by side on a phone
  { standing: "here", label: t("Yes, here"), words: t("Everybody in this chat may edit the pictures that you send here.") },
  // TRANSLATORS: answer to "May others edit pictures that I send here?": a button, three of them side by side on a phone
  { standing: "never", label: t("No, never"), words: t("Nobody edits your pictures any more, here or in any other chat.") },
];

/** `own` asks for and changes what holds for one's own pictures, null where there is nobody else; `note` shows words. */
export function prepareSettings(say, own, note) {
  const button = byId("settings");
  // TRANSLATORS: two buttons, side by side
  const onOrOff = (name) => ["on", "off"].map((state) => ({ label: state === "on" ? t("On") : t("Off"), act: () => say(`/settings ${name} ${state}`) }));
  const items = [
    { heading: t("Ideas under results"), choices: onOrOff("suggestions") },
    { heading: t("Questions back"), choices: onOrOff("questions") },
    // TRANSLATORS: above two buttons, On and Off: whether what AI made has a mark drawn into the picture
    { heading: t("A mark in AI's pictures"), choices: onOrOff("mark") },
    { label: t("What was used"), note: t("Pictures and money, today and this month"), act: () => say("/usage") },
    { label: t("What can I say?"), note: t("Help, in a few lines"), act: () => say("/help") },
  ];
  button.onclick = async () => {
    const mine = own ? [await pictures(own, note)] : [];
    openMenu(button, t("Settings of this chat"), [...mine, ...items]);
  };
}

async function pictures(own, note) {
  const now = await own.standing().then((told) => told.standing, () => null);
  const change = (standing, words) => own.stand(standing).then(() => note(words), (refused) => note(refused.message));
  const choices = STANDINGS.map(({ standing, label, words }) => ({ label, isOn: standing === now, act: () => change(standing, words) }));
  return { heading: t("May others edit pictures that I send here?"), isTall: true, choices };
}
