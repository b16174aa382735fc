"""Projects, apps and keys: made once, rotated with an overlap, revoked for ever."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from ledger import project
from ledger.errors import AlreadyExists, Ended, InvalidInput, NotFound
from ledger.events.base import Decided
from ledger.events.project import (
    ApiKeyIssued,
    ApiKeyRetired,
    ApiKeyRevoked,
    AppRegistered,
    ProjectCreated,
    ProviderAccountConnected,
    Scope,
)
from ledger.facts import ProviderAccount
from tests.given import When, day, given, on

ACCOUNT = ProviderAccount("stripe", "acct_1", livemode=True)
ACME, OTHER = project.project_id("acme"), project.project_id("other")
CREATED = on(0, ProjectCreated(slug="acme", name="Acme"))
APP = on(0, AppRegistered(name="web"))
ISSUED = on(0, ApiKeyIssued(key_id="k1", secret_hash="h1", scope=Scope.WRITE))


def test_a_project_is_created_once() -> None:
    def creates(*history: Decided) -> When[project.Project | None]:
        return given(project.evolve_project, *history).when(
            lambda state: project.create_project(state, slug="acme", name="Acme", now=day(0))
        )

    creates().then(CREATED)
    creates(CREATED).refused(AlreadyExists, reference="acme")


@pytest.mark.parametrize("slug", ["", "-a", "a-", "A", "ä", "a b", "a" * 64, "a/b"])
def test_a_slug_is_short_plain_and_lower_case(slug: str) -> None:
    with pytest.raises(InvalidInput):
        project.check_slug(slug)


@pytest.mark.parametrize("slug", ["a", "a1", "my-app-2", "a" * 63])
def test_good_slugs(slug: str) -> None:
    assert project.check_slug(slug) == slug


def test_an_app_joins_once() -> None:
    def registers(*history: Decided) -> When[project.App | None]:
        return given(project.evolve_app, *history).when(
            lambda state: project.register_app(state, name="web", now=day(0))
        )

    registers().then(APP)
    registers(APP).refused(AlreadyExists)


def rotates(at: float, *history: Decided) -> When[project.App | None]:
    def decide(state: project.App | None) -> tuple[Decided, ...]:
        assert state is not None
        return project.rotate_key(
            state,
            old="k1",
            key_id="k2",
            secret_hash="h2",
            overlap=timedelta(days=1),
            now=day(at),
        )

    return given(project.evolve_app, APP, *history).when(decide)


def revokes(at: int, *history: Decided) -> When[project.App | None]:
    def decide(state: project.App | None) -> tuple[Decided, ...]:
        assert state is not None
        return project.revoke_key(state, key_id="k1", reason="leaked", now=day(at))

    return given(project.evolve_app, APP, *history).when(decide)


def test_a_rotated_key_lives_on_for_the_overlap_beside_its_successor() -> None:
    successor = on(5, ApiKeyIssued(key_id="k2", secret_hash="h2", scope=Scope.WRITE))
    rotates(5, ISSUED).then(successor, on(5, ApiKeyRetired(key_id="k1", until=day(6))))


def test_rotating_again_never_lengthens_a_keys_life() -> None:
    retired = on(4, ApiKeyRetired(key_id="k1", until=day(5)))
    successor = on(4.5, ApiKeyIssued(key_id="k2", secret_hash="h2", scope=Scope.WRITE))
    rotates(4.5, ISSUED, retired).then(
        successor,
        on(4.5, ApiKeyRetired(key_id="k1", until=day(5))),
    )


def test_a_revoked_key_is_dead_for_ever() -> None:
    revoked = on(3, ApiKeyRevoked(key_id="k1", reason="leaked"))
    revokes(3, ISSUED).then(revoked)
    revokes(4, ISSUED, revoked).refused(Ended)
    rotates(4, ISSUED, revoked).refused(Ended)


def test_a_retired_key_may_still_be_revoked_until_it_is_gone() -> None:
    retired = on(1, ApiKeyRetired(key_id="k1", until=day(5)))
    revokes(3, ISSUED, retired).then(on(3, ApiKeyRevoked(key_id="k1", reason="leaked")))
    revokes(5, ISSUED, retired).refused(Ended)


def test_an_unknown_key_is_not_found() -> None:
    revokes(1).refused(NotFound)


def test_an_account_has_one_home() -> None:
    connected = on(
        0,
        ProviderAccountConnected(provider="stripe", account="acct_1", livemode=True, home=ACME),
    )

    def connects(home: UUID, *history: Decided) -> When[UUID | None]:
        return given(project.evolve_account, *history).when(
            lambda state: project.connect_account(state, account=ACCOUNT, home=home, now=day(0))
        )

    connects(ACME).then(connected)
    connects(ACME, connected).then()
    connects(OTHER, connected).refused(AlreadyExists)


def test_live_and_test_never_share_a_name() -> None:
    test_side = ProviderAccount("stripe", "acct_1", livemode=False)
    assert project.account_stream(ACCOUNT) != project.account_stream(test_side)
    assert project.link_stream(ACCOUNT, "cus_1") != project.link_stream(test_side, "cus_1")
