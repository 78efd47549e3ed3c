// What a chat can turn off, and what it used: asked for in words, like everything else.

import { byId } from "./dom.js";
import { openMenu } from "./menu.js";

export function prepareSettings(say) {
  const button = byId("settings");
  const onOrOff = (name) => ["on", "off"].map((state) => ({ label: state === "on" ? "On" : "Off", act: () => say(`/settings ${name} ${state}`) }));
  const items = [
    { heading: "Ideas under results", choices: onOrOff("suggestions") },
    { heading: "Questions back", choices: onOrOff("questions") },
    { label: "What was used", note: "Pictures and money, today and this month", act: () => say("/usage") },
    { label: "What can I say?", note: "Help, in a few lines", act: () => say("/help") },
  ];
  button.onclick = () => openMenu(button, "Settings of this chat", items);
}
