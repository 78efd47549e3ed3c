"""The recipes of chats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from bot.domain.recipes import MOST_RECIPES, Recipe
from bot.domain.refs import ChatRef
from storage.redis.codec import RECIPE
from storage.redis.keys import Keys


class RedisRecipeStore:
    """One hash per chat, a JSON for each recipe under its id. It lives `retention_s` from when one of them was saved or
    looked at last, and with it the list by which erasure finds whoever's words are in it."""

    def __init__(self, client: Redis, *, retention_s: int, keys: Keys | None = None) -> None:
        self._client = client
        self._retention_s = retention_s
        self._keys = keys or Keys()

    async def save(self, recipe: Recipe) -> bool:
        key = self._keys.recipes(recipe.chat)
        text: Any = await self._client.hget(key, recipe.id)
        standing = RECIPE.load(text) if text else None
        if standing is not None and standing.by.user != recipe.by.user:
            return False
        if standing is None and await self._client.hlen(key) >= MOST_RECIPES:
            return False
        # Listed first: after a crash in between there is an entry too many, which is harmless, and none too few.
        async with self._client.pipeline(transaction=False) as pipe:
            self._list(pipe, [recipe])
            await pipe.execute()
        if standing is not None:
            await self._client.hset(key, recipe.id, RECIPE.rewrite(text, recipe))
        elif not await self._client.hsetnx(key, recipe.id, RECIPE.dump(recipe)):
            return False  # somebody was quicker
        await self._renew(recipe.chat, [recipe])
        return True

    async def find(self, chat: ChatRef, id_: str) -> Recipe | None:
        text: Any = await self._client.hget(self._keys.recipes(chat), id_)
        if text is None:
            return None
        recipe = RECIPE.load(text)
        await self._renew(chat, [recipe])
        return recipe

    async def all(self, chat: ChatRef) -> Sequence[Recipe]:
        texts: Any = await self._client.hvals(self._keys.recipes(chat))
        recipes = sorted((RECIPE.load(text) for text in texts), key=lambda recipe: recipe.name.casefold())
        if recipes:
            await self._renew(chat, recipes)
        return recipes

    async def delete(self, chat: ChatRef, id_: str) -> None:
        await self._client.hdel(self._keys.recipes(chat), id_)

    async def move(self, old: ChatRef, new: ChatRef) -> None:
        texts: Any = await self._client.hgetall(self._keys.recipes(old))
        moved = {text: _in_chat(RECIPE.load(text), new) for text in texts.values()}
        if not moved:
            return
        async with self._client.pipeline(transaction=False) as pipe:
            self._list(pipe, moved.values())
            for text, recipe in moved.items():
                pipe.hsetnx(self._keys.recipes(new), recipe.id, RECIPE.rewrite(text, recipe))
            pipe.expire(self._keys.recipes(new), self._retention_s)
            pipe.delete(self._keys.recipes(old))
            await pipe.execute()
        await self._renew(new, list(moved.values()))

    def _list(self, pipe: Pipeline, recipes: Iterable[Recipe]) -> None:
        for recipe in recipes:
            for person in recipe.people:
                pipe.zadd(self._keys.user_recipes(person), {f"{recipe.chat.key} {recipe.id}": recipe.saved_at})
                pipe.expire(self._keys.user_recipes(person), self._retention_s)

    async def _renew(self, chat: ChatRef, recipes: Sequence[Recipe]) -> None:
        """All of the chat's live longer, so everybody's lists do, first of all."""
        texts: Any = await self._client.hvals(self._keys.recipes(chat))
        people = frozenset(person for text in texts for person in RECIPE.load(text).people)
        async with self._client.pipeline(transaction=False) as pipe:
            for person in people.union(*(recipe.people for recipe in recipes)):
                pipe.expire(self._keys.user_recipes(person), self._retention_s)
            pipe.expire(self._keys.recipes(chat), self._retention_s)
            await pipe.execute()


def _in_chat(recipe: Recipe, chat: ChatRef) -> Recipe:
    return Recipe(recipe.name, recipe.steps, recipe.by, chat, recipe.saved_at)
