"""The fake keyring passes the tests that the keyring library has for real ones."""

import keyring
from keyring.testing.backend import BackendBasicTests

from tests.fakes.keyring_fake import MemoryKeyring


class TestMemoryKeyring(BackendBasicTests):
    def init_keyring(self) -> MemoryKeyring:
        return MemoryKeyring()


def test_the_fake_is_in_the_place_of_the_real_one(memory_keyring: MemoryKeyring) -> None:
    keyring.set_password("watchbell", "ana", "wb_1")

    assert memory_keyring.secrets == {("watchbell", "ana"): "wb_1"}
