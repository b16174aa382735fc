"""Lists by page: grants as an example of all."""

from __future__ import annotations

from tests.api.site import Json, Site, Tenant


def read_through(site: Site, key: str, path: str, **params: str | int) -> list[Json]:
    rows: list[Json] = []
    while True:
        page = site.get(path, key, **params).json()
        rows += page["data"]
        assert page["has_more"] == (page["next_cursor"] is not None)
        if not page["has_more"]:
            return rows
        params["cursor"] = page["next_cursor"]


def test_every_grant_is_on_one_page(site: Site, acme: Tenant) -> None:
    given = []
    for name in ("ann", "bob"):
        site.customer(acme, name)
        given += [site.grant(acme, name, "seats", value=value) for value in range(1, 6)]
    last = {name: given[at]["position"] for name, at in (("ann", 4), ("bob", 9))}
    for name, position in last.items():
        rows = read_through(
            site, acme.writer, "/admin/grants", customer=name, limit=2, min_position=position
        )
        assert [row["value"] for row in rows] == [
            row["value"] for row in sorted(rows, key=lambda row: row["id"])
        ]
        assert {row["value"] for row in rows} == {1, 2, 3, 4, 5}
    everything = read_through(site, acme.writer, "/admin/grants", limit=3)
    assert sorted(row["id"] for row in everything) == sorted(row["id"] for row in given)
    assert everything[0]["given_by"] == f"app:{acme.app}"
