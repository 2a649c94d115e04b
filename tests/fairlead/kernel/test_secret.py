"""Secrets are read from where they are kept, by their owner alone."""

from pathlib import Path

import pytest

from fairlead.kernel import read_secret

CANARY = "canary-of-a-secret"


def kept(folder: Path, text: str = CANARY, mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_variable_of_the_environment(tmp_path: Path) -> None:
    assert read_secret("env:HOOK", tmp_path, {"HOOK": CANARY}).reveal() == CANARY


def test_a_file_of_its_owner(tmp_path: Path) -> None:
    path = kept(tmp_path, f" {CANARY}\n")

    assert read_secret("file:secret", tmp_path, {}).reveal() == CANARY
    assert read_secret(f"file:{path}", Path("elsewhere"), {}).reveal() == CANARY


@pytest.mark.parametrize("env", [{}, {"HOOK": ""}])
def test_a_variable_that_is_not_set(tmp_path: Path, env: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="the environment variable HOOK is not set"):
        read_secret("env:HOOK", tmp_path, env)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_may_read(tmp_path: Path, mode: int) -> None:
    kept(tmp_path, mode=mode)

    with pytest.raises(ValueError, match="can be read by others; chmod 600 it") as raised:
        read_secret("file:secret", tmp_path, {})
    assert CANARY not in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        read_secret("file:secret", tmp_path, {})


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    kept(tmp_path).write_bytes(b"\xff\xfe")

    with pytest.raises(ValueError, match="cannot be read"):
        read_secret("file:secret", tmp_path, {})


def test_an_empty_file(tmp_path: Path) -> None:
    kept(tmp_path, "\n")

    with pytest.raises(ValueError, match="is empty"):
        read_secret("file:secret", tmp_path, {})
