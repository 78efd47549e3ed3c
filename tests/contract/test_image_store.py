"""What every place for pixels must keep, against a folder, a real S3 server and memory; broken ones fail."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from moto.server import ThreadedMotoServer

from bot.domain.refs import Sha256, sha256_of
from bot.ports import ImageStore
from storage.objects.shelf import StoreUnavailable, open_shelf
from storage.objects.store import ObstoreImageStore, ObstoreUploads, image_store, uploads

SAMPLES = Path(__file__).parents[2] / "adapters/web/static/samples"
CAT, COFFEE = (SAMPLES / "cat.jpg").read_bytes(), (SAMPLES / "coffee.jpg").read_bytes()
NOBODYS = sha256_of(b"nobody ever put this")


async def all_of(names: AsyncIterator[tuple[Any, float]]) -> dict[Any, float]:
    return {name: written_at async for name, written_at in names}


class ImageStoreContract:
    """Bound to an implementation by the fixture `store`."""

    @pytest.fixture
    def store(self) -> ImageStore:
        raise NotImplementedError

    async def test_what_was_put_is_got_back_byte_for_byte(self, store: ImageStore) -> None:
        assert await store.get(await store.put(CAT)) == CAT

    async def test_the_name_is_the_hash_of_the_bytes(self, store: ImageStore) -> None:
        assert await store.put(CAT) == sha256_of(CAT)

    async def test_putting_the_same_bytes_again_is_harmless(self, store: ImageStore) -> None:
        assert await store.put(CAT) == await store.put(CAT)
        assert set(await all_of(store.list())) == {sha256_of(CAT)}

    async def test_many_writers_of_the_same_bytes_do_not_disturb_each_other(self, store: ImageStore) -> None:
        assert set(await asyncio.gather(*(store.put(CAT) for _ in range(16)))) == {sha256_of(CAT)}
        assert await store.get(sha256_of(CAT)) == CAT

    async def test_what_was_never_put_is_a_key_error(self, store: ImageStore) -> None:
        with pytest.raises(KeyError):
            await store.get(NOBODYS)

    async def test_a_name_that_is_none_is_a_key_error(self, store: ImageStore) -> None:
        for name in ("", "..", "../../etc/passwd", "A" * 64, f"{NOBODYS}/"):
            with pytest.raises(KeyError):
                await store.get(Sha256(name))

    async def test_what_was_deleted_is_gone_and_the_rest_stays(self, store: ImageStore) -> None:
        cat, coffee = await store.put(CAT), await store.put(COFFEE)
        await store.delete(cat)
        with pytest.raises(KeyError):
            await store.get(cat)
        assert await store.get(coffee) == COFFEE

    async def test_deleting_what_is_not_there_is_harmless(self, store: ImageStore) -> None:
        await store.delete(NOBODYS)
        await store.delete(Sha256("../.."))

    async def test_what_was_deleted_can_be_put_again(self, store: ImageStore) -> None:
        await store.delete(await store.put(CAT))
        assert await store.get(await store.put(CAT)) == CAT

    async def test_the_list_names_everything_with_the_time_of_writing(self, store: ImageStore) -> None:
        before = time.time() - 2  # a bucket's clock counts whole seconds
        await store.put(CAT)
        await store.put(COFFEE)
        listed = await all_of(store.list())
        assert set(listed) == {sha256_of(CAT), sha256_of(COFFEE)}
        assert all(before <= written_at <= time.time() + 2 for written_at in listed.values())

    async def test_twelve_megabytes_are_no_trouble(self, store: ImageStore) -> None:
        large = os.urandom(12_000_000)
        assert await store.get(await store.put(large)) == large


class TestInAFolder(ImageStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ImageStore:
        return image_store(str(tmp_path / "pictures"))


class TestInAFolderByAddress(ImageStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ImageStore:
        return image_store(f"{(tmp_path / 'with a space').as_uri()}/")


class TestInMemory(ImageStoreContract):
    @pytest.fixture
    def store(self) -> ImageStore:
        return image_store("memory:///")


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    """A real S3 server (moto) on this machine."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """An empty bucket; the environment says how to reach it, as an operator would."""
    settings = {
        "AWS_ENDPOINT_URL": s3_endpoint,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    name = tmp_path.name.replace("_", "-")[:50].strip("-").lower() + f"-{time.time_ns()}"[-10:]
    boto3.client("s3", endpoint_url=s3_endpoint, region_name="us-east-1").create_bucket(Bucket=name)
    return f"s3://{name}/some/prefix"


class TestInABucket(ImageStoreContract):
    @pytest.fixture
    def store(self, bucket: str) -> ImageStore:
        return image_store(bucket)


async def test_two_prefixes_of_a_bucket_keep_apart(bucket: str) -> None:
    await image_store(f"{bucket}/one").put(CAT)
    assert await all_of(image_store(f"{bucket}/two").list()) == {}


# --- broken implementations: each breaks one promise, and the contract must notice


class Forgets(ObstoreImageStore):
    async def get(self, sha256: Sha256) -> bytes:
        return b""


class NamesByLength(ObstoreImageStore):
    async def put(self, data: bytes, sha256: Sha256 | None = None) -> Sha256:
        await super().put(data, sha256)
        return Sha256(f"{len(data):064x}")


class KeepsDeleted(ObstoreImageStore):
    async def delete(self, sha256: Sha256) -> None:
        pass


class ListsNothing(ObstoreImageStore):
    async def list(self) -> AsyncIterator[tuple[Sha256, float]]:  # type: ignore[override]
        for nothing in list[tuple[Sha256, float]]():
            yield nothing


class ListsWithoutTimes(ObstoreImageStore):
    async def list(self) -> AsyncIterator[tuple[Sha256, float]]:  # type: ignore[override]
        async for sha256, _ in super().list():
            yield sha256, 0.0


@pytest.mark.parametrize(
    ("broken", "promise"),
    [
        (Forgets, ImageStoreContract.test_what_was_put_is_got_back_byte_for_byte),
        (Forgets, ImageStoreContract.test_what_was_never_put_is_a_key_error),
        (NamesByLength, ImageStoreContract.test_the_name_is_the_hash_of_the_bytes),
        (KeepsDeleted, ImageStoreContract.test_what_was_deleted_is_gone_and_the_rest_stays),
        (ListsNothing, ImageStoreContract.test_the_list_names_everything_with_the_time_of_writing),
        (ListsWithoutTimes, ImageStoreContract.test_the_list_names_everything_with_the_time_of_writing),
    ],
)
async def test_the_contract_fails_a_broken_store(broken: type[ObstoreImageStore], promise: Callable[..., Any]) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await promise(ImageStoreContract(), cast(ImageStore, broken(open_shelf("memory:///"))))


# --- what only a folder can show


def only_file(folder: Path) -> Path:
    (file,) = (path for path in folder.rglob("*") if path.is_file())
    return file


def age(file: Path, hours: float) -> None:
    os.utime(file, (time.time() - hours * 3600,) * 2)


async def test_pixels_lie_under_the_first_letters_of_their_name(tmp_path: Path) -> None:
    sha256 = await image_store(str(tmp_path)).put(CAT)
    assert only_file(tmp_path) == tmp_path / sha256[:2] / sha256[2:4] / sha256


async def test_a_new_folder_is_closed_to_others(tmp_path: Path) -> None:
    image_store(str(tmp_path / "pictures"))
    assert (tmp_path / "pictures").stat().st_mode & 0o777 == 0o700


async def test_bytes_that_are_there_are_not_written_again(tmp_path: Path) -> None:
    store = image_store(str(tmp_path))
    await store.put(CAT)
    age(only_file(tmp_path), hours=11)
    before = only_file(tmp_path).stat()
    await store.put(CAT)
    assert only_file(tmp_path).stat().st_mtime_ns == before.st_mtime_ns


async def test_bytes_that_a_sweep_might_take_are_made_young_again(tmp_path: Path) -> None:
    store = image_store(str(tmp_path))
    await store.put(CAT)
    age(only_file(tmp_path), hours=13)
    sha256 = await store.put(CAT)
    assert (await all_of(store.list()))[sha256] > time.time() - 60


async def test_damaged_pixels_are_no_pixels(tmp_path: Path) -> None:
    store = image_store(str(tmp_path))
    sha256 = await store.put(CAT)
    only_file(tmp_path).write_bytes(CAT[:-1] + b"x")
    with pytest.raises(KeyError):
        await store.get(sha256)


async def test_a_file_cut_short_by_a_power_loss_is_mended_by_the_next_put(tmp_path: Path) -> None:
    store = image_store(str(tmp_path))
    sha256 = await store.put(CAT)
    only_file(tmp_path).write_bytes(b"")
    await store.put(CAT)
    assert await store.get(sha256) == CAT


async def test_half_files_of_a_killed_writer_are_swept_when_they_are_old(tmp_path: Path) -> None:
    store = image_store(str(tmp_path))
    await store.put(CAT)
    old, young = tmp_path / "ab#1", tmp_path / "cd#1"
    old.write_bytes(CAT)
    young.write_bytes(CAT)
    age(old, hours=2)
    assert set(await all_of(store.list())) == {sha256_of(CAT)}
    assert not old.exists()
    assert young.exists()


async def test_a_folder_that_cannot_be_used_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="cannot be kept"):
        image_store(str(tmp_path / "file"))


async def test_a_folder_that_takes_no_more_is_said_in_words(tmp_path: Path) -> None:
    store = image_store(str(tmp_path))
    (tmp_path / sha256_of(CAT)[:2]).write_text("in the way")
    with pytest.raises(StoreUnavailable, match="cannot be kept"):
        await store.put(CAT)


async def test_a_bucket_that_does_not_answer_is_said_in_words(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StoreUnavailable, match="Please try again"):
        await image_store(bucket).put(CAT)


async def test_a_bucket_that_is_not_there_is_said_in_words(bucket: str) -> None:
    with pytest.raises(StoreUnavailable):
        await image_store("s3://no-such-bucket-anywhere").put(CAT)
    with pytest.raises(StoreUnavailable):
        await image_store("s3://no-such-bucket-anywhere").get(sha256_of(CAT))


def test_an_unknown_kind_of_address_is_named() -> None:
    with pytest.raises(StoreUnavailable, match="cannot lie at ftp://"):
        image_store("ftp://example.org/pictures")


# --- uploads


@pytest.fixture(params=["folder", "bucket"])
def spool(request: pytest.FixtureRequest, tmp_path: Path) -> ObstoreUploads:
    return uploads(str(tmp_path / "p") if request.param == "folder" else request.getfixturevalue("bucket"))


async def test_an_upload_is_got_back_until_it_is_deleted(spool: ObstoreUploads) -> None:
    await spool.put("a-1.jpg", CAT)
    assert await spool.get("a-1.jpg") == CAT
    await spool.delete("a-1.jpg")
    await spool.delete("a-1.jpg")
    with pytest.raises(KeyError):
        await spool.get("a-1.jpg")


async def test_the_uploads_are_listed_by_handle(spool: ObstoreUploads) -> None:
    assert await all_of(spool.list()) == {}
    await spool.put("a" * 200, CAT)
    await spool.put("b..c", COFFEE)
    assert set(await all_of(spool.list())) == {"a" * 200, "b..c"}


@pytest.mark.parametrize("handle", ["", ".", "..", "../x", "a/b", "a\\b", "a" * 201, "a b", "a\n", "ü", "a%2fb", "a\0"])
async def test_a_handle_of_another_form_is_refused(spool: ObstoreUploads, handle: str) -> None:
    with pytest.raises(ValueError, match="not a handle"):
        await spool.put(handle, CAT)
    with pytest.raises(KeyError):
        await spool.get(handle)
    await spool.delete(handle)


async def test_uploads_and_images_of_one_place_keep_apart(tmp_path: Path) -> None:
    await uploads(str(tmp_path)).put(sha256_of(CAT), CAT)
    assert await all_of(image_store(str(tmp_path)).list()) == {}
    await image_store(str(tmp_path)).put(COFFEE)
    assert set(await all_of(uploads(str(tmp_path)).list())) == {sha256_of(CAT)}
