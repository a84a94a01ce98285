"""The tables of other people's programs, from the reports of ``make test-answers``."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markdown_tables import table

LEFT_OUT = ("not legal", "no qubits", "needs values", "too large")
RAN = ("right", "unjudged")
VERDICTS = (*RAN, "refused", "called invalid", "too slow", "disputed", "wrong")
SHOWN_FILES = 5

Document = Mapping[str, Any]


def lines(corpora: Sequence[Document]) -> list[str]:
    """All tables."""
    return [
        *_corpora(corpora),
        *_figure(corpora),
        *_reasons(corpora, "refused", "Constructs that are refused"),
        *_reasons(corpora, "called invalid", "Programs that the reference parser accepts and qdepot calls invalid"),
        *_looked_at(corpora),
    ]


def _corpora(corpora: Sequence[Document]) -> Iterator[str]:
    yield from ("### What is in the corpora", "")
    rows = [
        [
            each["name"],
            each["files"],
            *_numbers(each["left_out"], LEFT_OUT),
            _sum(each["measuring"]),
            _sum(each["extended"]),
        ]
        for each in corpora
    ]
    yield from table(["corpus", "programs", *LEFT_OUT, "measure", "measure nothing"], _with_sum(rows))
    for each in corpora:
        if each["not_examined"]:
            yield from (f"The time was up before {each['not_examined']:,} more of {each['name']} were examined.", "")
    yield from ("### What became of those that measure", "")
    yield from _verdicts(corpora, "measuring")
    yield from ("### What became of those that measure nothing, with measurements put at their end", "")
    yield from _verdicts(corpora, "extended")


def _verdicts(corpora: Sequence[Document], which: str) -> Iterator[str]:
    rows = [[each["name"], _sum(each[which]), *_numbers(each[which], VERDICTS)] for each in corpora if each[which]]
    yield from table(["corpus", "programs", *VERDICTS], _with_sum(rows))


def _figure(corpora: Sequence[Document]) -> Iterator[str]:
    """How many programs run, of those that are legal, declare qubits, measure, and stay within size."""
    yield from ("### How many run", "")
    groups = {
        "all corpora": corpora,
        "without MQT Bench": [each for each in corpora if not each["name"].startswith("MQT Bench")],
        "without the tests of readers": [each for each in corpora if not _tests_a_reader(each["name"])],
    }
    rows = (_figures(name, group) for name, group in groups.items())
    head = [
        "legal, with qubits and measurements, within size",
        "programs",
        "run",
        "right",
        "run, of those not called invalid",
    ]
    yield from table(head, rows)


def _tests_a_reader(name: str) -> bool:
    return name.startswith(("qe-qasm", "qiskit", "pyqasm"))


def _figures(name: str, corpora: Sequence[Document]) -> list[Any]:
    verdicts: Counter[str] = sum((Counter(each["measuring"]) for each in corpora), Counter())
    ran, programs = sum(verdicts[verdict] for verdict in RAN), verdicts.total()
    return [
        name,
        programs,
        f"{ran:,} ({_share(ran, programs)})",
        f"{verdicts['right']:,} ({_share(verdicts['right'], programs)})",
        _share(ran, programs - verdicts["called invalid"]),
    ]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _reasons(corpora: Sequence[Document], verdict: str, title: str) -> Iterator[str]:
    files: dict[str, list[str]] = defaultdict(list)
    for each in corpora:
        for reason, names in each["names"].get(verdict, {}).items():
            files[reason] += names
    yield from (f"### {title}", "")
    longest_first = sorted(files.items(), key=lambda each: -len(each[1]))
    rows = ([reason, len(names), _some(names)] for reason, names in longest_first)
    yield from table(["reason", "programs", "files"], rows)


def _some(names: Sequence[str]) -> str:
    """Without folders; "(extended)" tells those to which measurements were put."""
    shown = ", ".join(f"`{name.rsplit('/', 1)[-1]}`" for name in names[:SHOWN_FILES])
    return f"{shown} and {len(names) - SHOWN_FILES} more" if len(names) > SHOWN_FILES else shown


def _looked_at(corpora: Sequence[Document]) -> Iterator[str]:
    rows = [
        [each["name"], f"`{file.rsplit('/', 1)[-1]}`", " ".join(reason.split())[:160]]
        for each in corpora
        for file, reason in each["suspicious"].items()
    ]
    if rows:
        yield from ("### Disputed and wrong", "")
        yield from table(["corpus", "file", "what was found"], rows)


def _numbers(counted: Mapping[str, int], names: Sequence[str]) -> list[int]:
    return [counted.get(name, 0) for name in names]


def _sum(counted: Mapping[str, int]) -> int:
    return sum(counted.values())


def _with_sum(rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    return [*rows, ["all", *(sum(column) for column in zip(*(row[1:] for row in rows), strict=True))]]
