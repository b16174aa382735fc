"""Reading JSON strictly: what two readers could read in two ways is refused, with one error."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from providers.strict_json import MAX_BYTES, MalformedPayload, decode

REFUSED = {
    "nothing": b"",
    "blank": b"  ",
    "invalid UTF-8": b'{"a": "\xff"}',
    "invalid UTF-8 in a key": b'{"\xff": 1}',
    "overlong UTF-8": b'"\xc0\x80"',
    "a surrogate in UTF-8": b'"\xed\xa0\x80"',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "UTF-16 without a mark": '{"a": 1}'.encode("utf-16-le"),
    "cut short": b'{"a": ',
    "trailing text": b"{} {}",
    "trailing comma": b'{"a": 1,}',
    "single quotes": b"{'a': 1}",
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "an infinite number": b'{"a": 1e400}',
    "a leading zero": b"01",
    "21 digits": b'{"a": 123456789012345678901}',
    "21 negative digits": b'{"a": -123456789012345678901}',
    "21 digits with a fraction": b'{"a": 1234567890.12345678901}',
    "5,000 digits": b"1" * 5000,
    "a duplicate key": b'{"a": 1, "a": 2}',
    "a duplicate key deep inside": b'{"a": [{"b": {"c": 1, "d": 2, "c": 1}}]}',
    "a duplicate key written as an escape": b'{"a": 1, "\\u0061": 2}',
    "a duplicate key with colons": b'{"a:b": 1, "a:b": 2}',
    "a duplicate key hidden by escaped colons": b'{"a": 1, "a": 2, "c": "\\u003a\\u003A"}',
    "a duplicate key beside long digits": b'{"a": 1, "a": 2, "b": "' + b"0" * 30 + b'"}',
    "NUL as an escape": b'{"a": "x\\u0000"}',
    "NUL in a key": b'{"\\u0000": 1}',
    "a raw NUL": b'{"a": "\x00"}',
    "a raw line break": b'{"a": "\n"}',
    "a lone high surrogate": b'{"a": "\\ud800"}',
    "a lone low surrogate": b'{"a": "\\udc00"}',
    "a high surrogate before a letter": b'{"a": "\\ud800\\u0041"}',
    "33 levels": b"[" * 33 + b"1" + b"]" * 33,
    "5,000 levels": b"[" * 5000 + b"]" * 5000,
    "200,000 open levels": b"[" * 200_000,
    "5,000 objects": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "more than 512 KB": b'"' + b"x" * MAX_BYTES + b'"',
}


@pytest.mark.parametrize("payload", REFUSED.values(), ids=REFUSED)
def test_refused(payload: bytes) -> None:
    with pytest.raises(MalformedPayload):
        decode(payload)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 12345678901234567890}',
        '{"a": -12345678901234567890}',
        '{"id": "card_000000000000000000000000"}',
        '{"a": {"a": 1}, "b": [{"a": 2}, {"a": 3}]}',
        '{"a": "b: c", "d:": "\\"e\\": f"}',
        '{"a": "\\u003a", "b": "\\u003b", "c": "\\\\u0000"}',
        '{"emoji": "\\ud83d\\ude00", "\\u00e9": "é"}',
        "[" * 32 + "1" + "]" * 32,
        '[" ' + " " * 100 + '"]',
        "[[], {}, null, true, false, 0, -1]",
    ],
)
def test_read_like_any_reader(text: str) -> None:
    assert decode(text.encode()) == json.loads(text)


def test_a_number_with_a_fraction_is_exact() -> None:
    assert decode(b'[0.1, 1e2, 10.0, "1.0"]') == [Decimal("0.1"), 100, Decimal("10.0"), "1.0"]


_numbers = st.integers(-(10**20) + 1, 10**20 - 1)
_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_documents = st.recursive(
    st.none() | st.booleans() | _numbers | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(_documents, st.booleans(), st.sampled_from([None, 2]))
def test_every_document_of_ours_reads_back(value: object, ascii_: bool, indent: int | None) -> None:
    assert decode(json.dumps(value, ensure_ascii=ascii_, indent=indent).encode()) == value


@settings(deadline=None)
@given(st.dictionaries(_texts, _documents, min_size=1, max_size=4), st.data())
def test_a_repeated_key_is_always_found(value: dict[str, object], data: st.DataObject) -> None:
    repeated = data.draw(st.sampled_from(sorted(value)))
    pairs = [*value.items(), (repeated, data.draw(_documents))]
    ascii_ = data.draw(st.booleans())
    body = ",".join(
        f"{json.dumps(key, ensure_ascii=ascii_)}:{json.dumps(inner, ensure_ascii=ascii_)}"
        for key, inner in pairs
    )
    with pytest.raises(MalformedPayload):
        decode(f'{{"outer": [{{{body}}}]}}'.encode())


@settings(deadline=None)
@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b'"\\')
@example(b'{"\\u003')
def test_noise_gives_a_document_or_our_one_error(payload: bytes) -> None:
    with suppress(MalformedPayload):
        decode(payload)
