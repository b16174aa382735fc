"""Ids carry their bucket, say what they are, and name the same thing alike."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122

from hypothesis import given
from hypothesis import strategies as st

from ledger.ids import BUCKETS, bucket_in, bucket_of, derived_id, new_id, owner_id

buckets = st.integers(0, BUCKETS - 1)
NOW = datetime(2026, 11, 20, tzinfo=UTC)


@given(buckets)
def test_a_new_id_is_a_uuid_of_version_7_with_its_bucket(bucket: int) -> None:
    made = new_id(bucket, NOW)
    assert (made.version, made.variant, bucket_in(made)) == (7, RFC_4122, bucket)


@given(buckets, st.lists(st.text(), min_size=1))
def test_a_derived_id_is_a_uuid_of_version_8_with_its_bucket(bucket: int, parts: list[str]) -> None:
    made = derived_id(bucket, *parts)
    assert (made.version, made.variant, bucket_in(made)) == (8, RFC_4122, bucket)
    assert made == derived_id(bucket, *parts)


def test_parts_are_told_apart_wherever_they_are_cut() -> None:
    assert derived_id(0, "a", "bc") != derived_id(0, "ab", "c") != derived_id(0, "abc")


def test_new_ids_sort_by_time() -> None:
    made = [new_id(0, NOW + timedelta(milliseconds=step)) for step in range(100)]
    assert made == sorted(made)


def test_owners_spread_evenly_over_the_buckets() -> None:
    spread = Counter(bucket_in(owner_id("customer", str(number))) for number in range(25_600))
    assert len(spread) == BUCKETS
    assert max(spread.values()) < 160


def test_an_owner_is_in_the_bucket_of_its_name() -> None:
    assert bucket_in(owner_id("project", "acme")) == bucket_of("project", "acme")
