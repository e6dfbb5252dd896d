"""The ledger check finds each thing that must not be, and is silent where all is well."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from router.cli.ledger.book import BadLedger, Book, Called, Closed, Delivered, Replied, read_ledger
from router.cli.ledger.check import WRONG, check
from router.cli.main import main

ANN = {"account": "shop", "sender": "ann"}
CLOSED = Closed(accounts=("shop",))


@pytest.fixture
def tables(sqlite_database: str) -> Iterator[sqlite3.Connection]:
    """Give two messages of Ann, the answer that she got, and an agent who has room for one."""
    file = sqlite_database.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        _row(connection, "agents", id="lin", capacity=1.0)
        _row(connection, "conversations", id="v1", contact_id="c1", state="Offered")
        _row(connection, "reservations", id="r1", conversation_id="v1", agent_id="lin", weight=1.0)
        _event(connection, "offer_made", "v1")
        _said(connection, "1", seq=1)
        _said(connection, "2", seq=2)
        _said(connection, "out:1", seq=3, direction="out", text="hello")
        _row(connection, "outbox", id="o1", interaction_id="i3", account="shop", state="sent")
        yield connection


LINES = (
    Delivered(**ANN, id="1", place=1, answered=False),
    Delivered(**ANN, id="1", place=1, answered=True),
    Delivered(**ANN, id="2", place=2, answered=True),
    Replied(words="hello", answered=True),
    Called(account="shop", key="", words="hello", said=True),
    CLOSED,
)


def _row(connection: sqlite3.Connection, table: str, **given: object) -> None:
    """Insert a row; what it does not state is empty."""
    values: dict[str, object] = {}
    for _, name, kind, needed, preset, _ in connection.execute(f"PRAGMA table_info({table})"):
        if name in given:
            values[name] = given[name]
        elif needed and preset is None:
            values[name] = "" if "CHAR" in kind or "TEXT" in kind else 0
    names, marks = ", ".join(f'"{name}"' for name in values), ", ".join("?" * len(values))
    insert = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608  our own names
    connection.execute(insert, (*values.values(),))


def _said(
    connection: sqlite3.Connection,
    external: str,
    *,
    seq: int,
    direction: str = "in",
    text: str = "",
    account: str = "shop",
) -> None:
    _row(
        connection,
        "interactions",
        id=f"i{seq}",
        account=account,
        external_id=external,
        conversation_id="v1",
        contact_id="c1",
        seq=seq,
        direction=direction,
        text=text,
        at=f"2026-11-11 00:00:{seq:02}",
    )


def _event(
    connection: sqlite3.Connection, kind: str, conversation: str, *, facts: str = "{}"
) -> None:
    ((last,),) = connection.execute("SELECT count(*) FROM events")
    given = {"agent_id": "lin", "facts": facts, "seq": last + 1}
    _row(
        connection,
        "events",
        kind=kind,
        conversation_id=conversation,
        at="2026-11-11 00:00:00.000000",
        **given,
    )


def found(url: str, *lines: object) -> list[str]:
    return [each.code for each in check(url, [*LINES[:-1], *lines, CLOSED]).wrong]  # type: ignore[list-item]


@pytest.mark.usefixtures("tables")
def test_where_all_is_well_nothing_is_wrong(sqlite_database: str) -> None:
    done = check(sqlite_database, LINES)
    assert (done.deliveries, done.replies, done.calls, done.offers) == (2, 1, 1, 1)
    assert done.wrong == ()


SPOILT = {
    "missing": "DELETE FROM interactions WHERE external_id = '2'",
    "invented": "UPDATE interactions SET external_id = '9' WHERE external_id = '2'",
    "reordered": "UPDATE interactions SET at = '2026-11-10' WHERE external_id = '2'",
    "reply_missing": "DELETE FROM outbox",
    "unsettled": "UPDATE outbox SET state = 'sending'",
    "idle_offer": "UPDATE conversations SET state = 'Queued'",
    "over_capacity": "UPDATE agents SET capacity = 0.5",
}


@pytest.mark.parametrize("code", SPOILT)
def test_what_was_spoilt_in_the_tables_is_found(
    sqlite_database: str, tables: sqlite3.Connection, code: str
) -> None:
    tables.execute(SPOILT[code])
    assert code in found(sqlite_database)


def test_what_stands_twice_is_found(sqlite_database: str, tables: sqlite3.Connection) -> None:
    """The tables' own keys would refuse it, so they are taken away first."""
    file = tables.execute("SELECT sql FROM sqlite_master WHERE name = 'interactions'").fetchone()
    plain = file[0].partition(", \n\tCONSTRAINT uq")[0].replace("interactions", "loose", 1) + ")"
    tables.execute(plain)
    tables.execute("INSERT INTO loose SELECT * FROM interactions")
    tables.execute("DROP TABLE interactions")
    tables.execute("ALTER TABLE loose RENAME TO interactions")
    _said(tables, "2", seq=4)
    _said(tables, "out:2", seq=5, direction="out", text="hello")
    tables.execute("UPDATE interactions SET seq = 3 WHERE id = 'i5'")
    tables.execute("DROP INDEX IF EXISTS uq_reservations_live")
    _row(tables, "reservations", id="r2", conversation_id="v1", agent_id="wang")
    assert {"doubled", "reply_doubled", "same_place", "two_offers"} <= set(found(sqlite_database))


@pytest.mark.usefixtures("tables")
def test_what_a_platform_saw_twice_or_never_is_found(sqlite_database: str) -> None:
    again = Called(account="shop", key="", words="hello", said=True)
    assert found(sqlite_database, again) == ["said_twice"]
    keys = [Called(account="gate", key=key, words="hi", said=True) for key in ("a", "a", "b")]
    assert found(sqlite_database, *keys) == ["two_keys"]
    lines = [each for each in LINES if not isinstance(each, Called)]
    unsaid = Called(account="shop", key="", words="hello", said=False)
    wrong = check(sqlite_database, [*lines, unsaid]).wrong
    assert [each.code for each in wrong] == ["sent_unsaid"]


def test_whoever_holds_two_with_room_for_one_was_given_too_much(
    sqlite_database: str, tables: sqlite3.Connection
) -> None:
    _event(tables, "offer_accepted", "v1")
    _event(tables, "offer_made", "v2")
    assert found(sqlite_database) == ["over_capacity"]
    _event(tables, "conversation_closed", "v1")
    _event(tables, "conversation_closed", "v2")
    _event(tables, "conversation_transferred", "v3", facts=json.dumps({"decision": "d"}))
    _event(tables, "conversation_transferred", "v3", facts=json.dumps({"to": "general"}))
    _event(tables, "offer_made", "v4")
    assert found(sqlite_database) == ["over_capacity"]


def test_every_code_is_tested() -> None:
    others = {"doubled", "reply_doubled", "same_place", "two_offers"}
    assert set(WRONG) == {*SPOILT, *others, "said_twice", "two_keys", "sent_unsaid"}


def test_a_ledger_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    with file.open("wb") as sink:
        book = Book(sink)
        for each in LINES:
            book.note(each)
    assert read_ledger(file) == LINES
    file.write_bytes(file.read_bytes() + b'{"type": "delivery"}\n')
    with pytest.raises(BadLedger, match="line 7"):
        read_ledger(file)


def test_the_audit_takes_a_ledger_and_says_what_is_wrong(
    sqlite_database: str, tmp_path: Path
) -> None:
    (tmp_path / "config").mkdir()
    env = {
        "MAINSTEM_CONFIG": str(tmp_path / "config"),
        "MAINSTEM_DATA": str(tmp_path / "data"),
        "MAINSTEM_DATABASE_URL": sqlite_database,
    }
    file = tmp_path / "ledger.jsonl"
    file.write_bytes(b"\n".join(map(msgspec.json.encode, LINES)))
    done = CliRunner().invoke(main, ("audit", "--json", "--ledger", str(file)), env=env)
    assert done.exit_code == 1
    said = [json.loads(each) for each in done.stdout.splitlines()]
    assert [each["code"] for each in said] == ["missing", "missing", "reply_missing"]
    assert said[0]["where"] == "shop 1 ann"
    assert "3 things are wrong among 2 deliveries, 1 replies and 1 calls" in done.stderr
    file.write_text("no ledger")
    done = CliRunner().invoke(main, ("audit", "--ledger", str(file)), env=env)
    assert (done.exit_code, "line 1" in done.stderr) == (1, True)


def test_several_daemons_of_the_chaos_need_a_server() -> None:
    done = CliRunner().invoke(main, ("chaos", "--daemons", "2"))
    assert (done.exit_code, "--database-url" in done.output) == (2, True)
