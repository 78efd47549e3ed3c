"""The commands that people find behind “/”, in their language, by where they are and what they may."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from adapters.telegram.ports import Json, Me, Telegram, TelegramStore

_EVERYWHERE: Final = (
    "imagine",
    "story",
    "variations",
    "explain",
    "tree",
    "compare",
    "arena",
    "leaderboard",
    "share",
    "unshare",
    "presets",
    "recipe",
    "recipes",
    "cast",
    "taste",
    "mine",
    "withdraw",
    "help",
    "usage",
    "settings",
    "cancel",
    "forget",
)
_SCOPES: Final = {
    "all_private_chats": _EVERYWHERE,
    "all_group_chats": ("edit", *_EVERYWHERE),
    "all_chat_administrators": ("edit", *_EVERYWHERE, "allow", "deny"),
}
"""By `BotCommandScope.type`."""

_WORDS: Final = {
    "": {
        "edit": "Change the picture that you reply to",
        "imagine": "Draw a picture from your words",
        "story": "Tell a story in pictures",
        "variations": "Make several takes at once",
        "explain": "Explain something with a picture",
        "tree": "See how this picture grew (reply to it)",
        "compare": "Before and after, or two of the tree",
        "arena": "Two results to vote on, blind (reply to a picture)",
        "leaderboard": "Which models won the votes",
        "share": "Make a link to your picture (reply to it)",
        "unshare": "End the links to a picture (reply to it)",
        "presets": "Looks to choose from with one tap",
        "recipe": "Keep what led to a picture (save NAME), or do it again",
        "recipes": "What this chat has kept to do again",
        "cast": "Give somebody in a picture a name (save NAME)",
        "taste": "What you want of all your pictures",
        "mine": "What you have said of your own pictures",
        "withdraw": "Take your picture back, with all that grew from it",
        "help": "What I can do",
        "usage": "What was used today",
        "settings": "Who may edit your pictures, and what holds here",
        "cancel": "Stop what is being made for you",
        "forget": "Erase everything that I keep of you",
        "allow": "Let somebody use me here (reply to them)",
        "deny": "Keep somebody from using me here (reply to them)",
    },
    "zh": {
        "edit": "修改您回复的图片",
        "imagine": "用文字画一张图",
        "story": "用多张图讲一个故事",
        "variations": "一次给出几个版本",
        "explain": "用图来解释",
        "tree": "看看这张图是怎么来的（回复它）",
        "compare": "前后对比，或对比其中两张",
        "arena": "两个结果盲选投票（回复图片）",
        "leaderboard": "哪个模型赢得投票",
        "share": "为您的图片生成链接（回复它）",
        "unshare": "停用图片的链接（回复它）",
        "presets": "一键选择的风格",
        "recipe": "保存得到此图的步骤（save 名称）或再做一次",
        "recipes": "本聊天保存的步骤",
        "cast": "给图中的人或物起名（save 名称）",
        "taste": "您对所有图片的要求",
        "mine": "您对自己图片的选择",
        "withdraw": "收回您的图片及由它产生的一切",
        "help": "我能做什么",
        "usage": "今天用了多少",
        "settings": "谁可以修改您的图片，以及这里的设置",
        "cancel": "停止正在为您制作的图片",
        "forget": "删除我保存的关于您的一切",
        "allow": "允许某人在这里使用我（回复其消息）",
        "deny": "不让某人在这里使用我（回复其消息）",
    },
    "ja": {
        "edit": "返信した画像を編集します",
        "imagine": "言葉から絵を描きます",
        "story": "絵で物語を語ります",
        "variations": "いくつかの案を一度に作ります",
        "explain": "絵で説明します",
        "tree": "この画像がどう育ったかを見る（返信）",
        "compare": "前と後、または木の中の二枚を並べる",
        "arena": "二つの結果を伏せて投票（画像に返信）",
        "leaderboard": "どのモデルが投票で勝ったか",
        "share": "自分の画像のリンクを作る（返信）",
        "unshare": "画像のリンクを無効にする（返信）",
        "presets": "ワンタップで選べるスタイル",
        "recipe": "手順を保存（save 名前）、またはもう一度",
        "recipes": "このチャットに保存された手順",
        "cast": "画像の誰かに名前を付ける（save 名前）",
        "taste": "すべての画像への希望",
        "mine": "自分の画像について決めたこと",
        "withdraw": "自分の画像とそこから育ったものを取り下げる",
        "help": "できること",
        "usage": "今日の使用量",
        "settings": "あなたの画像を編集できる人と、ここでの設定",
        "cancel": "作成中のものを止めます",
        "forget": "あなたについて保存しているものをすべて消します",
        "allow": "ここで使えるようにします（その人に返信）",
        "deny": "ここで使えないようにします（その人に返信）",
    },
    "es": {
        "edit": "Cambiar la imagen a la que respondes",
        "imagine": "Dibujar una imagen con tus palabras",
        "story": "Contar una historia en imágenes",
        "variations": "Hacer varias versiones a la vez",
        "explain": "Explicar algo con una imagen",
        "tree": "Ver cómo creció esta imagen (respóndele)",
        "compare": "Antes y después, o dos del árbol",
        "arena": "Dos resultados para votar a ciegas (responde a una imagen)",
        "leaderboard": "Qué modelos ganaron las votaciones",
        "share": "Crear un enlace a tu imagen (respóndele)",
        "unshare": "Anular los enlaces de una imagen",
        "presets": "Estilos para elegir con un toque",
        "recipe": "Guardar los pasos (save NOMBRE) o repetirlos",
        "recipes": "Lo que este chat ha guardado",
        "cast": "Dar nombre a quien está en una imagen (save NOMBRE)",
        "taste": "Lo que quieres de todas tus imágenes",
        "mine": "Lo que has dicho de tus imágenes",
        "withdraw": "Retirar tu imagen y todo lo que nació de ella",
        "help": "Qué puedo hacer",
        "usage": "Lo que se ha usado hoy",
        "settings": "Quién puede editar tus imágenes y qué vale aquí",
        "cancel": "Parar lo que se está haciendo para ti",
        "forget": "Borrar todo lo que guardo de ti",
        "allow": "Dejar que alguien me use aquí (respóndele)",
        "deny": "No dejar que alguien me use aquí (respóndele)",
    },
    "de": {
        "edit": "Das Bild ändern, auf das du antwortest",
        "imagine": "Ein Bild nach deinen Worten zeichnen",
        "story": "Eine Geschichte in Bildern erzählen",
        "variations": "Mehrere Fassungen auf einmal machen",
        "explain": "Etwas mit einem Bild erklären",
        "tree": "Sehen, wie dieses Bild entstand (als Antwort)",
        "compare": "Vorher und nachher, oder zwei aus dem Baum",
        "arena": "Zwei Ergebnisse, blind abgestimmt (auf ein Bild antworten)",
        "leaderboard": "Welche Modelle die Abstimmungen gewonnen haben",
        "share": "Einen Link zu deinem Bild machen (antworte darauf)",
        "unshare": "Die Links zu einem Bild beenden",
        "presets": "Stile zum Antippen",
        "recipe": "Die Schritte behalten (save NAME) oder wiederholen",
        "recipes": "Was dieser Chat behalten hat",
        "cast": "Wem auf einem Bild einen Namen geben (save NAME)",
        "taste": "Was du bei allen Bildern willst",
        "mine": "Was du über deine Bilder gesagt hast",
        "withdraw": "Dein Bild zurücknehmen, mit allem, was daraus entstand",
        "help": "Was ich kann",
        "usage": "Was heute verbraucht wurde",
        "settings": "Wer deine Bilder ändern darf, und was hier gilt",
        "cancel": "Anhalten, was gerade für dich entsteht",
        "forget": "Alles löschen, was ich von dir habe",
        "allow": "Jemanden mich hier nutzen lassen (als Antwort)",
        "deny": "Jemanden mich hier nicht nutzen lassen (als Antwort)",
    },
    "uk": {
        "edit": "Змінити зображення, на яке ви відповідаєте",
        "imagine": "Намалювати зображення за вашими словами",
        "story": "Розповісти історію в картинках",
        "variations": "Зробити кілька варіантів одразу",
        "explain": "Пояснити щось малюнком",
        "tree": "Побачити, як росло це зображення (відповіддю)",
        "compare": "До і після, або два з дерева",
        "arena": "Два результати для сліпого голосування (у відповідь на зображення)",
        "leaderboard": "Які моделі перемогли в голосуваннях",
        "share": "Зробити посилання на ваше зображення (у відповідь)",
        "unshare": "Скасувати посилання на зображення",
        "presets": "Стилі на вибір одним дотиком",
        "recipe": "Зберегти кроки (save НАЗВА) або повторити",
        "recipes": "Що зберіг цей чат",
        "cast": "Дати ім'я комусь на зображенні (save ІМ'Я)",
        "taste": "Чого ви хочете від усіх зображень",
        "mine": "Що ви сказали про свої зображення",
        "withdraw": "Відкликати своє зображення з усім, що з нього виросло",
        "help": "Що я вмію",
        "usage": "Скільки використано сьогодні",
        "settings": "Хто може редагувати ваші зображення і що діє тут",
        "cancel": "Зупинити те, що для вас робиться",
        "forget": "Стерти все, що я зберігаю про вас",
        "allow": "Дозволити комусь користуватися мною тут (відповіддю)",
        "deny": "Не дозволяти комусь користуватися мною тут (відповіддю)",
    },
}
"""By language (ISO 639-1); empty for whoever speaks none of the others. At most 256 characters each (Bot API, 2026-11).
"""


def menus() -> list[dict[str, Any]]:
    """The arguments of each `setMyCommands`."""
    return [
        {
            "scope": {"type": scope},
            "language_code": language,
            "commands": [{"command": name, "description": words[name]} for name in names],
        }
        for scope, names in _SCOPES.items()
        for language, words in _WORDS.items()
    ]


def digest_of(wanted: list[dict[str, Any]]) -> str:
    """Changes when they do."""
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()


async def set_menus(telegram: Telegram, store: TelegramStore, me: Me) -> None:
    """Once for each change of them. Raises the errors of `adapters.telegram.errors`."""
    wanted = menus()
    name, digest = f"menus:{me.id}", digest_of(wanted)
    if await store.noted(name) == digest:
        return
    for each in wanted:
        arguments: Json = each
        await telegram.call("setMyCommands", arguments)
    await store.note(name, digest)
