"""One holder at a time; the seat is free the moment its holder is gone, however it went."""

from __future__ import annotations

import psycopg

from workers.leadership import Leadership

_SEAT = 4711


def test_the_second_waits_until_the_first_leaves(database_url: str) -> None:
    with Leadership(database_url, _SEAT) as first, Leadership(database_url, _SEAT) as second:
        assert first.held()
        assert not second.held()
        assert first.held(), "asking again does not lose it"
        first.leave()
        assert second.held()
        assert not first.held()


def test_seats_do_not_meet(database_url: str) -> None:
    with Leadership(database_url, _SEAT) as one, Leadership(database_url, _SEAT + 1) as other:
        assert one.held()
        assert other.held()


def test_a_holder_whose_session_broke_has_lost_it(
    database_url: str, owner_database_url: str
) -> None:
    with Leadership(database_url, _SEAT) as first, Leadership(database_url, _SEAT) as second:
        assert first.held()
        with psycopg.connect(owner_database_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks "
                "WHERE locktype = 'advisory' AND objid = %s",
                [_SEAT],
            )
        assert second.held()
        assert not first.held()
