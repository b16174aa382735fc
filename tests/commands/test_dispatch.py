"""Keys, conflicts and metadata are the same for every command."""

from __future__ import annotations

from uuid import UUID

import pytest

from commands.base import Caller, Command
from commands.customer import RegisterCustomer
from commands.dispatch import HANDLERS, Dispatcher
from commands.project import ConnectAccount, CreateProject, IssueKey, RegisterApp
from ledger.errors import AlreadyExists, InvalidInput, KeyReused, NotFound, VersionConflict
from ledger.events.project import Scope
from ledger.ids import owner_id
from ledger.store.event_log import Append, Receipt
from ledger.store.memory_log import MemoryLog
from tests.commands.world import ACCOUNT, ACME, CALLER, World


@pytest.fixture
def world() -> World:
    return World().with_acme()


def subclasses(parent: type[Command]) -> set[type[Command]]:
    found = set(parent.__subclasses__())
    return found.union(*(subclasses(child) for child in found)) if found else found


def test_every_command_has_its_handler() -> None:
    concrete = {command for command in subclasses(Command) if not command.__subclasses__()}
    assert concrete == set(HANDLERS)


def test_the_same_key_and_input_gets_the_same_receipt(world: World) -> None:
    command = RegisterCustomer(project=ACME, external_id="ann", key="k1")
    first = world.do(command)
    again = world.do(command)
    assert not first.replayed
    assert again == Receipt(
        bucket=first.bucket, position=first.position, ids=first.ids, replayed=True
    )


def test_the_same_key_with_another_input_is_refused(world: World) -> None:
    world.do(RegisterCustomer(project=ACME, external_id="ann", key="k1"))
    with pytest.raises(KeyReused):
        world.do(RegisterCustomer(project=ACME, external_id="bob", key="k1"))


def test_keys_of_two_projects_do_not_meet(world: World) -> None:
    receipt = world.do(CreateProject(slug="other", name="Other"))
    world.do(RegisterCustomer(project=ACME, external_id="ann", key="k1"))
    world.do(RegisterCustomer(project=UUID(receipt.ids["project"]), external_id="bob", key="k1"))


def test_without_a_key_the_decider_alone_refuses_what_is_there(world: World) -> None:
    world.do(RegisterCustomer(project=ACME, external_id="ann"))
    with pytest.raises(AlreadyExists):
        world.do(RegisterCustomer(project=ACME, external_id="ann"))


def test_a_customer_without_a_user_id_needs_a_key(world: World) -> None:
    with pytest.raises(InvalidInput):
        world.do(RegisterCustomer(project=ACME))
    assert world.do(RegisterCustomer(project=ACME, key="k")).ids["customer"]


def test_nothing_is_done_in_a_project_that_is_not(world: World) -> None:
    with pytest.raises(NotFound):
        world.do(RegisterCustomer(project=owner_id("nowhere"), external_id="ann"))


def test_a_key_made_anew_for_a_retry_is_still_the_same_wish(world: World) -> None:
    app = UUID(world.do(RegisterApp(project=ACME, name="web")).ids["app"])

    def issue(key_id: str) -> Receipt:
        command = IssueKey(
            project=ACME,
            app=app,
            key_id=key_id,
            secret_hash=key_id,
            scope=Scope.READ,
            key="k",
        )
        return world.do(command)

    assert issue("first").ids["key"] == issue("second").ids["key"] == "first"


def test_events_say_who_did_it_and_within_which_story(world: World) -> None:
    caller = Caller(actor="app:web", correlation=owner_id("visit"), causation="request 7")
    command = RegisterCustomer(project=ACME, external_id="ann")
    receipt = world.dispatcher.dispatch(command, caller)
    (recorded,) = world.log.stream(UUID(receipt.ids["customer"]))
    assert (recorded.actor, recorded.correlation, recorded.causation) == (
        "app:web",
        caller.correlation,
        "request 7",
    )
    assert recorded.project == ACME
    assert recorded.owner == recorded.stream


class BusyLog(MemoryLog):
    """A log in which somebody else is first, a number of times."""

    conflicts = 0

    def append(self, append: Append) -> Receipt:
        if self.conflicts:
            self.conflicts -= 1
            raise VersionConflict(append.owner, 0)
        return super().append(append)


@pytest.mark.parametrize(("conflicts", "succeeds"), [(1, True), (2, True), (3, False)])
def test_a_conflict_is_decided_again_at_most_three_times(conflicts: int, succeeds: bool) -> None:
    world = World()
    log = BusyLog(world.clock, post=lambda _: None)
    log.conflicts = conflicts
    dispatcher = Dispatcher(log, world.clock)
    command = CreateProject(slug="acme", name="Acme")
    if succeeds:
        assert dispatcher.dispatch(command, CALLER).position == 1
        return
    with pytest.raises(VersionConflict):
        dispatcher.dispatch(command, CALLER)


def test_a_decision_to_do_nothing_writes_nothing(world: World) -> None:
    before = world.history()
    again = ConnectAccount(
        project=ACME, provider="stripe", account=ACCOUNT.account, livemode=ACCOUNT.livemode
    )
    assert world.do(again).position == 0
    assert world.history() == before
