"""Parts in the pending store: results of a job's leading circuits, stored while the others have yet to run.

Each begins where the one before it ends, so a job's row says with two numbers which there are and how far they reach;
what is stored behind that was not committed, and is found by its key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar

from qdepot.archive import layout
from qdepot.archive.bundle import RESULT, Bundle, arrays_file
from qdepot.archive.manifest import damaged, manifest_document
from qdepot.archive.packing import zipped
from qdepot.archive.plain import json_lines
from qdepot.archive.safe_names import safe_members
from qdepot.archive.spool import Spool
from qdepot.domain.job import Job
from qdepot.domain.result import Buffer, Outcome
from qdepot.domain.result_document import joined, joined_metadata, pieces_of
from qdepot.errors import ArchiveDamagedError, InternalError
from qdepot.ports.object_store import ObjectExistsError, ObjectNotFoundError, ObjectStore

PART = "part.json"
PART_FORMAT = "qdepot-part/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPart:
    """A part that is in the archive.

    Attributes:
        number: From 1 on.
        first: Index of its first circuit in the job's program.
        count: How many circuits it holds.
        attempt: Which attempt of the job ran them.
        metadata: How they were run.
    """

    number: int
    first: int
    count: int
    attempt: int
    metadata: Mapping[str, object]

    @property
    def behind(self) -> int:
        """Index of the first circuit behind it."""
        return self.first + self.count

    def described(self) -> dict[str, object]:
        """Where which circuits come from, for the metadata of the whole."""
        return {"first": self.first, "count": self.count, "attempt": self.attempt}


class PartFile(Bundle):
    """A part that was opened for reading."""

    about: ClassVar[str] = PART

    def stored_part(self) -> StoredPart:
        """What it says of itself.

        Raises:
            ArchiveDamagedError: It is none of ours.
        """
        document: Mapping[str, Any] = self.document
        try:
            if document["format"] != PART_FORMAT or layout.id_of(self.key) != document["job_id"]:
                raise damaged(self.key, f"it is no {PART_FORMAT} of this job")
            numbers = [int(document[name]) for name in ("number", "first", "count", "attempt")]
            metadata = dict(document["metadata"])
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(self.key, f"{PART} is not what was written") from error
        number, first, count, attempt = numbers
        return StoredPart(number=number, first=first, count=count, attempt=attempt, metadata=metadata)


def put_part(
    store: ObjectStore, job: Job, results: Sequence[Outcome], *, count: int, scratch: str | None
) -> StoredPart:
    """Store the results of the ``count`` circuits behind those that are done, or adopt the part that is there.

    Raises:
        ArchiveDamagedError: What is there is damaged, or begins elsewhere.
    """
    part = StoredPart(
        number=job.parts + 1,
        first=job.circuits_done,
        count=count,
        attempt=job.attempt,
        metadata=joined_metadata([result.metadata for result in results]),
    )
    if count < 1 or part.behind > job.num_circuits:
        raise InternalError(f"job {job.id} cannot have a part of {count} circuits from {part.first} on")
    file = zipped(_files(job, part, results, scratch=scratch), scratch)
    try:
        with file:
            store.create(layout.part_key(job, part.number), file)
    except ObjectExistsError:
        return _whole(store, job, number=part.number, first=part.first)
    return part


def stored_parts(store: ObjectStore, job: Job) -> tuple[int, int]:
    """How many parts there are, and how many circuits they hold, beginning with what the row says.

    Parts count as far as they are whole: at the first that is missing or damaged, it ends. Needs no scan.
    """
    number, done = job.parts, job.circuits_done
    while done < job.num_circuits:
        try:
            part = _whole(store, job, number=number + 1, first=done)
        except (ObjectNotFoundError, ArchiveDamagedError):
            break
        number, done = part.number, part.behind
    return number, done


def opened_parts(store: ObjectStore, job: Job) -> Iterator[tuple[StoredPart, PartFile]]:
    """The parts that the row tells of, in order, one at a time.

    Raises:
        ObjectNotFoundError: One is not (or no longer) there.
        ArchiveDamagedError: One is damaged, or they do not follow on each other.
    """
    done = 0
    for number in range(1, job.parts + 1):
        file = PartFile.open(store, layout.part_key(job, number))
        part = file.stored_part()
        _check_place(file, part, number=number, first=done)
        done = part.behind
        yield part, file
    if done != job.circuits_done:
        raise damaged(layout.part_key(job, job.parts), f"it ends at circuit {done}, not at {job.circuits_done}")


def part_document(store: ObjectStore, job: Job) -> Iterator[bytes]:
    """The result document of the circuits that are done, in pieces. Raises as :func:`opened_parts`."""
    return joined(file.pieces(RESULT) for _, file in opened_parts(store, job))


def part_arrays(store: ObjectStore, job: Job) -> Iterator[bytes]:
    """Their per-shot outcomes, as the bytes of an ``.npz`` file. Raises as :func:`opened_parts`."""
    return arrays_file(
        (member, file.pieces(member.name))
        for _, file in opened_parts(store, job)
        for member in file.manifest.values()
        if member.name.startswith("memory/")
    )


def check_parts(store: ObjectStore, job: Job) -> None:
    """Read all parts that the row tells of, and compare them with their checksums.

    Raises:
        ArchiveDamagedError: One is missing or changed.
    """
    with _none_missing():
        for _, file in opened_parts(store, job):
            file.check()


def gathered(store: ObjectStore, job: Job, rest: Sequence[Outcome], *, scratch: str | None) -> Outcome | None:
    """The outcome of a job: its parts, and what came behind them; None if there is nothing at all.

    They are put together in temporary files.

    Raises:
        ArchiveDamagedError: A part is missing or damaged.
    """
    if not job.parts and len(rest) <= 1:
        return rest[0] if rest else None
    texts, files = Spool(scratch), Spool(scratch)
    parts: list[StoredPart] = []

    def documents() -> Iterator[Iterator[Buffer]]:
        for part, file in opened_parts(store, job):
            yield file.pieces(RESULT)
            parts.append(part)
            for name in file.manifest.keys() - {RESULT}:
                files.add(name, file.pieces(name))

    with _none_missing(), closing(texts), closing(files):
        texts.add(RESULT, joined(chain(documents(), (pieces_of(outcome.document) for outcome in rest))))
        metadata = joined_metadata([*(part.metadata for part in parts), *(outcome.metadata for outcome in rest)])
        members: dict[str, Buffer] = dict(files.mapped())
        for outcome in rest:
            members.update(outcome.members)
        about = {"parts": [part.described() for part in parts]} if parts else {}
        return Outcome(document=texts.mapped()[RESULT], members=members, metadata={**metadata, **about})


def _files(job: Job, part: StoredPart, results: Sequence[Outcome], *, scratch: str | None) -> dict[str, Buffer]:
    with closing(Spool(scratch)) as spool:
        spool.add(RESULT, joined(pieces_of(result.document) for result in results))
        files: dict[str, Buffer] = dict(spool.mapped())
    for result in results:
        files.update(safe_members(result.members, taken={PART, RESULT}))
    document: dict[str, object] = {"format": PART_FORMAT, "job_id": job.id, "number": part.number}
    document |= {**part.described(), "metadata": part.metadata, "manifest": manifest_document(files)}
    return {PART: json_lines(document), **files}


def _whole(store: ObjectStore, job: Job, *, number: int, first: int) -> StoredPart:
    """A part, all of whose bytes were compared with their checksums."""
    file = PartFile.open(store, layout.part_key(job, number))
    part = file.stored_part()
    _check_place(file, part, number=number, first=first)
    if part.behind > job.num_circuits:
        raise damaged(file.key, f"it holds more circuits than job {job.id} has")
    file.check()
    return part


@contextmanager
def _none_missing() -> Iterator[None]:
    try:
        yield
    except ObjectNotFoundError as error:
        raise damaged(str(error.details.get("key", "a part")), "it is missing") from error


def _check_place(file: PartFile, part: StoredPart, *, number: int, first: int) -> None:
    if (part.number, part.first) != (number, first) or part.count < 1:
        raise damaged(file.key, f"it is part {part.number} from circuit {part.first} on, not {number} from {first} on")
