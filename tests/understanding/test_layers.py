"""The encoder's layers run by hand, and the tuned ones beside them."""

import io
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from router.readers.work import Remembering
from router.understanding.encoder import (
    Floats32,
    ModelUnavailable,
    SentenceEncoder,
    Tells,
    open_encoder,
)
from router.understanding.layers import Words
from router.understanding.model import Model, open_model, shipped
from router.understanding.tuned import open_tuned

TEXTS = ("退款什么时候到账", "where is my parcel", "", "说好的赠品呢", "好的", "x" * 290)


@cache
def encoder() -> SentenceEncoder:
    return open_encoder()


def test_vectors_are_those_of_the_package() -> None:
    rows, told = encoder().encode_beside(TEXTS, open_tuned(), first=2)
    np.testing.assert_allclose(rows, encoder().encode(TEXTS), atol=1e-5)
    assert len(told) == 2


def test_no_sentence_sees_its_neighbour() -> None:
    together = encoder().encode_beside(TEXTS, open_tuned(), first=len(TEXTS))[1]
    alone = [encoder().encode_beside([text], open_tuned(), first=1)[1][0] for text in TEXTS]
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_tuned_layers_hear_what_words_alone_do_not_say() -> None:
    complaints = ["你们客服是录音机吧", "it says next day. it's Thursday. I ordered on Friday."]
    ordinary = ["请问有没有灰色的", "does it come in walnut?"]
    told = encoder().encode_beside([*complaints, *ordinary], open_tuned(), first=4)[1][:, 0]
    assert min(told[:2]) > max(told[2:]) + 2


def test_without_tuned_layers_there_is_no_reader(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="tuned layers cannot be read"):
        open_tuned(tmp_path)
    for name in ("tuned.npz", "tuned.sha256"):
        (tmp_path / name).write_bytes(shipped().joinpath(name).read_bytes())
    assert open_tuned(tmp_path).digest == open_tuned().digest
    with (tmp_path / "tuned.npz").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelUnavailable, match="has the hash"):
        open_tuned(tmp_path)


def test_weights_trained_beside_other_layers_are_refused() -> None:
    with np.load(io.BytesIO(shipped().joinpath("reader.npz").read_bytes())) as held:
        arrays = {name: held[name] for name in held.files}
    assert Model(arrays, open_tuned()).name == open_model().name
    with pytest.raises(ValueError, match="other tuned layers"):
        Model({**arrays, "tuned": np.array("0" * 64)}, open_tuned())


class Counting:
    """An encoder that counts the texts it is given."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def encode(self, texts: Sequence[str]) -> Floats32:
        self.given += texts
        return np.ones((len(texts), 1), dtype=np.float32)

    def encode_beside(
        self, texts: Sequence[str], tells: Tells, *, first: int
    ) -> tuple[Floats32, Floats32]:
        return self.encode(texts), np.ones((first, 1), dtype=np.float32)


def test_what_was_read_is_not_embedded_again() -> None:
    def silent(words: Words, packaged: Mapping[str, Floats32]) -> Floats32:
        raise AssertionError(words, packaged)

    counting = Counting()
    remembering = Remembering(counting)
    remembering.encode_beside(["one", "two"], silent, first=1)
    remembering.encode(["two", "one", "three"])
    assert counting.given == ["one", "two", "three"]
