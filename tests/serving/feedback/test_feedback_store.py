from __future__ import annotations

import json
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, StatementError

from feedback.annotated import document, renumbered, submission
from model.annotation import AnnotatedSentence
from serving.feedback import databases
from serving.feedback.databases import DatabaseError, open_engine, writing
from serving.feedback.migrations import upgrade
from serving.feedback.records import Filter, Submission
from serving.feedback.store import PAGE, FeedbackStore


def test_what_is_submitted_is_exported(store: FeedbackStore) -> None:
    before = datetime.now(UTC) - timedelta(minutes=1)
    first, second = document(1), renumbered(document(2, id="خبر-2"))
    receipts = store.submit(Submission("سلمى", "musnad", "2", submission(first, second).documents))
    assert [(receipt.status, receipt.created) for receipt in receipts] == [("pending", True)] * 2
    lines = [json.loads(record.to_json()) for record in store.export()]
    metas = [line.pop("meta") for line in lines]
    assert lines[1] == second  # ids and order as they were sent
    assert lines[0] == {**first, "id": "-"}
    for meta, receipt in zip(metas, receipts, strict=True):
        assert meta["id"] == receipt.id
        assert meta["annotator"] == "سلمى"
        assert meta["model"] == {"name": "musnad", "version": "2"}
        assert meta["status"] == "pending"
        assert meta["created"] == meta["updated"]
        assert before < datetime.fromisoformat(meta["created"]) < before + timedelta(hours=1)


def test_without_an_id_a_document_has_its_records(store: FeedbackStore) -> None:
    named = submission(document(1))
    (receipt,) = store.submit(replace(named, documents=(replace(named.documents[0], id=""),)))
    (record,) = store.export()
    assert record.document_id is None
    assert json.loads(record.to_json())["id"] == receipt.id


def test_the_same_twice_is_one_record(store: FeedbackStore) -> None:
    first, second, third = document(1), document(2), document(3)
    receipts = store.submit(submission(first, second))
    store.set_status(receipts[0].id, "rejected")
    again = store.submit(submission(third, renumbered(first), first, third, second))
    assert [receipt.created for receipt in again] == [True, False, False, False, False]
    assert [receipt.status for receipt in again] == ["pending", "rejected", "rejected", "pending", "pending"]
    assert again[1].id == again[2].id == receipts[0].id
    assert again[4].id == receipts[1].id
    assert again[0].id == again[3].id
    assert [record.id for record in store.export()] == [receipts[0].id, receipts[1].id, again[0].id]


def test_what_differs_is_another_record(store: FeedbackStore) -> None:
    same = document(1)
    relabelled = json.loads(json.dumps(same).replace('"LOC"', '"NOM"'))
    denied = json.loads(json.dumps(same).replace('"asserted"', '"negated"', 1))
    reclassed = json.loads(json.dumps(same).replace('"STATE"', '"OTHER"'))
    fewer = {**same, "relations": same["relations"][:-1]}
    variants = [
        submission(same),
        submission(same, annotator="عمر"),
        submission(same, version="2"),
        replace(submission(same), model_name="other"),
        submission({**same, "text": same["text"] + " "}),
        *map(submission, (relabelled, denied, reclassed, fewer)),
    ]
    assert all(receipt.created for variant in variants for receipt in store.submit(variant))
    assert store.count_by_status() == {"pending": len(variants), "accepted": 0, "rejected": 0}


def test_equal_submissions_at_once_are_one_record(store: FeedbackStore, url: str) -> None:
    documents = [document(number) for number in range(4)]
    turns = [submission(*documents), submission(*map(renumbered, reversed(documents)))] * 4
    barrier = threading.Barrier(len(turns))

    with FeedbackStore(url) as other:  # as another process has its own

        def submit(index: int) -> list[str]:
            barrier.wait()
            receipts = (store, other)[index % 2].submit(turns[index])
            return [receipt.id for receipt in receipts if receipt.created]

        with ThreadPoolExecutor(len(turns)) as pool:
            created = list(pool.map(submit, range(len(turns))))
    stored = [record.id for record in store.export()]
    assert len(stored) == 4
    assert sorted(id for ids in created for id in ids) == sorted(stored)


def test_a_submission_that_fails_leaves_nothing(store: FeedbackStore) -> None:
    sound = submission(document(1), document(2))
    bad = AnnotatedSentence("", "half of a pair: \ud800", (), ())
    with pytest.raises((UnicodeEncodeError, StatementError)):
        store.submit(replace(sound, documents=(*sound.documents, bad)))
    assert list(store.export()) == []
    assert all(receipt.created for receipt in store.submit(sound))


def test_records_have_the_order_of_their_creation(store: FeedbackStore, url: str) -> None:
    with FeedbackStore(url) as other, ThreadPoolExecutor(4) as pool:
        batches = [submission(*(document(10 * batch + item) for item in range(5))) for batch in range(12)]
        list(pool.map(lambda index: (store, other)[index % 2].submit(batches[index]), range(12)))
    records = list(store.export())
    assert [record.number for record in records] == sorted({record.number for record in records})
    assert [record.created for record in records] == sorted(record.created for record in records)
    by_batch = [record.text.rsplit(" ", 1)[1] for record in records]
    for start in range(0, 60, 5):  # a request's documents stay together, in their order
        first = int(by_batch[start])
        assert by_batch[start : start + 5] == [str(first + item) for item in range(5)]
    assert len(by_batch) == 60


@pytest.mark.parametrize("count", [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE])
def test_an_export_is_whole_at_every_page_border(store: FeedbackStore, count: int) -> None:
    if count:
        store.submit(submission(*(document(number) for number in range(count))))
    assert [record.text.rsplit(" ", 1)[1] for record in store.export()] == [str(number) for number in range(count)]


def test_an_export_ends_with_what_was_there_when_it_began(store: FeedbackStore) -> None:
    store.submit(submission(*(document(number) for number in range(2 * PAGE))))
    records = store.export()
    next(records)
    store.submit(submission(document(1000)))
    assert len(list(records)) == 2 * PAGE - 1


def test_filters(store: FeedbackStore) -> None:
    store.submit(submission(document(1), document(2)))
    store.submit(submission(document(1), annotator="عمر"))
    first, second, third = store.export()
    store.set_status(second.id, "accepted")

    def numbers(**fields: object) -> list[int]:
        return [record.number for record in store.export(Filter(**fields))]  # type: ignore[arg-type]

    assert numbers(annotator="سلمى") == [first.number, second.number]
    assert numbers(annotator="سلم") == []
    assert numbers(status="accepted") == [second.number]
    assert numbers(status="pending", annotator="سلمى") == [first.number]
    assert numbers(since=third.created) == [third.number]
    assert numbers(until=third.created) == [first.number, second.number]
    assert numbers(since=first.created, until=first.created) == []
    assert numbers(since=first.created + timedelta(microseconds=1), until=third.created) == []


def test_an_export_with_a_filter_goes_over_pages(store: FeedbackStore) -> None:
    for start in range(0, 6 * PAGE, PAGE // 2):
        annotator = ("سلمى", "عمر")[start // (PAGE // 2) % 2]
        store.submit(submission(*(document(start + item) for item in range(PAGE // 2)), annotator=annotator))
    found = list(store.export(Filter(annotator="عمر")))
    assert len(found) == 3 * PAGE
    assert {record.annotator for record in found} == {"عمر"}


def test_status(store: FeedbackStore) -> None:
    (receipt,) = store.submit(submission(document(1)))
    (before,) = store.export()
    accepted = store.set_status(receipt.id, "accepted")
    assert accepted is not None
    assert accepted == replace(before, status="accepted", updated=accepted.updated)
    assert accepted.updated > before.updated == before.created
    assert store.set_status(receipt.id, "accepted") == accepted  # nothing has changed
    assert store.count_by_status() == {"pending": 0, "accepted": 1, "rejected": 0}
    assert list(store.export()) == [accepted]
    assert store.set_status("0" * 32, "accepted") is None
    with pytest.raises(ValueError, match="'done' is not one of pending, accepted, rejected"):
        store.set_status(receipt.id, "done")


def test_an_export_takes_no_more_memory_for_more(store: FeedbackStore) -> None:
    text = "قال الوزير. " * 2000  # 40 KB in UTF-8
    for start in range(0, 300, 100):
        empty = [document(0, text=f"{text}{start + item}", entities=[], relations=[]) for item in range(100)]
        store.submit(submission(*empty))
    tracemalloc.start()
    try:
        size = sum(len(record.to_json().encode()) for record in store.export())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > 12_000_000
    assert peak < size / 3


def test_a_writer_that_waits_too_long_is_told(store: FeedbackStore, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "WRITER_SECONDS", 0.1)
    holder = open_engine(url)
    with writing(holder), FeedbackStore(url) as other:
        with pytest.raises(OperationalError):
            other.submit(submission(document(1)))
        assert list(other.export()) == []  # readers need not wait
    holder.dispose()
    assert store.submit(submission(document(1)))[0].created


def test_sqlite_writes_through(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'annotations.db'}")
    with engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        }
        assert found == {"journal_mode": "wal", "synchronous": 2}  # 2 is FULL
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
    engine.dispose()


def test_a_postgresql_that_does_not_write_through_is_made_to(postgresql: str) -> None:
    engine = open_engine(f"{postgresql}postgres")
    try:
        for setting, expected in (("off", "on"), ("remote_apply", "remote_apply")):
            with engine.connect() as connection:
                connection.execute(text(f"ALTER ROLE postgres SET synchronous_commit = {setting}"))
                connection.commit()
            engine.dispose()
            with writing(engine) as connection:
                assert connection.execute(text("SHOW synchronous_commit")).scalar() == expected
            with engine.connect() as connection:
                assert connection.execute(text("SHOW synchronous_commit")).scalar() == setting
    finally:
        with engine.connect() as connection:
            connection.execute(text("ALTER ROLE postgres RESET synchronous_commit"))
            connection.commit()
        engine.dispose()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://", "name a file"),
        ("sqlite:///:memory:", "name a file"),
        ("sqlite:///file:x?mode=memory&uri=true", "name a file"),
        ("mysql://user:hidden@host/name", "'mysql' is not sqlite or postgresql"),
        ("postgresql+asyncpg://user:hidden@host/name", "'postgresql.asyncpg' is not sqlite or postgresql"),
        ("hidden", "is not one"),
        ("postgresql://user:hidden@host:port/name", "is not one"),
    ],
)
def test_a_url_that_is_not_taken(url: str, message: str) -> None:
    with pytest.raises(DatabaseError, match=message) as caught:
        open_engine(url)
    assert "hidden" not in str(caught.value)


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="unable to open database file"):
        upgrade(f"sqlite:///{tmp_path}/missing/annotations.db")
    (tmp_path / "text").write_text("not a database\n" * 100)
    with pytest.raises(DatabaseError, match="file is not a database"):
        upgrade(f"sqlite:///{tmp_path}/text")


def test_a_server_that_does_not_answer_is_named_without_the_password(postgresql: str) -> None:
    url = f"{postgresql}missing".replace("postgres@", "postgres:hidden@")
    for use in (upgrade, FeedbackStore):
        with pytest.raises(DatabaseError, match='"missing" does not exist') as caught:
            use(url)
        assert "hidden" not in str(caught.value)
