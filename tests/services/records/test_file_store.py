"""Bytes of attachments, kept by their content."""

import hashlib
from io import BytesIO
from pathlib import Path

import pytest

from admin_app.errors import InvalidInput, NotFound, TooLarge
from admin_app.services.records.file_store import CHUNK_BYTES, FileStore

CONTENT = b"hello, desk"


def files_in(store: FileStore) -> list[str]:
    return sorted(str(path.relative_to(store.folder)) for path in store.folder.rglob("*") if path.is_file())


class TestPut:
    def test_stores_the_bytes_under_the_hash_of_their_content(self, store: FileStore) -> None:
        stored = store.put(BytesIO(CONTENT))
        digest = hashlib.sha256(CONTENT).hexdigest()
        assert (stored.key, stored.size, stored.sha256) == (f"{digest[:2]}/{digest}", len(CONTENT), digest)
        assert (store.folder / stored.key).read_bytes() == CONTENT

    def test_the_same_content_takes_space_once(self, store: FileStore) -> None:
        first, second = store.put(BytesIO(CONTENT)), store.put(BytesIO(CONTENT))
        assert first == second
        assert files_in(store) == [first.key]

    def test_reads_from_the_beginning_whoever_read_before(self, store: FileStore) -> None:
        content = BytesIO(CONTENT)
        content.read()
        assert store.put(content).size == len(CONTENT)

    def test_content_of_many_chunks_arrives_whole(self, store: FileStore) -> None:
        content = bytes(range(256)) * (2 * CHUNK_BYTES // 256) + b"end"
        assert store.path_of(store.put(BytesIO(content)).key).read_bytes() == content

    def test_exactly_the_limit_is_accepted(self, store: FileStore) -> None:
        assert store.put(BytesIO(b"x" * store.limit)).size == store.limit

    def test_one_byte_over_the_limit_is_refused_and_leaves_no_file(self, store: FileStore) -> None:
        with pytest.raises(TooLarge, match=r"A file may have at most 1 MB\."):
            store.put(BytesIO(b"x" * (store.limit + 1)))
        assert files_in(store) == []

    def test_an_empty_file_is_refused_and_leaves_no_file(self, store: FileStore) -> None:
        with pytest.raises(InvalidInput) as caught:
            store.put(BytesIO(b""))
        assert caught.value.fields == {"file": "This file is empty."}
        assert files_in(store) == []


class TestPathOf:
    def test_says_where_the_bytes_are(self, store: FileStore) -> None:
        key = store.put(BytesIO(CONTENT)).key
        assert store.path_of(key).read_bytes() == CONTENT

    @pytest.mark.parametrize("key", ["../secret.txt", "ab/../../secret.txt", "", ".", "ab/missing"])
    def test_nothing_outside_the_folder_and_nothing_missing_is_found(self, store: FileStore, key: str) -> None:
        store.put(BytesIO(CONTENT))
        (store.folder.parent / "secret.txt").write_text("secret")
        with pytest.raises(NotFound):
            store.path_of(key)

    def test_an_absolute_path_is_not_found(self, store: FileStore, tmp_path: Path) -> None:
        secret = tmp_path / "secret.txt"
        secret.write_text("secret")
        with pytest.raises(NotFound):
            store.path_of(str(secret))

    def test_a_link_that_leads_outside_is_not_found(self, store: FileStore, tmp_path: Path) -> None:
        store.put(BytesIO(CONTENT))
        (tmp_path / "secret.txt").write_text("secret")
        (store.folder / "link").symlink_to(tmp_path / "secret.txt")
        with pytest.raises(NotFound):
            store.path_of("link")


class TestHas:
    def test_says_whether_the_bytes_are_there(self, store: FileStore) -> None:
        key = store.put(BytesIO(CONTENT)).key
        assert (store.has(key), store.has("aa/none")) == (True, False)


class TestRemove:
    def test_removes_these_bytes_and_no_others(self, store: FileStore) -> None:
        removed, kept = store.put(BytesIO(b"one")), store.put(BytesIO(b"two"))
        store.remove([removed.key])
        assert files_in(store) == [kept.key]

    def test_bytes_that_are_gone_already_are_fine(self, store: FileStore) -> None:
        key = store.put(BytesIO(CONTENT)).key
        store.remove([key, key])
        assert files_in(store) == []
