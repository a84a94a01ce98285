from __future__ import annotations

from qdepot.cli.bars import bars


def test_outcomes_are_sorted_by_bit_string_so_that_runs_can_be_compared():
    assert bars({"11": 512, "00": 512}, width=30) == ("00  ██████████████ 512  50.0 %\n11  ██████████████ 512  50.0 %")


def test_bars_are_as_long_as_their_counts():
    lines = bars({"0": 100, "1": 50, "2": 25}, width=31).splitlines()
    assert [line.count("█") for line in lines] == [16, 8, 4]
    assert len({len(line) for line in lines}) == 1


def test_parts_of_a_cell_are_shown():
    assert "▌" in bars({"0": 1000, "1": 500}, width=31).splitlines()[1]


def test_the_rarest_outcome_is_still_visible():
    assert "▏" in bars({"0": 10**6, "1": 1}).splitlines()[1]
    assert "#" in bars({"0": 10**6, "1": 1}, plain=True).splitlines()[1]


def test_too_many_outcomes_are_cut_after_the_most_frequent():
    counts = {f"{n:05b}": n + 1 for n in range(28)}
    lines = bars(counts, most=16).splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["11011", "11010"]
    assert len(lines) == 17
    assert lines[-1] == "... and 12 more, 78 shots (19.2 %)"


def test_equal_counts_keep_the_order_of_their_bits():
    lines = bars({"10": 5, "01": 5, "11": 5}, most=2).splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["01", "10"]


def test_a_bar_has_room_beside_the_longest_bit_string():
    assert "████████ " in bars({"0" * 200: 3}, width=40)


def test_plain_bars_are_ascii():
    assert bars({"0": 3, "1": 1}, plain=True).isascii()


def test_no_counts_say_so():
    assert bars({}) == "no counts"
